/** Computes fractal points beside the thread that serves the network. Started by `compute_pool.ts`. */
import { computePoints } from "../../protocol/app/fractal/compute.ts";
import type { ComputeJob } from "../../protocol/app/fractal/server_types.ts";

/** What this module uses of a worker's global scope; the main program is checked against another one. */
declare const self: {
  onmessage: (event: { readonly data: ComputeOrder }) => void;
  postMessage(message: ComputeAnswer, transfer?: ArrayBuffer[]): void;
};

/** A job, and memory for its points, of whatever length. */
export interface ComputeOrder extends ComputeJob {
  readonly spare: ArrayBuffer | undefined;
}

/** The answer to a job: its points, or why there are none. */
export type ComputeAnswer =
  | { readonly job: number; readonly values: Uint32Array<ArrayBuffer> }
  | { readonly job: number; readonly fault: string };

self.onmessage = ({ data: { job, parameter, first, count, spare } }) => {
  try {
    const values = spare !== undefined && spare.byteLength >= count * Uint32Array.BYTES_PER_ELEMENT
      ? new Uint32Array(spare, 0, count)
      : new Uint32Array(count);
    computePoints(parameter, first, values);
    self.postMessage({ job, values }, [values.buffer]);
  } catch (error) { // no memory, most likely: the next job may be luckier
    self.postMessage({ job, fault: error instanceof Error ? error.message : String(error) });
  }
};
