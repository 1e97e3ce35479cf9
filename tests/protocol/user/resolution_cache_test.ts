import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { MAX_CACHED_POOLS, ResolutionCache } from "../../../protocol/user/resolution_cache.ts";

const POOL = Uint8Array.of(65);

function element(elementId: number, fields: Partial<PoolElement> = {}): PoolElement {
  return {
    elementId,
    homeRegistrarId: 1,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 7, use: "data+control", addresses: ["10.1.1.1"] },
    policy: { name: "RoundRobin", type: 1 },
    ...fields,
  };
}

const ids = (elements: readonly PoolElement[] | undefined) => elements?.map(({ elementId }) => elementId);

Deno.test("ResolutionCache goes on by the pool's policy where the registrar began, for its life", () => {
  const cache = new ResolutionCache(1000, new Prng(1));
  assert.equal(cache.select(POOL, 1, 0), undefined);
  cache.put(POOL, [element(1), element(2), element(3)], 0);
  assert.deepEqual([1, 2, 3, 4].map(() => ids(cache.select(POOL, 1, 999))), [[2], [3], [1], [2]]);
  assert.equal(cache.select(POOL, 1, 1000), undefined);
});

Deno.test("ResolutionCache forgets elements that do not answer, and the pool with the last", () => {
  const cache = new ResolutionCache(1000, new Prng(1));
  cache.put(POOL, [element(1), element(2)], 0);
  cache.forget(POOL, 2);
  cache.forget(POOL, 9);
  assert.deepEqual(ids(cache.select(POOL, 5, 0)), [1]);
  cache.forget(POOL, 1);
  assert.equal(cache.select(POOL, 5, 0), undefined);
});

Deno.test("ResolutionCache keeps nothing that it cannot select from", () => {
  const cache = new ResolutionCache(1000, new Prng(1));
  cache.put(POOL, [element(1, { policy: { name: "unknown", type: 0x999, value: new Uint8Array() } })], 0);
  assert.equal(cache.select(POOL, 1, 0), undefined);
});

Deno.test("ResolutionCache keeps no more pools than its limit, the latest", () => {
  const cache = new ResolutionCache(1000, new Prng(1));
  for (let n = 0; n <= MAX_CACHED_POOLS; n++) cache.put(Uint8Array.of(n), [element(1)], 0);
  assert.equal(cache.select(Uint8Array.of(0), 1, 0), undefined);
  assert.deepEqual(ids(cache.select(Uint8Array.of(1), 1, 0)), [1]);
  assert.deepEqual(ids(cache.select(Uint8Array.of(MAX_CACHED_POOLS), 1, 0)), [1]);
});
