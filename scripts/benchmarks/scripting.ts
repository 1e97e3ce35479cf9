/** Work packages through the scripting service, against what the transport alone carries. */
import { Program } from "./program.ts";
import type { Usage } from "./program.ts";
import { median, type Result, round, type Settings } from "./result.ts";

/** Octets of what goes there and comes back. */
const PACKAGE_BYTES = 200 * 2 ** 20;

/** As much again and again: memory must not follow. */
const LARGE_BYTES = 1024 * 2 ** 20;

/** The goal: so much of what the transport carries by itself. */
const GOAL = 0.8;

/** The goal of memory: that of the small package is at least this part of that of the large one. */
const FLAT = 0.7;

/** Octets of a full Upload or Download message, and how many of them a package is. */
const MESSAGE_BYTES = 16_388, MESSAGES = PACKAGE_BYTES / 16_384;

/** Loopback, and ports that are nobody's. */
const ADDRESS = "127.0.0.1", ASAP_PORT = 38_632, ENRP_PORT = 39_012, BENCH_PORT = 39_013;

const TRANSPORT = ["-transport=embedded", "-encapsulation=udp"];
const COMMON = [...TRANSPORT, "-asapannounce=off"];

/** One way of so many octets. */
interface Way {
  readonly megabytesPerSecond: number;
  /** Processor time of each side, in milliseconds for a MiB. */
  readonly senderCpu: number;
  readonly receiverCpu: number;
}

/** What one job tells. */
interface JobFigures {
  readonly upload: Way;
  readonly download: Way;
  /** The most memory that the client has taken. */
  readonly clientMegabytes: number;
}

