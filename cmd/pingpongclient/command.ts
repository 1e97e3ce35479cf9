/** `rsp pingpongclient`: counts messages and replies over failovers. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { wantsColour } from "../driver/colour.ts";
import type { Driver } from "../driver/drive.ts";
import { openLog, quietened } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { pause } from "../driver/pause.ts";
import { randomIdentifier } from "../driver/random.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import { runClient } from "../pool/run_client.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { PingPongClient } from "../../protocol/app/pingpong/mod.ts";
import type { PingPongClientEffect, PingPongClientReport } from "../../protocol/app/pingpong/mod.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import { Ppid } from "../../protocol/net.ts";
import { describeId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { encodeText } from "../../protocol/wire/text.ts";
import {
  describePingPong,
  isTraffic,
  statisticsLines,
  statisticsObject,
  trafficLine,
  trafficObject,
} from "./display.ts";
import type { PingPongTraffic } from "./display.ts";
import { pingPongClientOptions } from "./options.ts";
import type { PingPongClientOptionValues } from "./options.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "pingpongclient",
  summary: "Counts messages and replies of a pool over failovers",
  description: [
    "Finds a registrar, resolves the pool and sends a message at an interval. Each reply has a number, which the next " +
    "element goes on from when an element fails; a gap is reported. Messages that were not answered are sent to the next " +
    "element. Statistics come at the end.",
  ],
  exitCodes: {
    0: "All messages of -count were answered; without -count at least one",
    1: "They were not",
  },
  options: pingPongClientOptions,
  examples: [
    { line: "rsp pingpongclient", text: "Two messages a second until Ctrl+C" },
    { line: "rsp pingpongclient -count=100 -interval=10 -quiet", text: "Statistics of a hundred messages" },
  ],
  run: (context) => runPingPongClient(quietened(context)),
});

async function runPingPongClient(context: Context<PingPongClientOptionValues>): Promise<number> {
  const { options } = context;
  const poolHandle = poolHandleOption(options.poolhandle);
  const program = new PingPongProgram(context);
  let client: PingPongClient | undefined;
  const exitCode = await runClient<never, PingPongClientEffect, PingPongClientReport>(context, program.log, {
    sessions: 1,
    status: program.status,
    wrap: (sessions) =>
      new ApplicationMachine(sessions, (outlet) => {
        return client = new PingPongClient(outlet, {
          poolHandle,
          intervalMs: options.interval,
          count: options.count,
          receiveTimeoutMs: options.recvtimeout,
          payload,
          prng: new Prng(randomIdentifier()),
        });
      }),
    onEffect: () => program.end(),
    onReport: (report) => program.report(report),
    work: async (_driver: Driver<never>) => {
      await program.untilTheEnd();
      return 0;
    },
  });
  if (exitCode !== 0 || client === undefined) return exitCode;
  program.showStatistics(client);
  return client.statistics.answered >= Math.max(1, options.count) ? 0 : 1;
}

/** What RSPLIB's client says in a message (reference/rsplib.md §5.3). */
function payload(messageNumber: bigint): Uint8Array {
  const microseconds = Math.round(1000 * (performance.timeOrigin + performance.now()));
  return encodeText(`Nachricht: ${messageNumber}, Zeitstempel: ${microseconds}`);
}

/** What is shown, and when it is over. */
class PingPongProgram {
  readonly log: Log;
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.pingPong);
  readonly #context: Context<PingPongClientOptionValues>;
  readonly #colour: boolean;
  readonly #over = new AbortController();

  constructor(context: Context<PingPongClientOptionValues>) {
    this.#context = context;
    this.log = openLog(context);
    this.#colour = wantsColour(context.stdout, context.variable);
  }

  /** Waits until all is answered, the time is up, or somebody wants an end. */
  async untilTheEnd(): Promise<void> {
    const { options, signal } = this.#context;
    const limitMs = options.timeout === 0 ? Infinity : 1000 * options.timeout;
    await pause(limitMs, AbortSignal.any([signal, this.#over.signal]));
  }

  /** It is over. */
  end(): void {
    this.#over.abort();
  }

  /** Takes a report of the machine. */
  report(report: PingPongClientReport | SessionReport): void {
    if (isTraffic(report)) return this.#show(report);
    const own = describePingPong(report);
    if (own === undefined) this.status.report(report as SessionReport, performance.now());
    const { level, text, fields } = own ?? describeReport(report as SessionReport);
    this.log.write(level, text, fields);
  }

  /** Shows the statistics: they come at every log level. */
  showStatistics({ statistics }: PingPongClient): void {
    const { options } = this.#context;
    if (options.json) this.#write(statisticsObject(statistics));
    else for (const line of statisticsLines(options.poolhandle, statistics)) this.#print(line);
  }

  #show(report: PingPongTraffic): void {
    const { options } = this.#context;
    if (report.type === "pongReceived") {
      this.status.says(`Reply #${report.replyNumber} of PE ${describeId(report.elementId)}`);
    }
    if (options.quiet) return;
    if (options.json) this.#write(trafficObject(report));
    else this.#print(trafficLine(report, this.#colour));
  }

  #write(object: Readonly<Record<string, unknown>>): void {
    this.#print(JSON.stringify({ time: new Date().toISOString(), ...object }));
  }

  #print(text: string): void {
    const { stdout } = this.#context;
    stdout.write(`${text}\n`);
    if (stdout.isBroken?.() === true) this.end();
  }
}
