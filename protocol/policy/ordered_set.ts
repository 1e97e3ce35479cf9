import { assert } from "../wire/assert.ts";
import { Block, MAX_BLOCK, MIN_BLOCK } from "./block.ts";

/** Orders two items: negative when `a` comes first, 0 when they are the same item for the set. */
export type Compare<T> = (a: T, b: T) => number;

/** The number by which items are ordered before they are compared. */
export type Key<T> = (item: T) => number;

/**
 * Items in order: a B+ tree (Comer 1979). Adding, deleting and finding the first are O(log n) in the worst case: no
 * order in which peers make us add is a bad one. An item's place must not change while it is in the set but by
 * {@linkcode OrderedSet.move}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const set = new OrderedSet<number>((a, b) => a - b);
 * set.add(3);
 * set.add(1);
 * set.add(2);
 * assert.deepEqual(set.take(2), [1, 2]);
 * assert.equal(set.delete(1), true);
 * assert.equal(set.first(), 2);
 * ```
 */
export class OrderedSet<T> {
  readonly #compare: Compare<T>;
  readonly #key: Key<T>;
  #root: Block<T> = new Block<T>([], [], undefined);
  #size = 0;

  /**
   * @param compare a total order; 0 means "the same item"
   * @param key a number that agrees with the order: of two items with different keys the one with the smaller key
   *   comes first. Makes searching faster
   */
  constructor(compare: Compare<T>, key: Key<T> = () => 0) {
    this.#compare = compare;
    this.#key = key;
  }

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an item.
   *
   * @returns false when an equal item is there already; nothing changes then
   */
  add(item: T): boolean {
    const root = this.#root;
    if (!this.#insert(root, item, this.#key(item))) return false;
    this.#size++;
    if (root.size > MAX_BLOCK) this.#root = Block.over([root, root.split()]);
    return true;
  }

  /**
   * Deletes the item that is equal to `item`.
   *
   * @returns false when there is none
   */
  delete(item: T): boolean {
    return this.#take(item) !== undefined;
  }

  /**
   * Gives an item another place: takes it out, has it changed, and puts it in again.
   *
   * @param item must be in the set
   * @param change changes the item so that it is equal to no other
   */
  move(item: T, change: (item: T) => void): void {
    const taken = this.#take(item);
    assert(taken !== undefined, "an item that moves is in the ordered set");
    change(taken.item);
    assert(this.add(taken.item), "an item that moves stays different from all others");
  }

  /** Whether an equal item is in the set. */
  has(item: T): boolean {
    const key = this.#key(item);
    let block = this.#root;
    for (;;) {
      const index = this.#behind(block, item, key) - 1;
      if (index < 0) return false;
      if (block.children === undefined) return this.#compare(block.items[index]!, item) === 0;
      block = block.children[index]!;
    }
  }

  /** The first item; undefined when the set is empty. */
  first(): T | undefined {
    return this.#root.items[0];
  }

  /**
   * The first items in order, in O(log n + count).
   *
   * @param count how many at most
   * @param skip items for which this is true are passed over; it must be true for a prefix of the order only, so
   *   that a cursor into a changing set costs a search and no more
   */
  take(count: number, skip?: (item: T) => boolean): T[] {
    const taken: T[] = [];
    collect(this.#root, count, skip, taken);
    return taken;
  }

  /** All items in order. The set must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const leaf of leaves(this.#root)) yield* leaf.items;
  }

  /**
   * Checks order, the shape of the tree and size, in O(n). For tests and simulations.
   *
   * @throws {InvariantError} when the structure is broken
   */
  checkInvariants(): void {
    const depths = new Set<number>();
    this.#checkBlock(this.#root, 0, depths);
    assert(depths.size === 1, "all leaves of an ordered set are equally deep");
    let previous: { item: T } | undefined;
    let count = 0;
    for (const item of this) {
      assert(previous === undefined || this.#compare(previous.item, item) < 0, "an ordered set is in order");
      previous = { item };
      count++;
    }
    assert(count === this.#size, "an ordered set knows its size");
  }

  #checkBlock({ items, keys, children }: Block<T>, depth: number, depths: Set<number>): void {
    const least = depth > 0 ? MIN_BLOCK : children === undefined ? 0 : 2;
    assert(items.length >= least && items.length <= MAX_BLOCK, "a block of an ordered set is well filled");
    assert(keys.length === items.length, "a block of an ordered set has a key for each item");
    assert(
      keys.every((key, i) => key === this.#key(items[i]!)),
      "an ordered set knows the keys of its items",
    );
    assert(keys.every((key, i) => i === 0 || keys[i - 1]! <= key), "keys agree with the order");
    if (children === undefined) {
      depths.add(depth);
      return;
    }
    assert(items.length === children.length, "a branch of an ordered set has an item for each child");
    children.forEach((child, index) => {
      assert(
        child.items[0] === items[index],
        "a branch of an ordered set knows the first item below a child",
      );
      this.#checkBlock(child, depth + 1, depths);
    });
  }

  /** How many items of a block are not behind `item`. */
  #behind({ items, keys }: Block<T>, item: T, key: number): number {
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = keys[middle]!;
      const isBefore = other === key ? this.#compare(items[middle]!, item) <= 0 : other < key;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(block: Block<T>, item: T, key: number): boolean {
    const index = this.#behind(block, item, key);
    if (block.children === undefined) {
      if (index > 0 && this.#compare(block.items[index - 1]!, item) === 0) return false;
      block.insert(index, item, key);
      return true;
    }
    const at = Math.max(index - 1, 0);
    const child = block.children[at]!;
    if (!this.#insert(child, item, key)) return false;
    if (child.size > MAX_BLOCK) {
      const second = child.split();
      block.insert(at + 1, second.items[0]!, second.keys[0]!, second);
    }
    block.refresh(at, child);
    return true;
  }

  #take(item: T): { readonly item: T } | undefined {
    const taken = this.#extract(this.#root, item, this.#key(item));
    if (taken === undefined) return undefined;
    this.#size--;
    const { children } = this.#root;
    if (children?.length === 1) this.#root = children[0]!;
    return taken;
  }

  #extract(block: Block<T>, item: T, key: number): { readonly item: T } | undefined {
    const index = this.#behind(block, item, key) - 1;
    if (index < 0) return undefined;
    const found = block.items[index]!;
    if (block.children === undefined) {
      if (this.#compare(found, item) !== 0) return undefined;
      block.remove(index);
      return { item: found };
    }
    const child = block.children[index]!;
    const taken = this.#extract(child, item, key);
    if (taken === undefined) return undefined;
    if (child.size < MIN_BLOCK) block.balance(index);
    else block.refresh(index, child);
    return taken;
  }
}

/** Collects items until there are enough; `skip` as in {@linkcode OrderedSet.take}. */
function collect<T>(
  { items, children }: Block<T>,
  count: number,
  skip: ((item: T) => boolean) | undefined,
  taken: T[],
): void {
  const skipped = skip === undefined ? 0 : countSkipped(items, skip);
  if (children === undefined) {
    for (let i = skipped; i < items.length && taken.length < count; i++) taken.push(items[i]!);
    return;
  }
  // Of the last child that begins with a skipped item, others may not be skipped; all behind it are not.
  const start = Math.max(skipped - 1, 0);
  for (let i = start; i < children.length && taken.length < count; i++) {
    collect(children[i]!, count, i === start ? skip : undefined, taken);
  }
}

/** How many items there are in the prefix for which `skip` is true. */
function countSkipped<T>(items: readonly T[], skip: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (skip(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* leaves<T>(block: Block<T>): IterableIterator<Block<T>> {
  if (block.children === undefined) yield block;
  else for (const child of block.children) yield* leaves(child);
}
