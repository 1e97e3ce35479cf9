/**
 * The guest's half of the kernel benchmark: C and the kernel transport take turns, since the host's load changes from
 * second to second; then the other tools have one run each.
 *
 * @module
 */
import type { EndpointOptions } from "../../protocol/net.ts";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { flood } from "./flood.ts";
import { sayResult } from "./in_guest.ts";
import { Peer } from "./other_process.ts";
import { delay, median, round } from "./result.ts";

/** What to measure, given as JSON in the only argument. */
export interface KernelGuestTask {
  /** The compiled C program. */
  readonly program: string;
  readonly sizes: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
}

/** The same on both sides. */
const BUFFER = 1 << 20;
const C_PORT = 7001, NETPERFMETER_PORT = 9000;
/** What goes first pays for the compiler, and for heaps that find their sizes: page faults are dear in this guest. */
const FIRST_WARM_UP_MS = 4000, WARM_UP_MS = 1500;

/**
 * As the C program. A second of time-out for each discarded chunk would make the figures those of luck: the kernel's
 * receiver discards what overruns its buffer, on either side of the comparison.
 */
const OPTIONS: EndpointOptions = {
  addresses: ["127.0.0.1"],
  rto: { initialMs: 1000, minMs: 100, maxMs: 60_000 },
};

async function main({ program, sizes, seconds, rounds }: KernelGuestTask): Promise<void> {
  const receiver = new LineProcess(program, "receive", `${C_PORT}`, `${BUFFER}`);
  await receiver.line(); // ready
  const peer = new Peer({ transport: "kernel", echo: false, options: OPTIONS });
  const port = (await peer.next("ready")).ports[0]!;
  const transport = openKernelTransport();
  const measureC = async (size: number): Promise<number> => {
    await output(program, "send", "127.0.0.1", `${C_PORT}`, `${size}`, `${seconds}`, `${BUFFER}`);
    const [messages = 0, , time = 0] = (await receiver.line()).split(" ").map(Number);
    return messages / time;
  };
  const measureOwn = async (size: number, ms: number): Promise<number> => {
    await flood(transport, port, ms, size, OPTIONS);
    const received = await peer.next("received");
    return received.messages / received.ms * 1000;
  };
  for (const size of sizes) await measureOwn(size, FIRST_WARM_UP_MS);
  for (const size of sizes) {
    await measureOwn(size, WARM_UP_MS);
    const own: number[] = [], c: number[] = [];
    for (let i = 0; i < rounds; i++) {
      c.push(await measureC(size));
      own.push(await measureOwn(size, seconds * 1000));
    }
    tell(size, own, c);
  }
  await transport.close();
  await peer.close();
  receiver.kill();
  for (const size of sizes) await otherTools(size, seconds);
}

function tell(size: number, own: readonly number[], c: readonly number[]): void {
  const messagesPerSecond = median(own), referenceValue = median(c);
  sayResult({
    name: "kernel",
    what: `rsp, ${size} octets`,
    figures: {
      messagesPerSecond: Math.round(messagesPerSecond),
      megabytesPerSecond: round(messagesPerSecond * size / 1e6, 2),
      cMessagesPerSecond: Math.round(referenceValue),
      cMegabytesPerSecond: round(referenceValue * size / 1e6, 2),
      bestRatio: round(Math.max(...own) / Math.max(...c), 2),
    },
    target: { figure: "messagesPerSecond", reference: "C", referenceValue, factor: 0.9 },
  });
}

async function otherTools(size: number, seconds: number): Promise<void> {
  for (const [name, measure] of [["iperf3 --sctp", iperf3], ["netperfmeter", netperfmeter]] as const) {
    if (name === "netperfmeter" && size > 65_000) continue;
    const octetsPerSecond = await measure(size, seconds).catch(() => undefined);
    if (octetsPerSecond === undefined) {
      Deno.stderr.writeSync(new TextEncoder().encode(`${name}, ${size} octets: no result\n`));
      continue;
    }
    sayResult({
      name: "kernel",
      what: `${name}, ${size} octets, its own settings`,
      figures: {
        messagesPerSecond: Math.round(octetsPerSecond / size),
        megabytesPerSecond: round(octetsPerSecond / 1e6, 2),
      },
    });
  }
}

async function iperf3(size: number, seconds: number): Promise<number> {
  const server = new LineProcess("iperf3", "-s", "-1");
  await delay(500); // it does not say when it listens
  try {
    const text = await output(
      "iperf3",
      "-c",
      "127.0.0.1",
      "--sctp",
      "-l",
      `${size}`,
      "-t",
      `${seconds}`,
      "-J",
    );
    return JSON.parse(text).end.sum_received.bits_per_second / 8;
  } finally {
    server.kill();
  }
}

async function netperfmeter(size: number, seconds: number): Promise<number> {
  const folder = await Deno.makeTempDir();
  const server = new LineProcess("netperfmeter", `${NETPERFMETER_PORT}`);
  await delay(500);
  try {
    const flow = `const0:const${size}:const0:const0`;
    const where = [`127.0.0.1:${NETPERFMETER_PORT}`, "-control-over-tcp"];
    await output("netperfmeter", ...where, `-runtime=${seconds}`, `-scalar=${folder}/run.sca`, "-sctp", flow);
    const text = await Deno.readTextFile(`${folder}/run-passive.sca`);
    return Number(/flow\[0\]"\s+"Received Byte Rate"\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN);
  } finally {
    server.kill();
  }
}

/** A process whose lines are read one by one. */
class LineProcess {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, ...words: string[]) {
    this.#process = new Deno.Command(program, { args: words, stdout: "piped", stderr: "null" }).spawn();
    this.#lines = lines(this.#process.stdout);
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the C receiver has ended");
    return value;
  }

  kill(): void {
    try {
      this.#process.kill("SIGTERM");
    } catch { // it has ended by itself
    }
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
}

async function output(program: string, ...words: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: words }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0); // servers of the tools may still read
}
