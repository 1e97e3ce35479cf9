/** `rsp hsdump`: shows the handlespace and the peers of a registrar (reference/rsplib.md §6.2). */
import { HandlespaceReader } from "../../protocol/dump/mod.ts";
import type { ReaderEffect, ReaderInput, ReaderReport } from "../../protocol/dump/mod.ts";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { drive } from "../driver/drive.ts";
import type { Driver } from "../driver/drive.ts";
import { resolveHosts } from "../driver/host_names.ts";
import { openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError, readHostSocket } from "../options.ts";
import type { OptionValues, Socket } from "../options.ts";
import { Display } from "./display.ts";
import { hsdumpOptionTable } from "./options.ts";
import { logReaderReport } from "./report_line.ts";

type Options = OptionValues<typeof hsdumpOptionTable>;

/** ENRP's port: of our registrar when it is free; RSPLIB's takes any. */
const ENRP_PORT = 9901;

/** `rsp hsdump` */
export const command: Command = defineCommand({
  name: "hsdump",
  summary: "Shows the handlespace and the peers of a registrar",
  description: [
    "Asks a registrar by ENRP for all that it knows: its peers, the pools, their elements in the order of IDs and of " +
    "selection, and who owns them. Without an address it asks the one on this host.",
    "RSPLIB's registrar tells other registrars only. There the program calls itself one for some seconds; it acknowledges " +
    "the takeovers that the registrars agree on meanwhile, and therefore ends only when they have forgotten it, 10 s after " +
    "the last dump. Ctrl+C meanwhile ends it at once, and a takeover within these seconds may fail.",
  ],
  operands: "[host[:port]]",
  options: hsdumpOptionTable,
  examples: [
    { line: "rsp hsdump", text: "the registrar of this host" },
    { line: "rsp hsdump 10.1.0.1:9901", text: "another one" },
    { line: "rsp hsdump 10.1.0.1 -watch=5", text: "anew every 5 s" },
    { line: "rsp hsdump 10.1.0.1 -json | jq '.pools[].poolHandle'", text: "for programs" },
  ],
  run,
});

async function run(context: Context<Options>): Promise<number> {
  const registrar = await registrarOf(context.positionals);
  // Standard output is the dump's; what is said besides goes elsewhere.
  const log = openLog({ ...context, options: { ...context.options, json: false } });
  try {
    const { options } = context;
    const transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence),
    });
    log.verbose(`SCTP is carried by ${transport.description}`);
    try {
      const reading = new Reading(context, log);
      const driver = drive<ReaderInput, ReaderEffect>(machine(registrar, options), {
        transport,
        // It listens, so that registrars that hear of it can ask it to acknowledge a takeover.
        endpoints: { enrp: { listen: true } },
        onEffect: (effect) => {
          if (effect.type === "report") reading.take(effect.report);
        },
      });
      driver.input({ type: "start" });
      await runToEnd(context.signal, driver);
      return reading.failed ? 1 : 0;
    } finally {
      await transport.close();
    }
  } catch (error) {
    log.error(transportFailure(error));
    return 1;
  }
}

/** What came of it. */
class Reading {
  /** Whether the last reading failed. */
  failed = true;
  readonly #display: Display;
  readonly #log: Log;

  constructor(context: Context<Options>, log: Log) {
    const { stdout, options } = context;
    this.#display = new Display(stdout, { json: options.json, repeats: options.watch !== undefined });
    this.#log = log;
  }

  take(report: ReaderReport): void {
    if (report.type === "state") {
      this.failed = false;
      this.#display.show(report.state, new Date());
    } else {
      if (report.type === "failed") this.failed = true;
      logReaderReport(this.#log, report);
    }
  }
}

function machine(registrar: Socket, options: Options): HandlespaceReader {
  return new HandlespaceReader({
    readerId: randomIdentifier(),
    seed: randomIdentifier(),
    ...registrar,
    answerTimeoutMs: options.timeout,
    repeatMs: options.watch === undefined ? undefined : 1000 * options.watch,
  });
}

async function registrarOf(positionals: readonly string[]): Promise<Socket> {
  const [place, ...rest] = positionals;
  if (rest.length > 0) throw new OptionError("reads one registrar at a time");
  if (place === undefined) return { addresses: ["127.0.0.1"], port: ENRP_PORT };
  let hosts;
  try {
    hosts = readHostSocket(place, ENRP_PORT);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(`the registrar ${error.message}`);
  }
  const [registrar] = await resolveHosts([hosts]);
  if (registrar === undefined || registrar.addresses.length === 0) {
    throw new OptionError(`no address is known for ${JSON.stringify(place)}`);
  }
  return registrar;
}

/** Runs until the machine has stopped by itself, or the user wants an end. */
async function runToEnd(signal: AbortSignal, driver: Driver<ReaderInput>): Promise<void> {
  const wish = Promise.withResolvers<void>();
  const listener = () => wish.resolve();
  signal.addEventListener("abort", listener, { once: true });
  if (signal.aborted) wish.resolve();
  await Promise.race([driver.stopped, wish.promise]);
  signal.removeEventListener("abort", listener);
  // The machine bounds the time itself; who does not want to wait presses Ctrl+C again.
  driver.input({ type: "stop" });
  await driver.stopped;
  await driver.close();
}
