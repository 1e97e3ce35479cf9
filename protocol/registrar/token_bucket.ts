import type { Instant } from "../net.ts";

/**
 * How often something may happen: `burst` times at once, and `perSecond` times a second in the long run. It starts full.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: Instant | undefined;

  /**
   * @param perSecond how fast it fills
   * @param burst how much it holds, at least 1
   */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token out. @returns false when there is none */
  take(now: Instant): boolean {
    const elapsedMs = now - (this.#filledAt ?? now);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perSecond / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
