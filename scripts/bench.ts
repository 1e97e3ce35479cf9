/**
 * Benchmarks of the embedded transport between two processes on 127.0.0.1. Figures, not tests: they depend on the
 * machine and on what else it does.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type EmbeddedTransportOptions, openEmbeddedTransport } from "../cmd/driver/embedded_transport.ts";
import { sharedPoller } from "../ffi/poller.ts";
import type { AssociationId, Endpoint, Transport, TransportEvent } from "../protocol/net.ts";
import { type AsapMessage, readAsap, writeAsap } from "../protocol/asap/mod.ts";
import { PolicyType } from "../protocol/param/mod.ts";
import { type BenchPeerReport, type BenchPeerTask, memoryInUse } from "./bench_peer.ts";

const USAGE = `Usage: scripts/bench [options] [name…]

Benchmarks of the embedded SCTP transport between two processes on 127.0.0.1.

Names (default: all):
  throughput    messages and octets a second, one way
  latency       round-trip time of small messages
  setup         associations set up and shut down a second
  idle          wake-ups a second of a process with one idle association
  memory        growth over 10,000 associations set up and torn down
  codec         encoding and decoding of an ASAP Registration

Options:
  --seconds N         length of a throughput run (default 2)
  --carrier A,B       of udp and raw (default: both, where raw is allowed)
  --size A,B          octets of a message (default 64,1024,16384)
  --mtu A,B           octets of the longest packet (default 1500,65535)
  --associations N    of the setup and memory runs (default 2000 and 10000)
  --json              one JSON object a line
  --help
`;

/** One line of results. */
interface Result {
  readonly name: string;
  readonly carrier: string;
  readonly [figure: string]: string | number;
}

interface Settings {
  readonly seconds: number;
  readonly carriers: readonly ("udp" | "raw")[];
  readonly sizes: readonly number[];
  readonly mtus: readonly number[];
  readonly associations: number | undefined;
}

type Bench = (settings: Settings, emit: (result: Result) => void) => Promise<void>;

const BENCHES: Readonly<Record<string, Bench>> = { throughput, latency, setup, idle, memory, codec };

// ------------------------------------------------------------------------------------------------------- the benches

async function throughput(
  { seconds, carriers, sizes, mtus }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  for (const carrier of carriers) {
    for (const mtu of mtus) {
      for (const size of sizes) {
        const options = transportOptions(carrier, mtu);
        await withPeer({ transport: options, echo: false }, async (peer) => {
          const transport = openEmbeddedTransport(options);
          await flood(transport, peer.port, seconds * 1000, size);
          const { messages, octets, ms } = await peer.next("received");
          const retransmissions = transport.counters.retransmissions, { sendStalls } = transport;
          await transport.close();
          emit({
            name: "throughput",
            carrier,
            mtu,
            size,
            messagesPerSecond: Math.round(messages / ms * 1000),
            megabytesPerSecond: round(octets / ms / 1000, 1),
            retransmissions,
            sendStalls,
          });
        });
      }
    }
  }
}

/** Sends as fast as the transport takes messages, then shuts the association down. */
async function flood(transport: Transport, port: number, durationMs: number, size: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const data = new Uint8Array(size).fill(0x42);
  let blocked = false, over = false;
  const pump = (association: AssociationId) => {
    if (blocked || over) return;
    for (let i = 0; i < 256; i++) endpoint.execute({ type: "send", association, data, ppid: 0 });
    setImmediate(() => pump(association));
  };
  const endpoint: Endpoint = transport.open({ heartbeatIntervalMs: 0 }, (events) => {
    for (const event of events) {
      if (event.type === "up") {
        const { association } = event;
        setTimeout(() => {
          over = true;
          endpoint.execute({ type: "shutdown", association });
        }, durationMs);
        pump(association);
      } else if (event.type === "blocked") blocked = true;
      else if (event.type === "writable") {
        blocked = false;
        pump(event.association);
      } else if (event.type === "down") {
        if (event.reason === "shutdown") resolve();
        else reject(new Error(`association ended: ${event.reason}`));
      }
    }
  });
  connectTo(endpoint, port);
  await promise;
}

async function latency({ carriers }: Settings, emit: (result: Result) => void): Promise<void> {
  for (const carrier of carriers) {
    const options = transportOptions(carrier, 1500);
    await withPeer({ transport: options, echo: true }, async (peer) => {
      const transport = openEmbeddedTransport(options);
      const times = await roundTrips(transport, peer.port, 5000);
      await transport.close();
      times.sort((a, b) => a - b);
      emit({
        name: "latency",
        carrier,
        medianMicroseconds: round(times[times.length >> 1]! * 1000, 0),
        p99Microseconds: round(times[Math.floor(times.length * 0.99)]! * 1000, 0),
      });
    });
  }
}

