import { assert } from "../wire/assert.ts";

/** Orders two items: negative when `a` comes first, 0 when they are the same item for the set. */
export type Compare<T> = (a: T, b: T) => number;

interface Node<T> {
  readonly item: T;
  /** Heap key of the treap: larger ones lie nearer to the root. */
  readonly priority: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

/**
 * Items in order: a treap (Seidel and Aragon 1996). Adding, deleting and finding the first are O(log n) expected,
 * whatever the order in which peers make us add. An item's place must not change while it is in the set: delete it,
 * change it, add it again.
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
  #root: Node<T> | undefined;
  #size = 0;
  /** Marsaglia's xorshift32: the shape of the tree needs no better numbers, but the same ones in every run. */
  #random = 0x9e3779b9;

  /** @param compare a total order; 0 means "the same item" */
  constructor(compare: Compare<T>) {
    this.#compare = compare;
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
    if (this.has(item)) return false;
    const node: Node<T> = { item, priority: this.#nextPriority(), left: undefined, right: undefined };
    let parent: Node<T> | undefined;
    let at = this.#root;
    let toTheLeft = false;
    while (at !== undefined && at.priority >= node.priority) {
      parent = at;
      toTheLeft = this.#compare(item, at.item) < 0;
      at = toTheLeft ? at.left : at.right;
    }
    this.#split(at, node);
    this.#attach(parent, toTheLeft, node);
    this.#size++;
    return true;
  }

  /**
   * Deletes the item that is equal to `item`.
   *
   * @returns false when there is none
   */
  delete(item: T): boolean {
    let parent: Node<T> | undefined;
    let at = this.#root;
    let toTheLeft = false;
    while (at !== undefined) {
      const order = this.#compare(item, at.item);
      if (order === 0) break;
      parent = at;
      toTheLeft = order < 0;
      at = toTheLeft ? at.left : at.right;
    }
    if (at === undefined) return false;
    this.#attach(parent, toTheLeft, merge(at.left, at.right));
    this.#size--;
    return true;
  }

  /** Whether an equal item is in the set. */
  has(item: T): boolean {
    let at = this.#root;
    while (at !== undefined) {
      const order = this.#compare(item, at.item);
      if (order === 0) return true;
      at = order < 0 ? at.left : at.right;
    }
    return false;
  }

  /** The first item; undefined when the set is empty. */
  first(): T | undefined {
    let at = this.#root;
    while (at?.left !== undefined) at = at.left;
    return at?.item;
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
    const path: Node<T>[] = [];
    let at = this.#root;
    while (taken.length < count) {
      while (at !== undefined) {
        if (skip?.(at.item)) {
          at = at.right;
        } else {
          path.push(at);
          at = at.left;
        }
      }
      const next = path.pop();
      if (next === undefined) break;
      taken.push(next.item);
      at = next.right;
    }
    return taken;
  }

  /** All items in order. The set must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    const path: Node<T>[] = [];
    for (let at = this.#root; at !== undefined || path.length > 0;) {
      for (; at !== undefined; at = at.left) path.push(at);
      const next = path.pop()!;
      yield next.item;
      at = next.right;
    }
  }

  /**
   * Checks order, heap property and size, in O(n). For tests and simulations.
   *
   * @throws {InvariantError} when the structure is broken
   */
  checkInvariants(): void {
    let previous: { item: T } | undefined;
    let count = 0;
    for (const item of this) {
      assert(previous === undefined || this.#compare(previous.item, item) < 0, "an ordered set is in order");
      previous = { item };
      count++;
    }
    assert(count === this.#size, "an ordered set knows its size");
  }

  #attach(parent: Node<T> | undefined, toTheLeft: boolean, child: Node<T> | undefined): void {
    if (parent === undefined) this.#root = child;
    else if (toTheLeft) parent.left = child;
    else parent.right = child;
  }

  /** Hangs what lies before `node` to its left and what lies behind it to its right. */
  #split(from: Node<T> | undefined, node: Node<T>): void {
    let smaller: Node<T> | undefined; // where the next part of the left side is hung: rightmost node there
    let larger: Node<T> | undefined;
    let at = from;
    while (at !== undefined) {
      if (this.#compare(at.item, node.item) < 0) {
        if (smaller === undefined) node.left = at;
        else smaller.right = at;
        smaller = at;
        at = at.right;
      } else {
        if (larger === undefined) node.right = at;
        else larger.left = at;
        larger = at;
        at = at.left;
      }
    }
    if (smaller !== undefined) smaller.right = undefined;
    if (larger !== undefined) larger.left = undefined;
  }

  #nextPriority(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x;
  }
}

/** Joins two trees of which every item of the first lies before every item of the second. */
function merge<T>(left: Node<T> | undefined, right: Node<T> | undefined): Node<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority >= right.priority) {
    left.right = merge(left.right, right);
    return left;
  }
  right.left = merge(left, right.left);
  return right;
}
