import type { Prng } from "../machine.ts";
import { PeChecksum } from "../param/checksum.ts";
import { CauseCode, operationError } from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { findPolicy } from "../policy/mod.ts";
import { OrderedSet } from "../policy/ordered_set.ts";
import { assert } from "../wire/mod.ts";
import { checkElement } from "./consistency.ts";
import { comparePlaces, ElementEntry, Pool } from "./pool.ts";
import type { ElementPlace } from "./pool.ts";
import { poolKey } from "./pool_key.ts";
import { isSameElement } from "./same_element.ts";

/** At about 2 KiB each they fit into a process of ordinary size. */
export const DEFAULT_MAX_ELEMENTS = 200_000;

/** How much a handlespace holds. A stranger can register anything, so everything has a bound. */
export interface HandlespaceLimits {
  /** Default 10000. */
  readonly maxPools?: number;
  /** Over all pools. Default {@linkcode DEFAULT_MAX_ELEMENTS}. */
  readonly maxElements?: number;
}

/** What a handlespace is. */
export interface HandlespaceOptions extends HandlespaceLimits {
  /**
   * How many elements of a selection count as used, whatever the policy; 0 = as each policy has it. Default 0. See
   * {@linkcode Selection.select}.
   */
  readonly maxIncrement?: number;
}

/** What became of a registration. */
export type RegisterResult =
  | { readonly type: "added"; readonly entry: ElementEntry }
  /** It was there already; its values are the new ones now. */
  | { readonly type: "updated"; readonly entry: ElementEntry }
  | { readonly type: "refused"; readonly error: OperationError };

/** The elements that one registrar owns. */
interface Ownership {
  readonly elements: OrderedSet<ElementEntry>;
  readonly checksum: PeChecksum;
}

/**
 * The handlespace of an operation scope (RFC 5351 §2.2): pools and their elements, who owns which element, and the
 * checksums by which registrars compare what they know.
 *
 * Every change is O(log n), every look-up O(1); selecting and paging k elements is O(log n + k).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeText, Prng } from "@rsp/rsp";
 *
 * const handlespace = new Handlespace(new Prng(1));
 * const echoPool = encodeText("EchoPool");
 * const result = handlespace.register(echoPool, {
 *   elementId: 0x11223344,
 *   homeRegistrarId: 0xc2818128,
 *   registrationLifeMs: 90000,
 *   userTransport: { protocol: "sctp", port: 42976, use: "data+control", addresses: ["10.1.1.1"] },
 *   policy: { name: "RoundRobin", type: 1 },
 * });
 * assert.equal(result.type, "added");
 * assert.equal(handlespace.select(echoPool, 3)?.length, 1);
 * assert.equal(handlespace.checksum(0xc2818128), 0x4deb);
 * ```
 */
export class Handlespace {
  readonly #random: Prng;
  readonly #maxPools: number;
  readonly #maxElements: number;
  /** undefined = as the policy has it. */
  readonly #maxIncrement: number | undefined;
  readonly #pools = new Map<string, Pool>();
  readonly #elements = new OrderedSet<ElementEntry>(comparePlaces);
  readonly #owners = new Map<number, Ownership>();

  /**
   * Makes an empty handlespace.
   *
   * @param random chance for the policies that need it
   * @param options how much it holds, and how it selects
   */
  constructor(random: Prng, options: HandlespaceOptions = {}) {
    this.#random = random;
    this.#maxPools = options.maxPools ?? 10_000;
    this.#maxElements = options.maxElements ?? DEFAULT_MAX_ELEMENTS;
    this.#maxIncrement = options.maxIncrement || undefined;
  }

  /** How many pools there are. */
  get poolCount(): number {
    return this.#pools.size;
  }

  /** How many elements there are in all pools. */
  get elementCount(): number {
    return this.#elements.size;
  }

  /** All pools, in order of foundation. The handlespace must not change meanwhile. */
  pools(): IterableIterator<Pool> {
    return this.#pools.values();
  }

  /** The pool of this handle. */
  pool(poolHandle: PoolHandle): Pool | undefined {
    return this.#pools.get(poolKey(poolHandle));
  }

  /** The element of this pool and ID. */
  find(poolHandle: PoolHandle, elementId: number): ElementEntry | undefined {
    return this.pool(poolHandle)?.elements.get(elementId);
  }

