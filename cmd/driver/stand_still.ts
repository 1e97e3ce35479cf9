/** Notes that this process stood still. */
import type { Instant } from "../../protocol/net.ts";

/** A look that comes so much too late says that it did: it was stopped (Ctrl+Z), swapped out, or its host was busy. */
const STOOD_STILL_MS = 500;

/**
 * For who looks at regular times whether others are silent. What they sent meanwhile waits to be read; who stood still
 * himself should read it first, and judge at the next look.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const still = new StandStill(1000, 0);
 * assert.equal(still.look(1010), false);
 * assert.equal(still.look(60_000), true);
 * assert.equal(still.look(61_000), false);
 * ```
 */
export class StandStill {
  readonly #intervalMs: number;
  #lookedAt: Instant;

  /** @param intervalMs time between two looks */
  constructor(intervalMs: number, now: Instant) {
    this.#intervalMs = intervalMs;
    this.#lookedAt = now;
  }

  /** Whether the process stood still before this look. */
  look(now: Instant): boolean {
    const lateMs = now - this.#lookedAt - this.#intervalMs;
    this.#lookedAt = now;
    return lateMs > STOOD_STILL_MS;
  }
}
