/** Work packages through the scripting service, against what the transport alone carries. */
import { median, type Result, round, type Settings } from "./result.ts";

/** Octets of what goes there and comes back. */
const PACKAGE_BYTES = 200 * 2 ** 20;

/** The goal: so much of what the transport carries by itself. */
const GOAL = 0.8;

/** Octets of a full Upload or Download message, and how many of them a package is. */
const MESSAGE_BYTES = 16_388, MESSAGES = PACKAGE_BYTES / 16_384;

/** Loopback, and ports that are nobody's. */
const ADDRESS = "127.0.0.1", ASAP_PORT = 38_632, ENRP_PORT = 39_012, BENCH_PORT = 39_013;

const TRANSPORT = ["-transport=embedded", "-encapsulation=udp"];
const COMMON = [...TRANSPORT, "-asapannounce=off"];

/** What one job tells. */
interface JobFigures {
  readonly uploadMegabytesPerSecond: number;
  readonly downloadMegabytesPerSecond: number;
  /** The most memory that the client has taken. */
  readonly clientMegabytes: number;
}

/** A package of 200 MiB there and back, in alternation with as many octets by `rsp bench`. */
export async function scripting(
  { rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const registrar = start([
    ...["registrar", ...TRANSPORT, "-loglevel=1"],
    ...[`-asap=${ADDRESS}:${ASAP_PORT}`, `-enrp=${ADDRESS}:${ENRP_PORT}`],
    ...["-asapannounce=off", "-enrpannounce=off", "-mentordiscoverytimeout=1000"],
  ]);
  const server = start([
    ...["server", "-scripting", "-ssmaxthreads=1", "-loglevel=1", `-registrar=${ADDRESS}:${ASAP_PORT}`],
    ...COMMON,
  ]);
  try {
    const small = await pack(folder, "small", 1024), large = await pack(folder, "large", PACKAGE_BYTES);
    const before = await runJob(folder, small);
    const serverBefore = peakMegabytes(server.pid);
    const jobs: JobFigures[] = [], alone: number[] = [];
    for (let n = 0; n < rounds; n++) {
      alone.push(await runBench());
      jobs.push(await runJob(folder, large));
    }
    const memory = {
      clientMegabytes: Math.max(...jobs.map(({ clientMegabytes }) => clientMegabytes)),
      clientMegabytesSmall: before.clientMegabytes,
      serverMegabytes: peakMegabytes(server.pid),
      serverMegabytesSmall: serverBefore,
    };
    for (const direction of ["upload", "download"] as const) {
      const rates = jobs.map((job) => job[`${direction}MegabytesPerSecond`]);
      emit({
        name: "scripting",
        what: `${direction} of 200 MiB`,
        figures: { megabytesPerSecond: round(median(rates), 1), ...memory },
        target: {
          figure: "megabytesPerSecond",
          reference: "rsp bench",
          referenceValue: median(alone),
          factor: GOAL,
        },
      });
    }
  } finally {
    for (const program of [server, registrar]) {
      program.kill("SIGTERM");
      await program.status;
    }
    await Deno.remove(folder, { recursive: true });
  }
}

/** Megabytes a second that the transport carries by itself, between two programs, too. */
async function runBench(): Promise<number> {
  const line = ["bench", ...TRANSPORT, "-json"];
  const sink = start([...line, "-listen", "-once", `-port=${BENCH_PORT}`], "piped");
  const ready = sink.stdout.pipeThrough(new TextDecoderStream()).getReader();
  await ready.read(); // it listens
  const size = [`-size=${MESSAGE_BYTES}`, `-count=${MESSAGES}`];
  const source = start([...line, ...size, `${ADDRESS}:${BENCH_PORT}`], "piped");
  const lines = await new Response(source.stdout).text();
  for (let part = await ready.read(); !part.done;) part = await ready.read();
  await Promise.all([sink.status, source.status]);
  const result = lines.split("\n").find((text) => text.includes('"result"')) ?? "{}";
  return JSON.parse(result).megabytesPerSecond;
}

/** A work package whose result is a part of it. */
async function pack(folder: string, name: string, octets: number): Promise<string> {
  const source = `${folder}/${name}`;
  await Deno.mkdir(source);
  await Deno.writeTextFile(`${source}/ssrun`, '#!/bin/sh\nmv data "$1"\n');
  await Deno.writeFile(`${source}/data`, new Uint8Array(octets).fill(0x5a));
  const path = `${source}.tar`;
  const tar = await new Deno.Command("tar", { args: ["cf", path, "-C", source, "ssrun", "data"] }).output();
  if (!tar.success) throw new Error(new TextDecoder().decode(tar.stderr));
  await Deno.remove(source, { recursive: true });
  return path;
}

async function runJob(folder: string, input: string): Promise<JobFigures> {
  const client = start(
    [
      ...["scriptingclient", `-input=${input}`, `-output=${folder}/result`, "-json", "-timeout=300"],
      ...[`-registrar=${ADDRESS}:${ASAP_PORT}`, "-retrydelay=200", ...COMMON],
    ],
    "piped",
  );
  let clientMegabytes = 0;
  const watch = setInterval(() => clientMegabytes = Math.max(clientMegabytes, peakMegabytes(client.pid)), 50);
  try {
    const lines = await new Response(client.stdout).text();
    const done = lines.split("\n").find((line) => line.includes('"jobDone"')) ?? "{}";
    const { outcome, uploadedBytes, uploadMs, downloadedBytes, downloadMs } = JSON.parse(done);
    if (outcome !== "succeeded") throw new Error(`The job was not done:\n${lines}`);
    return {
      uploadMegabytesPerSecond: uploadedBytes / uploadMs / 1000,
      downloadMegabytesPerSecond: downloadedBytes / downloadMs / 1000,
      clientMegabytes,
    };
  } finally {
    clearInterval(watch);
    await client.status;
  }
}

function start(args: readonly string[], stdout: "null" | "piped" = "null"): Deno.ChildProcess {
  const main = new URL("../../cmd/main.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", main, ...args],
    stdin: "null",
    stdout,
    stderr: "inherit",
  }).spawn();
}

/** The most memory that a process has taken, as the kernel sees it; 0 = it has ended. */
function peakMegabytes(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Math.round(Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
