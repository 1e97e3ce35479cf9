import type { WallTime } from "../driver/wall_time.ts";

/**
 * The mean of a number that changes now and then, weighted by the time for which it was what.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const peers = new TimeAverage(0);
 * peers.is(4, 1000); // until now it was 0
 * assert.equal(peers.until(4000), 3);
 * ```
 */
export class TimeAverage {
  readonly #startedAt: WallTime;
  #since: WallTime;
  #value = 0;
  #sum = 0;

  /** @param now when it begins, with 0 */
  constructor(now: WallTime) {
    this.#startedAt = this.#since = now;
  }

  /** From now on it is this. */
  is(value: number, now: WallTime): void {
    this.#sum += this.#value * (now - this.#since);
    this.#value = value;
    this.#since = now;
  }

  /** The mean from the beginning until now. */
  until(now: WallTime): number {
    const duration = now - this.#startedAt;
    return duration <= 0 ? this.#value : (this.#sum + this.#value * (now - this.#since)) / duration;
  }
}
