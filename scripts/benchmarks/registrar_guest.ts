/**
 * The guest's half of the comparison of registrars. Both run all the time, on addresses and ports of their own and
 * without announces, and take turns under the same load: the host's own load changes from second to second.
 *
 * @module
 */
import { AsapLoad } from "../../cmd/bench/asap_client.ts";
import type { AsapWork } from "../../cmd/bench/asap_options.ts";
import { benchOptions, type BenchOptionValues } from "../../cmd/bench/options.ts";
import { RunFailure } from "../../cmd/bench/party.ts";
import { parseOptions } from "../../cmd/parse_options.ts";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { Transport } from "../../protocol/net.ts";
import { sayResult } from "./in_guest.ts";
import { delay, median, quantile, round } from "./result.ts";

/** What to measure, given as JSON in the only argument. */
export interface RegistrarGuestTask {
  readonly users: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
}

/** What is asked for. */
export const REGISTRAR_WORKS: readonly AsapWork[] = ["resolve", "register", "churn"];

/** Not loopback: RSPLIB takes no element there. */
const ADDRESS = "10.98.0.1";
/** A round is cut into so many slices, for each registrar in turn: the machine is never quiet for long. */
const SLICES = 5;
/** What goes first pays for the compiler, and for heaps that find their sizes: page faults are dear in this guest. */
const WARM_UP_USERS = 10, WARM_UP_SECONDS = 3, WARM_UP_SLICES = 5;
/** A registrar may take so long to start. */
const START_LIMIT_MS = 60_000;
const TRY_AGAIN_MS = 300;

/** Elements in the pool that is resolved. */
const ELEMENTS = 10;

interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly command: readonly string[];
}

/** No announces; and no keep-alives, since a starved guest may be late with their answers. */
const QUIET = [
  ...["-asapannounce=off", "-enrpannounce=off"],
  ...["-endpointkeepalivetransmissioninterval=300000", "-endpointkeepalivetimeoutinterval=60000"],
];
const OURS: Contestant = {
  name: "rsp registrar",
  port: 3863,
  command: [
    ...[Deno.execPath(), ..."run --quiet --allow-all --no-check --cached-only".split(" ")],
    ...["cmd/main.ts", "registrar", "-loglevel=2"],
    ...[`-asap=${ADDRESS}:3863`, `-enrp=${ADDRESS}:9901`, ...QUIET],
  ],
};
const RSPLIB: Contestant = {
  name: "rspregistrar",
  port: 4863,
  command: ["rspregistrar", "-quiet", `-asap=${ADDRESS}:4863`, `-enrp=${ADDRESS}:4901`, ...QUIET],
};

async function main({ users, seconds, rounds }: RegistrarGuestTask): Promise<void> {
  await addAddress();
  const processes = [RSPLIB, OURS].map(({ command }) =>
    new Deno.Command(command[0]!, { args: command.slice(1), stdin: "null", stdout: "null" }).spawn()
  );
  const transport = openKernelTransport();
  for (const contestant of [RSPLIB, OURS]) await started(() => open(transport, contestant, "resolve", 1, 0));
  for (const work of REGISTRAR_WORKS) await warmUp(transport, work);
  for (const work of REGISTRAR_WORKS) {
    for (const count of users) {
      await using rsplib = await open(transport, RSPLIB, work, count, seconds / SLICES);
      await using ours = await open(transport, OURS, work, count, seconds / SLICES);
      const slices = { ours: [] as Figures[], rsplib: [] as Figures[] };
      for (let i = 0; i < WARM_UP_SLICES + rounds * SLICES; i++) {
        slices.rsplib.push(await measure(rsplib));
        slices.ours.push(await measure(ours));
      }
      tell(work, count, slices.ours.slice(WARM_UP_SLICES), slices.rsplib.slice(WARM_UP_SLICES));
    }
  }
  await transport.close();
  for (const process of processes) process.kill("SIGINT");
  await Promise.all(processes.map(({ status }) => status));
}

async function addAddress(): Promise<void> {
  for (
    const words of [
      ["link", "add", "bench0", "type", "dummy"],
      ["addr", "add", `${ADDRESS}/24`, "dev", "bench0"],
      ["link", "set", "bench0", "up"],
    ]
  ) {
    const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
    if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Lets our registrar and this program find their speed; RSPLIB's has it from the start. */
async function warmUp(transport: Transport, work: AsapWork): Promise<void> {
  await using load = await open(transport, OURS, work, WARM_UP_USERS, WARM_UP_SECONDS);
  await measure(load);
}

/** Tries until a registrar is there. */
async function started(attempt: () => Promise<AsyncDisposable>): Promise<void> {
  for (const deadline = performance.now() + START_LIMIT_MS;;) {
    try {
      await using _load = await attempt();
      return;
    } catch (error) {
      if (!(error instanceof RunFailure) || performance.now() > deadline) throw error;
      await delay(TRY_AGAIN_MS);
    }
  }
}

interface Figures {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

function open(
  transport: Transport,
  { port }: Contestant,
  work: AsapWork,
  users: number,
  seconds: number,
): Promise<AsapLoad> {
  const words = [`-asap=${work}`, `-elements=${ELEMENTS}`];
  const { values } = parseOptions(benchOptions, words, () => undefined);
  const options = { ...values as BenchOptionValues, duration: seconds };
  const peer = { addresses: [ADDRESS], port }, { signal } = new AbortController();
  return AsapLoad.open({ transport, options, local: [ADDRESS], peer, emit: () => {}, signal }, work, users);
}

async function measure(load: AsapLoad): Promise<Figures> {
  const { answers, refused, seconds, histogram } = await load.run();
  if (refused > 0) throw new Error(`${refused} of ${answers} requests were refused`);
  const [p50, p99] = [50, 99].map((percent) => round(histogram.percentile(percent), 3));
  return { perSecond: answers / seconds, p50: p50!, p99: p99! };
}

/** What was reached in the better fifth of slices: a busy machine does not show there. */
function best(figures: readonly Figures[]): number {
  return quantile(figures.map(({ perSecond }) => perSecond).sort((a, b) => a - b), 0.8);
}

function tell(work: AsapWork, users: number, ours: readonly Figures[], rsplib: readonly Figures[]): void {
  const middle = (figures: readonly Figures[], key: keyof Figures) => median(figures.map((one) => one[key]));
  sayResult({
    name: "registrar",
    what: `${work}, ${users} ${users === 1 ? "user" : "users"}`,
    figures: {
      answersPerSecond: Math.round(middle(ours, "perSecond")),
      medianMs: middle(ours, "p50"),
      percentile99Ms: middle(ours, "p99"),
      rsplibAnswersPerSecond: Math.round(middle(rsplib, "perSecond")),
      rsplibMedianMs: middle(rsplib, "p50"),
      rsplibPercentile99Ms: middle(rsplib, "p99"),
      pairedRatio: round(median(ours.map(({ perSecond }, i) => perSecond / rsplib[i]!.perSecond)), 2),
      bestRatio: round(best(ours) / best(rsplib), 2),
    },
    target: {
      figure: "answersPerSecond",
      reference: "rspregistrar",
      referenceValue: Math.round(middle(rsplib, "perSecond")),
      factor: 1,
    },
  });
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
