import { Handlespace, poolKey } from "../handlespace/mod.ts";
import type { Prng } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";

/** Pools that a program keeps in mind; the one resolved longest ago is dropped for another. */
export const MAX_CACHED_POOLS = 64;

/** Every element of a cached pool counts as used when it is selected: the next user takes another one. */
const ALL = Infinity;

/**
 * Resolutions that are still fresh. Selecting from them follows the pool's policy, as the registrar would do
 * (RFC 5352 §3.3; RSPLIB's stale cache value). A pool whose policy this program does not know is not kept.
 */
export class ResolutionCache {
  readonly #lifeMs: number;
  readonly #random: Prng;
  /** In order of resolution. */
  readonly #pools = new Map<string, { readonly handlespace: Handlespace; readonly expiresAt: Instant }>();

  /**
   * @param lifeMs how long a resolution is used
   * @param random chance for the policies that need it
   */
  constructor(lifeMs: number, random: Prng) {
    this.#lifeMs = lifeMs;
    this.#random = random;
  }

  /** Selects from a fresh resolution; undefined = there is none. */
  select(poolHandle: PoolHandle, count: number, now: Instant): PoolElement[] | undefined {
    const cached = this.#pools.get(poolKey(poolHandle));
    if (cached === undefined || cached.expiresAt <= now) return undefined;
    const selected = cached.handlespace.pool(poolHandle)?.selection.select(count, ALL);
    if (selected === undefined || selected.length === 0) return undefined; // gone, or none of them serves
    return selected.map(({ element }) => element);
  }

  /**
   * Keeps a resolution.
   *
   * @param policy the pool's: the elements' own policies do not say it (RFC 5352 §2.2.6), only values for it
   */
  put(
    poolHandle: PoolHandle,
    elements: readonly PoolElement[],
    now: Instant,
    policy: PolicyParameter | undefined = elements[0]?.policy,
  ): void {
    const handlespace = new Handlespace(this.#random);
    for (const element of elements) {
      const suits = policy === undefined || element.policy.type === policy.type;
      handlespace.register(poolHandle, suits ? element : { ...element, policy });
    }
    const key = poolKey(poolHandle);
    this.#pools.delete(key);
    if (handlespace.elementCount === 0) return;
    handlespace.pool(poolHandle)?.selection.select(1, ALL); // the registrar's first choice is about to be used
    if (this.#pools.size >= MAX_CACHED_POOLS) this.#pools.delete(this.#pools.keys().next().value!);
    this.#pools.set(key, { handlespace, expiresAt: now + this.#lifeMs });
  }

  /** Forgets an element that does not answer. */
  forget(poolHandle: PoolHandle, elementId: number): void {
    const handlespace = this.#pools.get(poolKey(poolHandle))?.handlespace;
    const entry = handlespace?.find(poolHandle, elementId);
    if (entry !== undefined) handlespace?.remove(entry);
  }
}
