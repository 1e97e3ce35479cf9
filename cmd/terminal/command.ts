/** `rsp terminal`: a person, or a pipe, talks to a pool. */
import { styleText } from "node:util";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { wantsColour } from "../driver/colour.ts";
import type { Driver } from "../driver/drive.ts";
import { openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { pause } from "../driver/pause.ts";
import { randomIdentifier } from "../driver/random.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import { runClient } from "../pool/run_client.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { MAX_WAITING_INPUT, TerminalClient } from "../../protocol/app/terminal/client.ts";
import type {
  TerminalClientEffect,
  TerminalClientInput,
  TerminalClientReport,
} from "../../protocol/app/terminal/client.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import { Ppid } from "../../protocol/net.ts";
import { describeId, showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { describeTerminal } from "./describe.ts";
import { inputMessages } from "./input_messages.ts";
import { terminalOptions } from "./options.ts";
import type { TerminalOptionValues } from "./options.ts";
import { shownText } from "./shown_text.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "terminal",
  aliases: ["rspterminal"],
  summary: "Sends lines to a server pool and shows what comes back",
  description: [
    "Finds a registrar, resolves the pool, sends each line of the input as a message to an element, and shows every " +
    "message that comes back with the ID of the element. When an element fails, another one is found. An element " +
    "that answers and ends the session, as in a daytime pool, is replaced when the next line is entered.",
    "Ends at the end of the input (Ctrl+D), when all answers have come.",
  ],
  exitCodes: {
    0: "All that was entered was sent",
    1: "No element was found for it",
  },
  options: terminalOptions,
  examples: [
    { line: "rsp terminal", text: "Talk to the echo pool" },
    { line: "rsp terminal -poolhandle=DaytimePool </dev/null", text: "Ask for the time once" },
    { line: "rsp terminal -poolhandle=CharGenPool | head -3", text: "Watch a character generator" },
  ],
  run: (context) => runTerminal(context),
});

function runTerminal(context: Context<TerminalOptionValues>): Promise<number> {
  const { options } = context;
  const poolHandle = poolHandleOption(options.poolhandle);
  const program = new TerminalProgram(context, openLog(context));
  let terminal: TerminalClient | undefined;
  return runClient<TerminalClientInput, TerminalClientEffect, TerminalClientReport>(context, program.log, {
    sessions: 1,
    // What is under way when the input ends has 2 s to arrive, so it must not be much.
    dataEndpoint: { sendBuffer: MAX_WAITING_INPUT },
    status: program.status,
    wrap: (client) =>
      new ApplicationMachine(client, (outlet) => {
        const prng = new Prng(randomIdentifier());
        return terminal = new TerminalClient(outlet, { poolHandle, quietMs: options.wait, prng });
      }),
    onEffect: (effect) => program.effect(effect),
    onReport: (report) => program.report(report),
    work: async (driver) => {
      await program.talk(driver);
      return terminal?.saidAll === true ? 0 : 1;
    },
  });
}

/** Input and output of a terminal. */
class TerminalProgram {
  readonly log: Log;
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.none);
  readonly #context: Context<TerminalOptionValues>;
  readonly #colour: boolean;
  readonly #over = new AbortController();
  /** Pending while the input is to pause. */
  #resumed: PromiseWithResolvers<void> | undefined;

  constructor(context: Context<TerminalOptionValues>, log: Log) {
    this.#context = context;
    this.log = log;
    this.#colour = wantsColour(context.stdout, context.variable);
  }

  /** Feeds the machine with input until the conversation is over, the time is up, or somebody wants an end. */
  async talk(driver: Driver<TerminalClientInput>): Promise<void> {
    const { options, signal } = this.#context;
    const end = AbortSignal.any([signal, this.#over.signal]);
    const limitMs = options.timeout === 0 ? Infinity : 1000 * options.timeout;
    try {
      await Promise.all([this.#read(driver, end), pause(limitMs, end).then(() => this.#over.abort())]);
    } finally {
      this.#over.abort();
    }
  }

  async #read(driver: Driver<TerminalClientInput>, end: AbortSignal): Promise<void> {
    const stream = this.#context.stdin?.open();
    end.addEventListener("abort", () => this.#resumed?.resolve());
    if (stream !== undefined) {
      for await (const data of inputMessages(stream, end)) {
        driver.input({ type: "say", data });
        await this.#resumed?.promise;
      }
    }
    if (!end.aborted) driver.input({ type: "endOfInput" });
  }

  /** Takes an effect of the machine. */
  effect(effect: TerminalClientEffect): void {
    switch (effect.type) {
      case "pauseInput":
        this.#resumed = Promise.withResolvers();
        return;
      case "resumeInput":
        this.#resumed?.resolve();
        this.#resumed = undefined;
        return;
      case "conversationOver":
        return this.#over.abort();
    }
  }

  /** Takes a report of the machine. */
  report(report: TerminalClientReport | SessionReport): void {
    if (report.type === "terminalMessage") return this.#show(report);
    const own = describeTerminal(report);
    if (own === undefined) this.status.report(report as SessionReport, performance.now());
    const { level, text, fields } = own ?? describeReport(report as SessionReport);
    this.log.write(level, text, fields);
  }

  /** Shows what an element says: that is the work of this program, and comes at every log level. */
  #show({ elementId, ppid, data }: Extract<TerminalClientReport, { type: "terminalMessage" }>): void {
    const { stdout, options } = this.#context;
    const text = shownText(data);
    if (options.json) {
      const fields = { event: "message", element: showId(elementId), ppid, length: data.length, text };
      stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`);
    } else {
      const shown = `from PE ${describeId(elementId)}> ${text}`;
      stdout.write(`${this.#colour ? styleText("blue", shown, { validateStream: false }) : shown}\n`);
    }
    if (stdout.isBroken?.() === true) this.#over.abort();
  }
}
