/** Computes fractal points beside the thread that serves the network. Started by `compute_pool.ts`. */
import { computePoints } from "../../protocol/app/fractal/compute.ts";
import type { ComputeJob } from "../../protocol/app/fractal/server.ts";

/** What this module uses of a worker's global scope; the main program is checked against another one. */
declare const self: {
  onmessage: (event: { readonly data: ComputeJob }) => void;
  postMessage(message: ComputeAnswer, transfer?: ArrayBuffer[]): void;
};

/** The answer to a job: its points, or why there are none. */
export type ComputeAnswer =
  | { readonly job: number; readonly values: Uint32Array<ArrayBuffer> }
  | { readonly job: number; readonly fault: string };

self.onmessage = ({ data: { job, parameter, first, count } }) => {
  try {
    const values = new Uint32Array(count);
    computePoints(parameter, first, values);
    self.postMessage({ job, values }, [values.buffer]);
  } catch (error) { // no memory, most likely: the next job may be luckier
    self.postMessage({ job, fault: error instanceof Error ? error.message : String(error) });
  }
};
