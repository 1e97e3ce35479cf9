import { poolKey } from "../handlespace/pool_key.ts";
import type { Instant } from "../net.ts";
import type { PoolHandle } from "../param/pool_handle.ts";

/** Pools that nobody knew are remembered for so long: synchronised registrars would say the same again. */
const REMEMBERED_MS = 30_000;

/** Pools that are remembered; the oldest is forgotten first. */
const MAX_POOLS = 64;

/**
 * When a registrar does not know a pool, another one may: two registrars in one network that do not know each other (each
 * started with its own multicast group, or before the network was whole) have different handlespaces. Who is unlucky
 * enough to find the empty one asks the other. This keeps who was asked about which pool, so that it ends.
 */
export class SecondOpinions {
  readonly #unknown = new Map<string, Instant>();

  /** Whether it is worth asking another registrar about a pool. */
  areWorthwhile(poolHandle: PoolHandle, now: Instant): boolean {
    return (this.#unknown.get(poolKey(poolHandle)) ?? -Infinity) <= now;
  }

  /** Every registrar that is known says that it does not know a pool. */
  unknown(poolHandle: PoolHandle, now: Instant): void {
    const key = poolKey(poolHandle);
    this.#unknown.delete(key);
    if (this.#unknown.size >= MAX_POOLS) this.#unknown.delete(this.#unknown.keys().next().value!);
    this.#unknown.set(key, now + REMEMBERED_MS);
  }

  /** A registrar knows a pool. */
  known(poolHandle: PoolHandle): void {
    this.#unknown.delete(poolKey(poolHandle));
  }
}
