import type { Prng } from "../machine.ts";
import { isSamePolicy, PolicyType } from "../param/policy.ts";
import type { PolicyName, PolicyParameter } from "../param/policy.ts";
import { assert } from "../wire/assert.ts";
import type { Policy, Selectable, Selection, SelectionState } from "./policy.ts";
import { degradationOf } from "./sorted_selection.ts";
import { SumTree } from "./sum_tree.ts";

/** The rules of a policy that draws lots (reference/rsplib.md §2.3, engine B). */
export interface ValueRules {
  /**
   * An element's share of chance.
   *
   * @param uses how often it was used since its last registration
   * @returns a whole number of 32 bits, so that sums are exact; 0 = it is not selected
   */
  readonly value: (policy: PolicyParameter, uses: number) => number;
  /** How many of the selected elements count as used, unless the registrar is told otherwise; 0 = uses do not matter. */
  readonly maxIncrement: number;
}

interface ValueSlot<Element extends Selectable> {
  readonly element: Element;
  policy: PolicyParameter;
  /** Its place in the tree. */
  index: number;
  uses: number;
  selections: number;
}

/**
 * Elements drawn by lot, one after another without putting back, each with the probability of its value against the
 * sum of the values that are left. Everything is O(log n); selecting k elements O(k log n).
 */
export class ValueSelection<Element extends Selectable> implements Selection<Element> {
  readonly #rules: ValueRules;
  readonly #random: Prng;
  readonly #slots = new Map<Element, ValueSlot<Element>>();
  readonly #row: ValueSlot<Element>[] = [];
  /** The values, in the order of the row. */
  readonly #tree = new SumTree();

  /**
   * @param rules the policy's
   * @param random draws the lots
   */
  constructor(rules: ValueRules, random: Prng) {
    this.#rules = rules;
    this.#random = random;
  }

  get size(): number {
    return this.#row.length;
  }

  add(element: Element): void {
    assert(!this.#slots.has(element), "an element joins a selection once");
    const { policy } = element;
    const slot = { element, policy, index: this.#row.length, uses: 0, selections: 0 };
    this.#slots.set(element, slot);
    this.#row.push(slot);
    this.#tree.push(this.#rules.value(policy, 0));
  }

  remove(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that leaves a selection has joined it");
    this.#slots.delete(element);
    const last = this.#row.pop()!; // there is one: the slot at least
    const value = this.#tree.at(last.index);
    this.#tree.pop();
    if (last === slot) return;
    last.index = slot.index;
    this.#row[last.index] = last;
    this.#tree.set(last.index, value);
  }

  update(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that is updated has joined the selection");
    if (slot.uses === 0 && isSamePolicy(slot.policy, element.policy)) return;
    slot.policy = element.policy;
    slot.uses = 0;
    this.#revalue(slot);
  }

  select(count: number, maxIncrement: number = this.#rules.maxIncrement): Element[] {
    const countsUses = this.#rules.maxIncrement > 0;
    const chosen: ValueSlot<Element>[] = [];
    while (chosen.length < count && this.#tree.total > 0) {
      const slot = this.#row[this.#tree.find(this.#draw())]!; // the tree has as many numbers as the row slots
      slot.selections++;
      if (countsUses && chosen.length < maxIncrement) slot.uses++;
      chosen.push(slot);
      if (count > 1) this.#tree.set(slot.index, 0);
    }
    if (count > 1 || countsUses) { for (const slot of chosen) this.#revalue(slot); }
    return chosen.map(({ element }) => element);
  }

  state(element: Element): SelectionState {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element whose state is asked has joined the selection");
    const { index, selections } = slot;
    const value = this.#tree.at(index);
    return { sequence: index, round: 0, turns: 0, degradation: degradationOf(slot), value, selections };
  }

  *[Symbol.iterator](): IterableIterator<Element> {
    for (const { element } of this.#row) yield element;
  }

  checkInvariants(): void {
    this.#tree.checkInvariants();
    assert(this.#row.length === this.#slots.size, "every element of a selection is in its row");
    assert(this.#row.length === this.#tree.size, "every element of a selection has a value");
    this.#row.forEach((slot, index) => {
      assert(this.#slots.get(slot.element) === slot && slot.index === index, "every slot knows its place");
      assert(this.#tree.at(index) === this.#rules.value(slot.policy, slot.uses), "values are up to date");
    });
  }

  /** A whole number below the sum of all values: 53 bits of chance, as many as the largest pool needs. */
  #draw(): number {
    const high = this.#random.u32() >>> 5;
    const low = this.#random.u32() >>> 6;
    return Math.floor((high * 2 ** 26 + low) / 2 ** 53 * this.#tree.total);
  }

  #revalue(slot: ValueSlot<Element>): void {
    this.#tree.set(slot.index, this.#rules.value(slot.policy, slot.uses));
  }
}

/** A policy of this name that draws lots. */
export function valuePolicy(name: PolicyName, rules: ValueRules): Policy {
  return { name, type: PolicyType[name], select: (random) => new ValueSelection(rules, random) };
}
