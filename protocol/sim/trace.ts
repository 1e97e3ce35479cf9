import type { Instant } from "../net.ts";

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);

/**
 * A running digest of everything that happened, so that "same seed, same trace" is one comparison. Not
 * cryptographic: two 32-bit multiplicative hashes with different constants.
 *
 * @example The order counts
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const one = new Trace();
 * one.add(10, 1, 7);
 * one.add(20, 2, 7);
 * const other = new Trace();
 * other.add(20, 2, 7);
 * other.add(10, 1, 7);
 * assert.notEqual(one.digest(), other.digest());
 * ```
 */
export class Trace {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  #count = 0;

  /** How many happenings have been added. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds one happening.
   *
   * @param at when
   * @param kind what, as a small number
   * @param detail 32 bits that say more
   */
  add(at: Instant, kind: number, detail: number): void {
    doubles[0] = at;
    this.#mix(words[0]!);
    this.#mix(words[1]!);
    this.#mix(kind);
    this.#mix(detail);
    this.#count++;
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ word, 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
  }
}
