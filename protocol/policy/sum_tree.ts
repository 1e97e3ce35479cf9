import { assert } from "../wire/assert.ts";

/**
 * A row of whole numbers whose running sums can be searched: a binary indexed tree (Fenwick 1994). Adding, taking the
 * last off, changing and finding are O(log n), in two flat arrays. Sums are exact as long as they stay below 2^53.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const tree = new SumTree();
 * for (const value of [5, 0, 2]) tree.push(value);
 * assert.equal(tree.total, 7);
 * assert.deepEqual([0, 4, 5, 6].map((target) => tree.find(target)), [0, 0, 2, 2]);
 * ```
 */
export class SumTree {
  readonly #values: number[] = [];
  /** At i: the sum of the values before i + 1, as many as the lowest bit of i + 1 says. */
  readonly #sums: number[] = [];
  #total = 0;

  /** How many numbers there are. */
  get size(): number {
    return this.#values.length;
  }

  /** Their sum. */
  get total(): number {
    return this.#total;
  }

  /** The number at an index. */
  at(index: number): number {
    const value = this.#values[index];
    assert(value !== undefined, "a sum tree is read inside its bounds");
    return value;
  }

  /** Adds a number at the end. */
  push(value: number): void {
    const position = this.#values.push(value);
    const start = position - lowestBit(position);
    let sum = value;
    for (let i = position - 1; i > start; i -= lowestBit(i)) sum += this.#sums[i - 1]!;
    this.#sums.push(sum);
    this.#total += value;
  }

  /** Takes the last number off. */
  pop(): void {
    const value = this.#values.pop();
    assert(value !== undefined, "a sum tree that is popped has numbers");
    this.#sums.pop(); // no other sum contains it
    this.#total -= value;
  }

  /** Replaces the number at an index. */
  set(index: number, value: number): void {
    const change = value - this.at(index);
    if (change === 0) return;
    this.#values[index] = value;
    this.#total += change;
    const size = this.#sums.length;
    for (let i = index + 1; i <= size; i += lowestBit(i)) this.#sums[i - 1]! += change;
  }

  /**
   * The index at which the running sum passes a target. Numbers that are 0 are never found.
   *
   * @param target 0 to less than the total
   */
  find(target: number): number {
    assert(target >= 0 && target < this.#total, "what a sum tree is searched for lies in it");
    const size = this.#sums.length;
    let index = 0;
    let rest = target;
    for (let step = 2 ** (31 - Math.clz32(size)); step >= 1; step /= 2) {
      const sum = index + step <= size ? this.#sums[index + step - 1]! : Infinity;
      if (sum > rest) continue;
      index += step;
      rest -= sum;
    }
    return index;
  }

  /**
   * Checks all sums, in O(n log n). For tests and simulations.
   *
   * @throws {InvariantError} when one is wrong
   */
  checkInvariants(): void {
    const anew = new SumTree();
    for (const value of this.#values) anew.push(value);
    assert(anew.#total === this.#total, "a sum tree knows its total");
    assert(anew.#sums.every((sum, i) => sum === this.#sums[i]), "the sums of a sum tree are right");
    assert(this.#sums.length === this.#values.length, "a sum tree has a sum for each number");
  }
}

function lowestBit(position: number): number {
  return position & -position;
}