async function roundTrips(transport: Transport, port: number, count: number): Promise<number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const data = new Uint8Array(64), times: number[] = [];
  let sentAt = 0;
  const next = (association: AssociationId) => {
    sentAt = performance.now();
    endpoint.execute({ type: "send", association, data, ppid: 0 });
  };
  const endpoint: Endpoint = transport.open({}, (events) => {
    for (const event of events) {
      if (event.type === "up") next(event.association);
      else if (event.type === "down") reject(new Error(`association ended: ${event.reason}`));
      else if (event.type === "message") {
        times.push(performance.now() - sentAt);
        if (times.length < count) next(event.association);
        else resolve(times);
      }
    }
  });
  connectTo(endpoint, port);
  return await promise;
}

async function setup(
  { carriers, associations = 2000 }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  for (const carrier of carriers) {
    const options = transportOptions(carrier, 1500);
    await withPeer({ transport: options, echo: false }, async (peer) => {
      const transport = openEmbeddedTransport(options);
      const churn = new Churn(transport, peer.port);
      await churn.run(200); // the first ones pay for the compiler
      const startedAt = performance.now();
      await churn.run(associations);
      const ms = performance.now() - startedAt;
      await transport.close();
      const times = churn.times.sort((a, b) => a - b);
      emit({
        name: "setup",
        carrier,
        associationsPerSecond: Math.round(associations / ms * 1000),
        setupMedianMs: round(times[times.length >> 1]!, 2),
        setupP95Ms: round(times[Math.floor(times.length * 0.95)]!, 2),
      });
    });
  }
}

async function memory(
  { carriers, associations = 10_000 }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const carrier = carriers[0]!;
  const options = transportOptions(carrier, 1500);
  await withPeer({ transport: options, echo: false }, async (peer) => {
    const transport = openEmbeddedTransport(options);
    const churn = new Churn(transport, peer.port);
    await churn.run(5000); // until heap and compiled code have found their sizes
    const clientBefore = memoryInUse(), serverBefore = await peer.memory();
    await churn.run(associations);
    const clientAfter = memoryInUse(), serverAfter = await peer.memory();
    await transport.close();
    emit({
      name: "memory",
      carrier,
      associations,
      clientHeapGrowthKiB: Math.round((clientAfter.heapBytes - clientBefore.heapBytes) / 1024),
      clientRssGrowthKiB: Math.round((clientAfter.rssBytes - clientBefore.rssBytes) / 1024),
      serverHeapGrowthKiB: Math.round((serverAfter.heapBytes - serverBefore.heapBytes) / 1024),
      serverRssGrowthKiB: Math.round((serverAfter.rssBytes - serverBefore.rssBytes) / 1024),
    });
  });
}

/** Sets associations up and shuts them down, one after the other. */
class Churn {
  /** How long each set-up of the last run took, in milliseconds. */
  readonly times: number[] = [];
  readonly #endpoint: Endpoint;
  readonly #port: number;
  #left = 0;
  #connectedAt = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(transport: Transport, port: number) {
    this.#port = port;
    this.#endpoint = transport.open({}, (events) => events.forEach((event) => this.#handle(event)));
  }

  async run(count: number): Promise<void> {
    this.times.length = 0;
    this.#left = count;
    this.#done = Promise.withResolvers();
    this.#next();
    await this.#done.promise;
  }

  #next(): void {
    if (this.#left-- === 0) return this.#done.resolve();
    this.#connectedAt = performance.now();
    connectTo(this.#endpoint, this.#port);
  }

  #handle(event: TransportEvent): void {
    if (event.type === "up") {
      this.times.push(performance.now() - this.#connectedAt);
      this.#endpoint.execute({ type: "shutdown", association: event.association });
    } else if (event.type === "down") {
      if (event.reason === "shutdown") this.#next();
      else this.#done.reject(new Error(`association ended: ${event.reason}`));
    }
  }
}

async function idle({ carriers, seconds }: Settings, emit: (result: Result) => void): Promise<void> {
  const carrier = carriers[0]!;
  const options = transportOptions(carrier, 1500);
  await withPeer({ transport: options, echo: false }, async (peer) => {
    const transport = openEmbeddedTransport(options);
    const up = Promise.withResolvers<void>();
    const endpoint = transport.open(
      {},
      (events) => events.some((event) => event.type === "up") && up.resolve(),
    );
    connectTo(endpoint, peer.port);
    await up.promise;
    await delay(500); // a delayed SACK or the first heartbeat is not idleness
    const durationMs = Math.max(3, seconds) * 1000;
    const parksBefore = sharedPoller().parkCount, switchesBefore = voluntarySwitches();
    await delay(durationMs);
    const parks = sharedPoller().parkCount - parksBefore, switches = voluntarySwitches() - switchesBefore;
    await transport.close();
    emit({
      name: "idle",
      carrier,
      parkedCallsPerSecond: round(parks / durationMs * 1000, 2),
      threadWakeUpsPerSecond: round(switches / durationMs * 1000, 2),
    });
  });
}

