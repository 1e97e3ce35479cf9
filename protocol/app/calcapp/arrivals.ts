import type { Prng } from "../../machine.ts";

/** How jobs come about: as RSPLIB's client makes them, each figure negative-exponentially distributed. */
export interface ArrivalOptions {
  /** Mean time between two jobs, in milliseconds. */
  readonly meanIntervalMs: number;
  /** Mean size of a job, in calculations. */
  readonly meanJobSize: number;
  /** How many jobs there are in all; undefined = no end. */
  readonly jobs?: number | undefined;
}

/** A job that somebody wants to have done. */
export interface Arrival {
  /** Calculations, at least 1. */
  readonly jobSize: number;
  /** Time until the next job comes, in milliseconds. */
  readonly intervalMs: number;
}

/** Makes up the next job. */
export function nextArrival({ meanIntervalMs, meanJobSize }: ArrivalOptions, prng: Prng): Arrival {
  return {
    jobSize: Math.max(1, Math.round(negativeExponential(meanJobSize, prng))),
    intervalMs: negativeExponential(meanIntervalMs, prng),
  };
}

/** A random number that is distributed so, with this mean. */
function negativeExponential(mean: number, prng: Prng): number {
  return -mean * Math.log(1 - prng.uniform());
}