/** A package of 200 MiB there and back, between as many octets by `rsp bench` each time; then one of 1 GiB. */
export async function scripting(
  { rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const registrar = new Program([
    ...["registrar", ...TRANSPORT, "-loglevel=1"],
    ...[`-asap=${ADDRESS}:${ASAP_PORT}`, `-enrp=${ADDRESS}:${ENRP_PORT}`],
    ...["-asapannounce=off", "-enrpannounce=off", "-mentordiscoverytimeout=1000"],
  ], false);
  const server = new Program([
    ...["server", "-scripting", "-ssmaxthreads=1", "-loglevel=1", `-registrar=${ADDRESS}:${ASAP_PORT}`],
    ...COMMON,
  ], false);
  try {
    await measure(folder, server, rounds, emit);
  } finally {
    for (const program of [server, registrar]) await program.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(
  folder: string,
  server: Program,
  rounds: number,
  emit: (result: Result) => void,
): Promise<void> {
  await runJob(server, await pack(folder, 1024)); // the first job finds everything cold
  const input = await pack(folder, PACKAGE_BYTES);
  const jobs: JobFigures[] = [], alone: Way[] = [await runBench()];
  for (let n = 0; n < rounds; n++) {
    jobs.push(await runJob(server, input));
    alone.push(await runBench());
  }
  emit({ name: "scripting", what: "200 MiB by rsp bench", figures: { ...middle(alone) } });
  for (const direction of ["upload", "download"] as const) {
    const ways = jobs.map((job) => job[direction]);
    emit({
      name: "scripting",
      what: `${direction} of 200 MiB`,
      figures: { ...middle(ways), ofBench: round(median(ways.map((way, n) => ofBench(way, alone, n))), 2) },
      target: { figure: "ofBench", reference: "rsp bench around it", referenceValue: 1, factor: GOAL },
    });
  }
  const before = memoryOf(jobs, server);
  emitMemory(before, memoryOf([await runJob(server, await pack(folder, LARGE_BYTES))], server), emit);
}

/** A way as a part of what the transport carried before and after it: a machine is not as fast in each second. */
function ofBench({ megabytesPerSecond }: Way, alone: readonly Way[], n: number): number {
  return 2 * megabytesPerSecond / (alone[n]!.megabytesPerSecond + alone[n + 1]!.megabytesPerSecond);
}

interface Memory {
  readonly client: number;
  readonly server: number;
}

function memoryOf(jobs: readonly JobFigures[], server: Program): Memory {
  const client = Math.max(...jobs.map(({ clientMegabytes }) => clientMegabytes));
  return { client, server: server.usage().peakMegabytes };
}

function emitMemory(small: Memory, large: Memory, emit: (result: Result) => void): void {
  for (const side of ["client", "server"] as const) {
    emit({
      name: "scripting",
      what: `memory of the ${side}, 200 MiB and 1 GiB`,
      figures: { megabytes: small[side], megabytesLarge: large[side] },
      target: {
        figure: "megabytes",
        reference: "that of 1 GiB",
        referenceValue: large[side],
        factor: FLAT,
      },
    });
  }
}

function middle(ways: readonly Way[]): Way {
  const of = (figure: keyof Way, digits: number) => round(median(ways.map((way) => way[figure])), digits);
  return {
    megabytesPerSecond: of("megabytesPerSecond", 1),
    senderCpu: of("senderCpu", 2),
    receiverCpu: of("receiverCpu", 2),
  };
}

/** What the transport carries by itself, between two programs, too. */
async function runBench(): Promise<Way> {
  const line = ["bench", ...TRANSPORT, "-json"];
  const sink = new Program([...line, "-listen", "-once", `-port=${BENCH_PORT}`], true);
  const listener = sink.lines();
  await listener.next(); // it listens
  const size = [`-size=${MESSAGE_BYTES}`, `-count=${MESSAGES}`];
  const source = new Program([...line, ...size, `${ADDRESS}:${BENCH_PORT}`], true);
  const before: [Usage, Usage][] = [];
  let megabytesPerSecond = Number.NaN;
  for await (const { type, megabytesPerSecond: rate } of source.lines()) {
    before.push([source.usage(), sink.usage()]); // the first line comes before the first octet
    if (type === "result") megabytesPerSecond = Number(rate);
  }
  for (let part = await listener.next(); part.done !== true;) part = await listener.next();
  const [senderCpu, receiverCpu] = cpuOf(before[0]!, before.at(-1)!, PACKAGE_BYTES);
  return { megabytesPerSecond, senderCpu, receiverCpu };
}

/** Processor time of two programs between two looks at them, in milliseconds for a MiB. */
function cpuOf(
  before: readonly [Usage, Usage],
  after: readonly [Usage, Usage],
  octets: number,
): [number, number] {
  const [one, other] = after.map(({ cpuMs }, side) => (cpuMs - before[side]!.cpuMs) / (octets / 2 ** 20));
  return [one!, other!];
}

/** A work package whose result is a part of it. */
async function pack(folder: string, octets: number): Promise<string> {
  const source = `${folder}/${octets}`;
  await Deno.mkdir(source);
  await Deno.writeTextFile(`${source}/ssrun`, '#!/bin/sh\nmv data "$1"\n');
  using data = await Deno.create(`${source}/data`);
  const block = new Uint8Array(Math.min(octets, 2 ** 20)).fill(0x5a);
  for (let at = 0; at < octets; at += block.length) await data.write(block);
  const path = `${source}.tar`;
  const tar = await new Deno.Command("tar", { args: ["cf", path, "-C", source, "ssrun", "data"] }).output();
  if (!tar.success) throw new Error(new TextDecoder().decode(tar.stderr));
  await Deno.remove(source, { recursive: true });
  return path;
}

async function runJob(server: Program, input: string): Promise<JobFigures> {
  const client = new Program([
    ...["scriptingclient", `-input=${input}`, `-output=${input}.result`, "-json", "-timeout=300"],
    ...[`-registrar=${ADDRESS}:${ASAP_PORT}`, "-retrydelay=200", ...COMMON],
  ], true);
  const looks = new Map<unknown, [Usage, Usage]>();
  let done: Readonly<Record<string, unknown>> = {};
  for await (const line of client.lines()) {
    looks.set(line["event"], [client.usage(), server.usage()]);
    if (line["event"] === "jobDone") done = line;
  }
  if (done["outcome"] !== "succeeded") throw new Error(`The job was not done: ${JSON.stringify(done)}`);
  const way = (octets: number, ms: number, from: string, to: string) => {
    const [clientCpu, serverCpu] = cpuOf(looks.get(from)!, looks.get(to)!, octets);
    return { megabytesPerSecond: octets / ms / 1000, clientCpu, serverCpu };
  };
  const up = way(Number(done["uploadedBytes"]), Number(done["uploadMs"]), "jobReady", "jobProcessing");
  const down = way(Number(done["downloadedBytes"]), Number(done["downloadMs"]), "jobExited", "jobDone");
  return {
    upload: {
      megabytesPerSecond: up.megabytesPerSecond,
      senderCpu: up.clientCpu,
      receiverCpu: up.serverCpu,
    },
    download: {
      megabytesPerSecond: down.megabytesPerSecond,
      senderCpu: down.serverCpu,
      receiverCpu: down.clientCpu,
    },
    clientMegabytes: client.usage().peakMegabytes,
  };
}
