/**
 * What `scripts/build` hands to the program that it packs into one file: where it comes from, and texts that a program of
 * many files would find beside itself. Its entry file calls {@linkcode setPacked} before anything else runs.
 */

import type { BuildFacts } from "./build_facts.ts";

/** The facts and texts of a packed program. */
export interface Packed {
  readonly facts: BuildFacts;
  /** The licences of all that is in the file. */
  readonly licences: string;
  /** Sources of the workers, by the names of their files. */
  readonly workers: Readonly<Record<string, string>>;
}

let own: Packed | undefined;
const addresses = new Map<string, string>();

/** Called once, by the entry file of a packed program. */
export function setPacked(packed: Packed): void {
  own = packed;
}

/** What this program was packed with; undefined when it runs from its sources. */
export function packed(): Packed | undefined {
  return own;
}

/**
 * Where a packed program has the source of a worker.
 *
 * @param name of its file, such as `fractal_worker.ts`
 * @returns undefined when it lies beside the module that starts it, as it does among the sources
 */
export function workerAddress(name: string): string | undefined {
  const source = own?.workers[name];
  if (source === undefined) return undefined;
  let address = addresses.get(name);
  if (address === undefined) {
    address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    addresses.set(name, address);
  }
  return address;
}
