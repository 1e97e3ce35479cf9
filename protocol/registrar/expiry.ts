import type { Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";

/** Shorter lives are enforced as this one: RSPLIB enforces none, and a life of 0 is no membership at all. */
const MIN_LIFE_MS = 1000;

/** The registration life that means "for ever" (RFC 5354 §3.10). */
const ENDLESS_LIFE = -1;

/**
 * When an element's registration ends if nobody renews it from now on.
 *
 * @returns undefined = never
 */
export function expiryOf({ registrationLifeMs }: PoolElement, now: Instant): Instant | undefined {
  return registrationLifeMs === ENDLESS_LIFE ? undefined : now + Math.max(registrationLifeMs, MIN_LIFE_MS);
}
