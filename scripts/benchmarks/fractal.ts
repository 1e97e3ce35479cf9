/** Fractal servers: ours against RSPLIB's in one boot of the kernel lab, and how ours gains by more processors. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { Transport } from "../../protocol/net.ts";
import type { FractalGuestTask } from "./fractal_guest.ts";
import { cpuTimeMs, drawImages, serverReady, WORKS } from "./fractal_user.ts";
import { ROOT, runInGuest } from "./in_guest.ts";
import { median, type Result, round, type Settings } from "./result.ts";

/** Boot, and the start of what is measured, in seconds. */
const BOOT_SECONDS = 120;
/** Of a pair of runs, with patience for a busy machine. */
const PAIR_SECONDS = 15;
/** Two processors cannot do more than twice as much, and the user wants its part. */
const SCALING_TARGET = 1.5;
const WARM_UP_ROUNDS = 2;

/** Points a second in the guest, and by Workers here. */
export async function fractal({ rounds }: Settings, emit: (result: Result) => void): Promise<void> {
  await workers(rounds, emit);
  const task: FractalGuestTask = { rounds };
  await runInGuest({
    script: "scripts/benchmarks/fractal_guest.ts",
    task,
    files: ["cmd/main.ts", "cmd/server/fractal_worker.ts"],
    timeoutSeconds: BOOT_SECONDS + Object.keys(WORKS).length * (rounds + 2) * PAIR_SECONDS,
  }, emit);
}

/** One session on one Worker and two on two, in turn, both servers over the embedded stack on loopback. */
async function workers(rounds: number, emit: (result: Result) => void): Promise<void> {
  const transport = openEmbeddedTransport({ raw: "off" });
  await using one = await WorkerServer.start(transport, 1);
  await using two = await WorkerServer.start(transport, 2);
  const figures = { one: [] as Figures[], two: [] as Figures[] };
  for (let i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
    figures.one.push(await one.measure());
    figures.two.push(await two.measure());
  }
  await transport.close();
  for (const list of Object.values(figures)) list.splice(0, WARM_UP_ROUNDS);
  const middle = (list: readonly Figures[], key: keyof Figures) => median(list.map((each) => each[key]));
  emit({
    name: "fractal",
    what: "a spiral, two Workers, embedded",
    figures: {
      pointsPerSecond: Math.round(middle(figures.two, "perSecond")),
      oneWorkerPointsPerSecond: Math.round(middle(figures.one, "perSecond")),
      processorsInUse: round(middle(figures.two, "processors"), 2),
      oneWorkerProcessorsInUse: round(middle(figures.one, "processors"), 2),
    },
    target: {
      figure: "pointsPerSecond",
      reference: "one Worker",
      referenceValue: Math.round(middle(figures.one, "perSecond")),
      factor: SCALING_TARGET,
    },
  });
}

interface Figures {
  readonly perSecond: number;
  /** CPU time of the server by time elapsed. */
  readonly processors: number;
}

/** A server that computes in so many Workers. */
class WorkerServer implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #workers: number;
  readonly #process: Deno.ChildProcess;

  constructor(transport: Transport, workers: number, process: Deno.ChildProcess) {
    this.#transport = transport;
    this.#workers = workers;
    this.#process = process;
  }

  static async start(transport: Transport, workers: number): Promise<WorkerServer> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ..."run --quiet --allow-all --no-check cmd/main.ts server -fractal -loglevel=1".split(" "),
        ...["-transport=embedded", "-encapsulation=udp", `-fgpmaxthreads=${workers}`],
        // Nobody is there, and nobody is needed: the user knows where the server is.
        ...["-registrar=127.0.0.1:1", "-asapannounce=off", `-local=127.0.0.1:${portOf(workers)}`],
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
    }).spawn();
    const server = new WorkerServer(transport, workers, process);
    await serverReady(transport, server.#address);
    return server;
  }

  get #address() {
    return { addresses: ["127.0.0.1"], port: portOf(this.#workers) };
  }

  async measure(): Promise<Figures> {
    const image = { ...WORKS["a spiral"]!, width: 800, height: 500 };
    const before = cpuTimeMs(this.#process.pid);
    const elapsedMs = await drawImages(this.#transport, this.#address, image, this.#workers);
    const cpuMs = cpuTimeMs(this.#process.pid) - before;
    const points = this.#workers * image.width * image.height;
    return { perSecond: 1000 * points / elapsedMs, processors: cpuMs / elapsedMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGINT");
    await this.#process.status;
  }
}

function portOf(workers: number): number {
  return 4010 + workers;
}
