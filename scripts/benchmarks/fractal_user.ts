/** A fractal pool user for benchmarks: no registrar, no picture; it takes points and counts them. */
import { readFractal, writeFractal } from "../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { Ppid } from "../../protocol/net.ts";
import type { Endpoint, IpAddress, Transport, TransportEvent } from "../../protocol/net.ts";
import { delay } from "./result.ts";

/** The image that the course sees first: RSPLIB's default one. */
const DEFAULT_IMAGE: FractalParameter = {
  type: "parameter",
  width: 800,
  height: 500,
  algorithm: 1,
  maxIterations: 1024,
  c1Real: -1.5,
  c1Imag: 1.5,
  c2Real: 1.5,
  c2Imag: -1.5,
  n: 2,
};

/** What is computed: each image has another bottleneck. */
export const WORKS: Readonly<Record<string, FractalParameter>> = {
  "default image": DEFAULT_IMAGE,
  // No point is inside the set, and most take hundreds of iterations: arithmetic alone.
  "a spiral": {
    ...DEFAULT_IMAGE,
    width: 400,
    height: 250,
    maxIterations: 2000,
    c1Real: 0.7430439,
    c1Imag: -0.1314509,
    c2Real: 0.7442439,
    c2Imag: -0.1322009,
  },
  "the cubic set": { ...DEFAULT_IMAGE, width: 200, height: 125, algorithm: 2, n: 3, maxIterations: 500 },
  // Each point is one multiplication: messages alone.
  "test pattern": { ...DEFAULT_IMAGE, width: 1000, height: 800, algorithm: 0 },
};

/** Where a server is. */
export interface ServerAddress {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
}

/**
 * Has an image computed so many times at once, each in an association of its own.
 *
 * @returns milliseconds from the first request to the last end marker
 * @throws {Error} when an association cannot be set up, is lost, or brings another number of points
 */
export async function drawImages(
  transport: Transport,
  server: ServerAddress,
  parameter: FractalParameter,
  count: number,
): Promise<number> {
  const users = await Promise.all(
    Array.from({ length: count }, () => FractalUser.connect(transport, server)),
  );
  try {
    const startedAt = performance.now();
    await Promise.all(users.map((user) => user.draw(parameter)));
    return performance.now() - startedAt;
  } finally {
    await Promise.all(users.map((user) => user.close()));
  }
}

/** A server may take so long to start. */
const START_LIMIT_MS = 60_000;
const TRY_AGAIN_MS = 300;

/** Tries until a server computes. @throws {Error} when that takes too long */
export async function serverReady(transport: Transport, server: ServerAddress): Promise<void> {
  const image = { ...WORKS["test pattern"]!, width: 10, height: 10 };
  for (const deadline = performance.now() + START_LIMIT_MS;;) {
    try {
      await drawImages(transport, server, image, 1);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(TRY_AGAIN_MS);
    }
  }
}

class FractalUser {
  readonly #endpoint: Endpoint;
  readonly #connected = Promise.withResolvers<number>();
  readonly #ended = Promise.withResolvers<void>();
  #points = 0;

  constructor(transport: Transport) {
    this.#ended.promise.catch(() => {}); // told to whoever draws
    this.#endpoint = transport.open({}, (events) => events.forEach((event) => this.#handle(event)));
  }

  static async connect(transport: Transport, { addresses, port }: ServerAddress): Promise<FractalUser> {
    const user = new FractalUser(transport);
    user.#endpoint.execute({ type: "connect", request: 1, addresses, port });
    try {
      await user.#connected.promise;
    } catch (error) {
      await user.close();
      throw error;
    }
    return user;
  }

  async draw(parameter: FractalParameter): Promise<void> {
    const association = await this.#connected.promise;
    const data = writeFractal(parameter);
    this.#endpoint.execute({ type: "send", association, ppid: Ppid.fractalGenerator, data });
    await this.#ended.promise;
    const wanted = parameter.width * parameter.height;
    if (this.#points !== wanted) throw new Error(`${this.#points} points came, not ${wanted}`);
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  #handle(event: TransportEvent): void {
    if (event.type === "up") this.#connected.resolve(event.association);
    if (event.type === "down") {
      const error = new Error(`The association to the server ended: ${event.reason}`);
      this.#connected.reject(error);
      this.#ended.reject(error);
    }
    if (event.type !== "message" || event.ppid !== Ppid.fractalGenerator) return;
    const message = readFractal(event.data);
    if (message.type === "data") this.#points += message.values.length;
    if (message.type === "end") this.#ended.resolve();
  }
}

/** CPU time that a process has used, in milliseconds; its threads count. */
export function cpuTimeMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const [userTicks, systemTicks] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
  return (userTicks! + systemTicks!) * 10; // Linux counts to user space in ticks of 10 ms
}
