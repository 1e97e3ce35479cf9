import type { Prng } from "../machine.ts";

/** First pause before a pool user leaves for another element after one that was useless, in milliseconds. */
const FIRST_PAUSE_MS = 100;

/** Longest of these pauses, in milliseconds; each is twice as long as the last one. */
const LONGEST_PAUSE_MS = 3200;

/** Pauses vary by this fraction, so that users of a pool that is ill do not come back at the same instant. */
const JITTER = 0.125;

/**
 * What an element was to its user: it did what it is for, it spoke and did not do that, or it said nothing at all.
 */
export type ElementService = "served" | "useless" | "silent";

/**
 * How long a pool user waits before a failover: not at all after an element that served it, and the longer the more elements
 * in a row were useless. After silent ones the session layer waits by itself; that an element speaks and does not
 * serve only the application can tell.
 *
 * @example
 * ```ts
 * import { Prng } from "../machine.ts";
 * import assert from "node:assert/strict";
 *
 * const pause = new FailoverPause(new Prng(1));
 * assert.equal(pause.next("served"), 0);
 * assert.ok(pause.next("useless") < pause.next("useless"));
 * assert.equal(pause.next("silent"), 0);
 * ```
 */
export class FailoverPause {
  readonly #prng: Prng;
  #useless = 0;

  /** @param prng for the jitter */
  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** The pause before the next failover, in milliseconds. */
  next(service: ElementService): number {
    if (service === "served") this.#useless = 0;
    if (service !== "useless") return 0;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#useless, LONGEST_PAUSE_MS);
    this.#useless++;
    return Math.round(pauseMs * (1 + JITTER * (2 * this.#prng.uniform() - 1)));
  }
}
