import type { Instant } from "../net.ts";
import { MAX_SPENT_TAGS } from "./limits.ts";

/**
 * Verification tags of associations that are gone, for as long as cookies that name them are good. A COOKIE ECHO that
 * was on its way for long, or is played back, must not make the association a second time: it would have the same tags
 * and TSNs as the first, and take the first one's late packets for its own.
 */
export class SpentTags {
  /** When the cookies of a tag end; oldest first. */
  readonly #endsAt = new Map<number, Instant>();

  /** Remembers a tag, in the place of the oldest one when there are too many. */
  add(tag: number, endsAt: Instant, now: Instant): void {
    this.#endsAt.delete(tag);
    this.#endsAt.set(tag, endsAt);
    for (const [oldest, end] of this.#endsAt) {
      if (end > now && this.#endsAt.size <= MAX_SPENT_TAGS) break;
      this.#endsAt.delete(oldest);
    }
  }

  has(tag: number): boolean {
    return this.#endsAt.has(tag);
  }
}
