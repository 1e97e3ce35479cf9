/** The other process of a benchmark, seen from this one. */
import type { BenchPeerReport, BenchPeerTask } from "./peer_process.ts";

/** How to start the other process. */
export interface PeerOptions {
  /** Default: `peer_process.ts`. */
  readonly script?: string;
  /** Words before the command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** The other process. */
export class Peer {
  /** Its SCTP ports, as soon as it is ready. */
  ports: readonly number[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reports: BenchPeerReport[] = [];
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();
  #ended = false;

  /** @param script of another process that speaks its language */
  constructor(task: BenchPeerTask, { script = "peer_process.ts", prefix = [] }: PeerOptions = {}) {
    const path = new URL(`./${script}`, import.meta.url).pathname;
    const words = [
      ...[...prefix, Deno.execPath()],
      ...["run", "--quiet", "--allow-all", "--no-check", "--v8-flags=--expose-gc"],
      ...[path, JSON.stringify(task)],
    ];
    this.#process = new Deno.Command(words[0]!, {
      args: words.slice(1),
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

  /** Memory in use after a collection. */
  async memory(): Promise<{ readonly heapBytes: number; readonly rssBytes: number }> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new Uint8Array([10]));
    writer.releaseLock();
    return await this.next("memory");
  }

  /** Ends it. */
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

/** Runs something against another process. */
export async function withPeer(
  task: BenchPeerTask,
  run: (peer: Peer) => Promise<void>,
  options: PeerOptions = {},
): Promise<void> {
  const peer = new Peer(task, options);
  peer.ports = (await peer.next("ready")).ports;
  try {
    await run(peer);
  } finally {
    await peer.close();
  }
}