  /** Puts an element in, or gives one that is there its new values. The pool is founded if need be. */
  register(poolHandle: PoolHandle, element: PoolElement): RegisterResult {
    const pool = this.pool(poolHandle);
    const present = pool?.elements.get(element.elementId);
    const error = checkElement(poolHandle, element, pool) ?? this.#checkRoom(pool, present);
    if (error !== undefined) return { type: "refused", error };
    if (present !== undefined) {
      this.#update(present, element);
      return { type: "updated", entry: present };
    }
    const entry = new ElementEntry(pool ?? this.#found(poolHandle, element), element);
    entry.pool.elements.set(entry.elementId, entry);
    entry.pool.selection.add(entry);
    this.#elements.add(entry);
    this.#own(entry);
    return { type: "added", entry };
  }

  /** Takes an element out. A pool ends with its last element. */
  remove(entry: ElementEntry): void {
    const { pool, elementId } = entry;
    assert(pool.elements.get(elementId) === entry, "an element that is removed is in the handlespace");
    this.#disown(entry);
    this.#elements.delete(entry);
    pool.selection.remove(entry);
    pool.elements.delete(elementId);
    if (pool.elements.size === 0) this.#pools.delete(pool.key);
  }

  /** Gives an element to another registrar (takeover, RFC 5353 §3.5.2). */
  rehome(entry: ElementEntry, registrarId: number): void {
    this.#update(entry, { ...entry.element, homeRegistrarId: registrarId });
  }

  /**
   * Selects elements by the pool's policy.
   *
   * @param count how many at most
   * @param maxIncrement how many of them at most count as used; default: the handlespace's
   * @returns the first choice first; undefined = there is no such pool
   */
  select(
    poolHandle: PoolHandle,
    count: number,
    maxIncrement: number | undefined = this.#maxIncrement,
  ): ElementEntry[] | undefined {
    return this.pool(poolHandle)?.selection.select(count, maxIncrement);
  }

  /** How many elements a registrar owns. */
  ownedCount(registrarId: number): number {
    return this.#owners.get(registrarId)?.elements.size ?? 0;
  }

  /** The checksum over the elements that a registrar owns: the PE checksum of its presences (RFC 5353 §3.6.1). */
  checksum(registrarId: number): number {
    return (this.#owners.get(registrarId)?.checksum ?? new PeChecksum()).value;
  }

  /**
   * A part of the handle table, in the order of handle tables.
   *
   * @param after the last place of the part before; it need not exist any more. Undefined = from the start
   * @param count how many elements at most
   * @param owner only the elements of this registrar
   */
  page(after: ElementPlace | undefined, count: number, owner?: number): ElementEntry[] {
    const elements = owner === undefined ? this.#elements : this.#owners.get(owner)?.elements;
    return elements?.take(count, after && ((entry) => comparePlaces(entry, after) <= 0)) ?? [];
  }

  /**
   * Checks that all structures agree, in O(n log n). For tests and simulations.
   *
   * @throws {InvariantError} when they do not
   */
  checkInvariants(): void {
    this.#elements.checkInvariants();
    let count = 0;
    for (const pool of this.#pools.values()) {
      assert(pool.elements.size > 0, "no pool is empty");
      assert(pool.selection.size === pool.elements.size, "all elements of a pool can be selected");
      pool.selection.checkInvariants();
      for (const entry of pool.elements.values()) {
        count++;
        assert(entry.pool === pool, "an element knows its pool");
        assert(
          checkElement(pool.poolHandle, entry.element, pool) === undefined,
          "every element suits its pool",
        );
        assert(this.#elements.has(entry), "every element is in the table");
        assert(this.#owners.get(entry.homeRegistrarId)?.elements.has(entry), "every element has its owner");
      }
    }
    assert(count === this.#elements.size, "every element in the table is in a pool");
    let owned = 0;
    for (const { elements, checksum } of this.#owners.values()) {
      elements.checkInvariants();
      const anew = new PeChecksum();
      for (const entry of elements) anew.add(entry.pool.poolHandle, entry.elementId);
      assert(anew.value === checksum.value, "the running checksum is that of the elements");
      assert(elements.size > 0, "no ownership is empty");
      owned += elements.size;
    }
    assert(owned === count, "every element has one owner");
  }

  #checkRoom(pool: Pool | undefined, present: ElementEntry | undefined): OperationError | undefined {
    if (present !== undefined) return undefined;
    const full = this.elementCount >= this.#maxElements ||
      (pool === undefined && this.poolCount >= this.#maxPools);
    return full ? operationError(CauseCode.lackOfResources) : undefined;
  }

  #found(poolHandle: PoolHandle, first: PoolElement): Pool {
    const policy = findPolicy(first.policy.type);
    assert(policy !== undefined, "the policy of an element was checked");
    const pool = new Pool(poolHandle, first, policy, policy.select<ElementEntry>(this.#random));
    this.#pools.set(pool.key, pool);
    return pool;
  }

  #update(entry: ElementEntry, element: PoolElement): void {
    const moves = entry.homeRegistrarId !== element.homeRegistrarId;
    if (moves) this.#disown(entry);
    // A registration that changes nothing, as most are, leaves the old element where it is: old objects that are replaced
    // all the time are what the garbage collector is slowest with.
    if (!isSameElement(entry.element, element)) entry.replace(element);
    if (moves) this.#own(entry);
    entry.pool.selection.update(entry);
  }

  #own(entry: ElementEntry): void {
    let ownership = this.#owners.get(entry.homeRegistrarId);
    if (ownership === undefined) {
      ownership = { elements: new OrderedSet<ElementEntry>(comparePlaces), checksum: new PeChecksum() };
      this.#owners.set(entry.homeRegistrarId, ownership);
    }
    ownership.elements.add(entry);
    ownership.checksum.add(entry.pool.poolHandle, entry.elementId);
  }

  #disown(entry: ElementEntry): void {
    const ownership = this.#owners.get(entry.homeRegistrarId);
    assert(ownership !== undefined, "an element has an owner");
    ownership.elements.delete(entry);
    ownership.checksum.remove(entry.pool.poolHandle, entry.elementId);
    if (ownership.elements.size === 0) this.#owners.delete(entry.homeRegistrarId);
  }
}
