/** Workers that compute fractal points, so that the thread that serves SCTP answers in time. */
import type { ComputeJob } from "../../protocol/app/fractal/server_types.ts";
import { workerAddress } from "../packed.ts";
import type { ComputeAnswer, ComputeOrder } from "./fractal_worker.ts";

/** What a pool tells. */
export interface ComputePoolHandlers {
  /** The values are borrowed: later points go into the same memory. */
  readonly onComputed: (job: number, values: Uint32Array) => void;
  /** The job is lost; the pool goes on. */
  readonly onFailed: (job: number, reason: string) => void;
}

interface Member {
  readonly worker: Worker;
  job: number | undefined;
  /** Memory of points that nobody needs any more. It goes to and fro, since fresh memory costs as much as the points. */
  spare: ArrayBuffer | undefined;
}

/**
 * Computes jobs in the order they come, each in one of a few workers. A worker is started when there is more to do than
 * the present ones can take; one that cannot run is replaced with the next job.
 */
export class ComputePool implements Disposable {
  readonly #size: number;
  readonly #handlers: ComputePoolHandlers;
  readonly #members: Member[] = [];
  #queue: ComputeJob[] = [];
  #closed = false;

  /** @param size most workers, at least 1 */
  constructor(size: number, handlers: ComputePoolHandlers) {
    this.#size = size;
    this.#handlers = handlers;
  }

  /** Workers that run now. */
  get workerCount(): number {
    return this.#members.length;
  }

  /** Jobs that wait for a worker. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Has a job computed; the answer comes to a handler, never within this call. */
  submit(job: ComputeJob): void {
    if (this.#closed) return;
    this.#queue.push(job);
    this.#dispatch();
  }

  /** The job is no longer wanted. One that is being computed already is still answered. */
  cancel(job: number): void {
    this.#queue = this.#queue.filter((waiting) => waiting.job !== job);
  }

  /** Stops all workers. No handler is called from now on. Idempotent. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#queue = [];
    for (const { worker } of this.#members) worker.terminate();
    this.#members.length = 0;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      let member = this.#members.find(({ job }) => job === undefined);
      if (member === undefined) {
        if (this.#members.length >= this.#size) return;
        member = this.#start();
      }
      give(member, this.#queue.shift()!);
    }
  }

  #start(): Member {
    const address = workerAddress("fractal_worker.ts") ?? new URL("./fractal_worker.ts", import.meta.url);
    const worker = new Worker(address, { type: "module" });
    const member: Member = { worker, job: undefined, spare: undefined };
    worker.onmessage = ({ data }: MessageEvent<ComputeAnswer>) => {
      member.job = undefined;
      if (this.#closed) return;
      if ("values" in data) {
        this.#handlers.onComputed(data.job, data.values);
        member.spare = data.values.buffer;
      } else {
        this.#handlers.onFailed(data.job, data.fault);
      }
      this.#dispatch();
    };
    worker.onerror = (event) => {
      event.preventDefault(); // else it would end the process
      this.#failed(member, event.message);
    };
    worker.onmessageerror = () => this.#failed(member, "its answer cannot be read");
    this.#members.push(member);
    return member;
  }

  #failed(member: Member, reason: string): void {
    if (this.#closed) return;
    member.worker.terminate();
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    if (member.job !== undefined) this.#handlers.onFailed(member.job, `the worker cannot run: ${reason}`);
    this.#dispatch();
  }
}

function give(member: Member, { job, parameter, first, count }: ComputeJob): void {
  const { worker, spare } = member;
  const order: ComputeOrder = { job, parameter, first, count, spare };
  member.job = job;
  member.spare = undefined;
  worker.postMessage(order, spare === undefined ? [] : [spare]);
}
