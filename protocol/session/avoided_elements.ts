import type { Instant } from "../net.ts";

/** Elements that are remembered; the oldest is forgotten first. More than one resolution ever names. */
export const MAX_AVOIDED_ELEMENTS = 256;

interface Avoided {
  readonly until: Instant;
  /** For how long it was avoided the last time. */
  readonly waitMs: number;
}

/**
 * Elements that failed: avoided for a time, as long as the registrar offers others. Who fails again and again is avoided for
 * longer, up to a limit: each attempt costs the time-out of a connect.
 */
export class AvoidedElements {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #avoided = new Map<number, Avoided>();

  /**
   * @param initialMs how long an element is avoided at first
   * @param maxMs how long at most
   */
  constructor(initialMs: number, maxMs: number = initialMs) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  /** An element failed. */
  failed(elementId: number, now: Instant): void {
    const before = this.#avoided.get(elementId);
    if (before !== undefined && before.until > now) return; // several sessions have seen the same failure
    const waitMs = before === undefined ? this.#initialMs : Math.min(2 * before.waitMs, this.#maxMs);
    this.#avoided.delete(elementId);
    if (this.#avoided.size >= MAX_AVOIDED_ELEMENTS) this.#avoided.delete(this.#avoided.keys().next().value!);
    this.#avoided.set(elementId, { until: now + waitMs, waitMs });
  }

  /** An element does its work: its failures are forgotten. */
  served(elementId: number): void {
    this.#avoided.delete(elementId);
  }

  /** The elements to avoid now. */
  now(now: Instant): number[] {
    return [...this.#avoided].flatMap(([elementId, { until }]) => until > now ? [elementId] : []);
  }
}
