/**
 * The guest's half of the comparison of fractal servers. Both run all the time, on ports of their own, and take turns with
 * the same images. The guest has one CPU, which the user shares, and takes what the host does besides for work of its own:
 * what counts is points for a second of the server's CPU time, in the better fifth of slices.
 *
 * @module
 */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { Transport } from "../../protocol/net.ts";
import { cpuTimeMs, drawImages, type ServerAddress, serverReady, WORKS } from "./fractal_user.ts";
import { sayResult } from "./in_guest.ts";
import { median, quantile, round } from "./result.ts";

/** What to measure, given as JSON in the only argument. */
export interface FractalGuestTask {
  readonly rounds: number;
}

/** Not loopback: RSPLIB takes no element there. */
const ADDRESS = "10.98.0.1";
const REGISTRAR_PORT = 3863;
/** A round is cut into so many slices, for each server in turn: the machine is never quiet for long. */
const SLICES = 6;
/** Slices before it counts: the compiler has its work done then. */
const WARM_UP_SLICES = 8;
/** Clock ticks of 10 ms would show in less. */
const LEAST_CPU_MS = 100;

interface Contestant {
  readonly port: number;
  readonly pid: number;
}

async function main({ rounds }: FractalGuestTask): Promise<void> {
  await addAddress();
  const registrar = start(
    "rspregistrar",
    "-quiet",
    `-asap=${ADDRESS}:${REGISTRAR_PORT}`,
    "-enrpannounce=off",
  );
  const common = ["-fractal", "-fgpmaxthreads=8", `-registrar=${ADDRESS}:${REGISTRAR_PORT}`];
  const rsplib = start("rspserver", "-quiet", ...common, `-local=${ADDRESS}:4001`);
  const ours = start(
    ...[Deno.execPath(), ..."run --quiet --allow-all --no-check --cached-only".split(" ")],
    ...["cmd/main.ts", "server", "-loglevel=2", ...common, `-local=${ADDRESS}:4002`],
  );
  const transport = openKernelTransport();
  const contestants = { rsplib: { port: 4001, pid: rsplib.pid }, ours: { port: 4002, pid: ours.pid } };
  for (const contestant of Object.values(contestants)) await serverReady(transport, addressOf(contestant));
  for (const work of Object.keys(WORKS)) {
    const figures = { rsplib: [] as Figures[], ours: [] as Figures[] };
    for (let i = 0; i < WARM_UP_SLICES + rounds * SLICES; i++) {
      figures.rsplib.push(await measure(transport, contestants.rsplib, work));
      figures.ours.push(await measure(transport, contestants.ours, work));
    }
    tell(work, figures.ours.slice(WARM_UP_SLICES), figures.rsplib.slice(WARM_UP_SLICES));
  }
  await transport.close();
  for (const process of [ours, rsplib, registrar]) {
    process.kill("SIGINT");
    await process.status;
  }
}

function start(program: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "null", stdout: "null" }).spawn();
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

function addressOf({ port }: Contestant): ServerAddress {
  return { addresses: [ADDRESS], port };
}

interface Figures {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** Computes an image again and again until the clocks are fine enough. */
async function measure(transport: Transport, contestant: Contestant, work: string): Promise<Figures> {
  const image = WORKS[work]!, server = addressOf(contestant);
  const before = cpuTimeMs(contestant.pid);
  let points = 0, elapsedMs = 0, cpuMs = 0;
  do {
    elapsedMs += await drawImages(transport, server, image, 1);
    points += image.width * image.height;
    cpuMs = cpuTimeMs(contestant.pid) - before;
  } while (cpuMs < LEAST_CPU_MS);
  return { perSecond: 1000 * points / elapsedMs, perCpuSecond: 1000 * points / cpuMs };
}

function tell(work: string, ours: readonly Figures[], rsplib: readonly Figures[]): void {
  const middle = (figures: readonly Figures[], key: keyof Figures) =>
    Math.round(median(figures.map((one) => one[key])));
  const best = (figures: readonly Figures[]) =>
    Math.round(quantile(figures.map(({ perCpuSecond }) => perCpuSecond).sort((a, b) => a - b), 0.8));
  sayResult({
    name: "fractal",
    what: `${work}, kernel SCTP, one session`,
    figures: {
      pointsPerSecond: middle(ours, "perSecond"),
      pointsPerCpuSecond: best(ours),
      rsplibPointsPerSecond: middle(rsplib, "perSecond"),
      rsplibPointsPerCpuSecond: best(rsplib),
      elapsedRatio: round(median(ours.map(({ perSecond }, i) => perSecond / rsplib[i]!.perSecond)), 2),
    },
    target: {
      figure: "pointsPerCpuSecond",
      reference: "rspserver",
      referenceValue: best(rsplib),
      factor: 1,
    },
  });
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
