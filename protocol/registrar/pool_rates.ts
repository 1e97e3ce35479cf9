import type { Instant } from "../net.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { TokenBucket } from "./token_bucket.ts";

/**
 * Pools that one association is counted for at a time. More pools share the buckets, so that somebody who asks for a
 * new pool each time is limited, too, and needs no more memory than this (RSPLIB has 64 buckets as well).
 */
const BUCKETS = 64;

/** How often one association may ask about each pool (reference/rsplib.md §3.8, "Rate limits"). */
export class PoolRates {
  readonly #perSecond: number;
  readonly #buckets: (TokenBucket | undefined)[] = [];

  /** @param perSecond about one pool; a whole second's worth may come at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Whether one more request about a pool is within the rate. */
  admits(poolHandle: PoolHandle, now: Instant): boolean {
    const index = slotOf(poolHandle);
    const bucket = this.#buckets[index] ??= new TokenBucket(this.#perSecond, Math.max(1, this.#perSecond));
    return bucket.take(now);
  }
}

/** Any hash will do: whoever makes pools collide limits nobody but himself. */
function slotOf(poolHandle: PoolHandle): number {
  let hash = 0;
  for (const octet of poolHandle) hash = Math.imul(hash, 31) + octet | 0;
  return (hash ^ hash >>> 16) & BUCKETS - 1;
}
