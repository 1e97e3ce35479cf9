import { isSamePolicy, policyField, PolicyType } from "../param/policy.ts";
import type { PolicyName, PolicyParameter } from "../param/policy.ts";
import { assert } from "../wire/assert.ts";
import { OrderedSet } from "./ordered_set.ts";
import type { Policy, Selectable, Selection, SelectionState } from "./policy.ts";

/** What a sorted policy knows of an element. Policies use what they need and leave the rest alone. */
export interface Slot {
  /** The policy values that the place in the line comes from. */
  policy: PolicyParameter;
  /** First part of the place: weighted round robin's round in which the element comes next. */
  round: number;
  /** Second part of the place, smaller first: load, priority, or whatever the policy sorts by. */
  rank: number;
  /** Last part of the place; grows with each placing, so that equal elements take turns. */
  sequence: number;
  /** Weighted round robin: how often the element still comes in its round. */
  turns: number;
  /** Weighted round robin: where between two turns that number stands, 0..1. */
  phase: number;
  /** Degradation counter (RFC 5356 §5.2.2): how often it was selected since its last registration. */
  uses: number;
}

/** The rules of a policy whose elements stand in a line (reference/rsplib.md §2.3, engine A). */
export interface SortedRules {
  /** Where the element stands, once the other fields are right. Default: all stand equal. */
  readonly rank?: (slot: Slot) => number;
  /** Whether an element with these values is selected at all. Default: all are. */
  readonly serves?: (policy: PolicyParameter) => boolean;
  /** An element joins the line. `first` is the head of the line. */
  readonly joined?: (slot: Slot, first: Slot | undefined) => void;
  /** An element in the line was registered with other values than it had. `first` is the head of the others. */
  readonly changed?: (slot: Slot, first: Slot | undefined, previous: PolicyParameter) => void;
  /** An element was used; it is placed anew after this. */
  readonly used?: (slot: Slot) => void;
  /** How many of the selected elements count as used, unless the registrar is told otherwise. Default: 1. */
  readonly maxIncrement?: number;
}

class SortedSlot<Element extends Selectable> implements Slot {
  readonly element: Element;
  policy: PolicyParameter;
  round = 0;
  rank = 0;
  sequence = 0;
  turns = 0;
  phase = 0;
  uses = 0;
  selections = 0;

  constructor(element: Element) {
    this.element = element;
    this.policy = element.policy;
  }
}

/**
 * Elements in a line: the first ones are selected, and those that count as used are placed anew. Everything is
 * O(log n); selecting k elements O(k + log n), and O(log n) more for each that counts as used.
 */
export class SortedSelection<Element extends Selectable> implements Selection<Element> {
  readonly #rules: SortedRules;
  readonly #slots = new Map<Element, SortedSlot<Element>>();
  /** All slots but those that do not serve. */
  readonly #line = new OrderedSet<SortedSlot<Element>>(
    (a, b) => a.round - b.round || a.rank - b.rank || a.sequence - b.sequence,
    ({ round, rank }) => round + rank, // only weighted round robin has rounds; its ranks are below 1
  );
  /** A double counts selections for longer than any pool lives; RSPLIB's 32 bits have to be renumbered. */
  #sequence = 0;

  /** @param rules the policy's */
  constructor(rules: SortedRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#slots.size;
  }

  add(element: Element): void {
    assert(!this.#slots.has(element), "an element joins a selection once");
    const slot = new SortedSlot(element);
    this.#slots.set(element, slot);
    if (this.#serves(slot)) this.#join(slot);
  }

  remove(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that leaves a selection has joined it");
    this.#slots.delete(element);
    if (this.#serves(slot)) this.#line.delete(slot);
  }

  update(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that is updated has joined the selection");
    const previous = slot.policy;
    if (slot.uses === 0 && isSamePolicy(previous, element.policy)) return;
    const served = this.#serves(slot);
    if (served) this.#line.delete(slot);
    slot.policy = element.policy;
    slot.uses = 0;
    if (!this.#serves(slot)) return;
    if (!served) return this.#join(slot);
    this.#rules.changed?.(slot, this.#line.first(), previous);
    this.#number(slot);
    this.#line.add(slot);
  }

  select(count: number, maxIncrement: number = this.#rules.maxIncrement ?? 1): Element[] {
    if (count === 1) { // what most pool users ask for, and worth a way without intermediate lists
      const first = this.#line.first();
      if (first === undefined) return [];
      first.selections++;
      if (maxIncrement > 0) this.#line.move(first, this.#use);
      return [first.element];
    }
    const chosen = this.#line.take(count);
    chosen.forEach((slot, index) => {
      slot.selections++;
      if (index < maxIncrement) this.#line.move(slot, this.#use);
    });
    return chosen.map(({ element }) => element);
  }

  state(element: Element): SelectionState {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element whose state is asked has joined the selection");
    const { sequence, round, turns, selections } = slot;
    return { sequence, round, turns, degradation: degradationOf(slot), value: 0, selections };
  }

  *[Symbol.iterator](): IterableIterator<Element> {
    for (const { element } of this.#line) yield element;
  }

  checkInvariants(): void {
    this.#line.checkInvariants();
    let serving = 0;
    for (const slot of this.#slots.values()) {
      if (!this.#serves(slot)) continue;
      serving++;
      assert(this.#line.has(slot), "every slot stands at its place");
      assert(slot.rank === (this.#rules.rank?.(slot) ?? 0), "a slot's rank is up to date");
    }
    assert(this.#line.size === serving, "every element of a selection that serves stands in its line");
  }

  /** A slot was used. A field, so that moving it needs no closure. */
  readonly #use = (slot: SortedSlot<Element>): void => {
    this.#rules.used?.(slot);
    this.#number(slot);
  };

  #serves({ policy }: Slot): boolean {
    return this.#rules.serves?.(policy) ?? true;
  }

  #join(slot: SortedSlot<Element>): void {
    this.#rules.joined?.(slot, this.#line.first());
    this.#number(slot);
    this.#line.add(slot);
  }

  #number(slot: SortedSlot<Element>): void {
    slot.rank = this.#rules.rank?.(slot) ?? 0;
    slot.sequence = this.#sequence++;
  }
}

/** The load that an element's selections added since its last registration, as far as 32 bits can say. */
export function degradationOf({ policy, uses }: Pick<Slot, "policy" | "uses">): number {
  return Math.min(uses * policyField(policy, "loadDegradation"), 0xffffffff);
}

/** A policy of this name whose elements stand in a line. */
export function sortedPolicy(name: PolicyName, rules: SortedRules): Policy {
  return { name, type: PolicyType[name], select: () => new SortedSelection(rules) };
}