/** How often any thread of this process has gone to sleep. */
function voluntarySwitches(): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const status = Deno.readTextFileSync(`/proc/self/task/${name}/status`);
    sum += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return sum;
}

/** A Registration as a pool element of the fractal pool sends it, with two addresses. */
const REGISTRATION: AsapMessage = {
  type: "registration",
  poolHandle: new TextEncoder().encode("FractalGeneratorPool"),
  element: {
    elementId: 0x12345678,
    homeRegistrarId: 0,
    registrationLifeMs: 300_000,
    userTransport: {
      protocol: "sctp",
      port: 1234,
      use: "data+control",
      addresses: ["10.1.0.1", "fd01::1"],
    },
    policy: { name: "RoundRobin", type: PolicyType.RoundRobin },
  },
};

/** The median of many short rounds: what else the machine does shows in few of them. */
function codec(_settings: Settings, emit: (result: Result) => void): Promise<void> {
  const octets = writeAsap(REGISTRATION), rounds = 41, calls = 10_000;
  const medianMicroseconds = (call: () => unknown): number => {
    const times = Array.from({ length: rounds }, () => {
      const startedAt = performance.now();
      for (let i = 0; i < calls; i++) call();
      return (performance.now() - startedAt) / calls * 1000;
    });
    return round(times.toSorted((a, b) => a - b)[rounds >> 1]!, 2);
  };
  emit({
    name: "codec",
    carrier: "registration",
    octets: octets.length,
    encodeMicroseconds: medianMicroseconds(() => writeAsap(REGISTRATION)),
    decodeMicroseconds: medianMicroseconds(() => readAsap(octets)),
  });
  return Promise.resolve();
}

// ---------------------------------------------------------------------------------------------------------- plumbing

/** The other process. */
class Peer {
  /** Its SCTP port, as soon as it is ready. */
  port = 0;
  readonly #process: Deno.ChildProcess;
  readonly #reports: BenchPeerReport[] = [];
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();
  #ended = false;

  constructor(task: BenchPeerTask) {
    const script = new URL("./bench_peer.ts", import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-all",
        "--v8-flags=--expose-gc",
        script,
        JSON.stringify(task),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#read();
  }

  /** Waits for the next line of a type. */
  async next<Type extends BenchPeerReport["type"]>(
    type: Type,
  ): Promise<Extract<BenchPeerReport, { type: Type }>> {
    for (;;) {
      const index = this.#reports.findIndex((one) => one.type === type);
      if (index >= 0) return this.#reports.splice(index, 1)[0] as Extract<BenchPeerReport, { type: Type }>;
      if (this.#ended) throw new Error("The other process has ended");
      await this.#arrived.promise;
    }
  }

  async memory(): Promise<{ readonly heapBytes: number; readonly rssBytes: number }> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new Uint8Array([10]));
    writer.releaseLock();
    return await this.next("memory");
  }

  async close(): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#reports.push(JSON.parse(line));
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }
}

async function withPeer(task: BenchPeerTask, run: (peer: Peer) => Promise<void>): Promise<void> {
  const peer = new Peer(task);
  peer.port = (await peer.next("ready")).port;
  await run(peer);
  await peer.close();
}

function connectTo(endpoint: Endpoint, port: number): void {
  endpoint.execute({ type: "connect", request: 1, addresses: ["127.0.0.1"], port });
}

function transportOptions(carrier: "udp" | "raw", mtu: number): EmbeddedTransportOptions {
  return { raw: carrier === "raw" ? "on" : "off", maxMtu: mtu };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function showPlainly({ name, carrier, ...figures }: Result): string {
  const text = Object.entries(figures).map(([key, value]) => `${key} ${value.toLocaleString("en")}`).join(
    ", ",
  );
  return `${name} ${carrier}: ${text}`;
}

function numbers(text: string): number[] {
  return text.split(",").map(Number);
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "2" },
      carrier: { type: "string" },
      size: { type: "string", default: "64,1024,16384" },
      mtu: { type: "string", default: "1500,65535" },
      associations: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const write = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const unknown = positionals.find((name) => !(name in BENCHES));
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) write(`There is no benchmark "${unknown}".`);
    write(USAGE);
    return unknown === undefined ? 0 : 2;
  }
  const rawAllowed = openEmbeddedTransport().description.includes("IP and UDP");
  const settings: Settings = {
    seconds: Number(values.seconds),
    carriers: (values.carrier?.split(",") ?? (rawAllowed ? ["udp", "raw"] : ["udp"])) as ("udp" | "raw")[],
    sizes: numbers(values.size),
    mtus: numbers(values.mtu),
    associations: values.associations === undefined ? undefined : Number(values.associations),
  };
  for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
    await BENCHES[name]!(
      settings,
      (result) => write(values.json ? JSON.stringify(result) : showPlainly(result)),
    );
  }
  return 0;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
