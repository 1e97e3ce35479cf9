import type { PolicyParameter } from "../param/policy.ts";
import { assert } from "../wire/assert.ts";
import { OrderedSet } from "./ordered_set.ts";
import type { Selectable, Selection } from "./policy.ts";

/** What a sorted policy knows of an element. Policies read what they need and leave the rest alone. */
export interface Slot {
  /** The policy values that the place in the order comes from. */
  policy: PolicyParameter;
  /** Grows with each placing: equal elements take turns. */
  sequence: number;
  /** Weighted round robin: the round in which the element comes next. */
  round: number;
  /** Weighted round robin: how often it still comes in this round. */
  turns: number;
  /** Load added by selections since the last registration, in units of the load. */
  degradation: number;
}

/** The rules of a policy whose elements stand in a line (reference/rsplib.md §2.3, engine A). */
export interface SortedRules {
  /** The order, without the sequence, which decides between equals. Default: all are equal. */
  readonly compare?: (a: Slot, b: Slot) => number;
  /** An element joins: sets its start values. `first` is the head of the line. */
  readonly start?: (slot: Slot, first: Slot | undefined) => void;
  /** An element was registered with other values. */
  readonly update?: (slot: Slot) => void;
  /** An element was selected; it is placed anew after this. */
  readonly selected?: (slot: Slot) => void;
}

/** How many of the selected elements count as used, unless the registrar is told otherwise. */
const DEFAULT_MAX_INCREMENT = 1;

class SortedSlot<Element extends Selectable> implements Slot {
  readonly element: Element;
  policy: PolicyParameter;
  sequence = 0;
  round = 0;
  turns = 0;
  degradation = 0;

  constructor(element: Element) {
    this.element = element;
    this.policy = element.policy;
  }
}

/**
 * Elements in a line: the first ones are selected, and those that count as used are placed anew. Everything is
 * O(log n); selecting k elements O(log n + k).
 */
export class SortedSelection<Element extends Selectable> implements Selection<Element> {
  readonly #rules: SortedRules;
  readonly #slots = new Map<Element, SortedSlot<Element>>();
  readonly #line: OrderedSet<SortedSlot<Element>>;
  /** A double counts selections for longer than any pool lives; RSPLIB's 32 bits have to be renumbered. */
  #sequence = 0;

  /** @param rules the policy's */
  constructor(rules: SortedRules) {
    this.#rules = rules;
    const { compare } = rules;
    this.#line = new OrderedSet<SortedSlot<Element>>(
      compare === undefined
        ? (a, b) => a.sequence - b.sequence
        : (a, b) => compare(a, b) || a.sequence - b.sequence,
    );
  }

  get size(): number {
    return this.#slots.size;
  }

  add(element: Element): void {
    assert(!this.#slots.has(element), "an element joins a selection once");
    const slot = new SortedSlot(element);
    this.#rules.start?.(slot, this.#line.first());
    this.#slots.set(element, slot);
    this.#place(slot);
  }

  remove(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that leaves a selection has joined it");
    this.#slots.delete(element);
    this.#line.delete(slot);
  }

  update(element: Element): void {
    const slot = this.#slots.get(element);
    assert(slot !== undefined, "an element that is updated has joined the selection");
    if (slot.degradation === 0 && samePolicy(slot.policy, element.policy)) return;
    this.#line.delete(slot);
    slot.policy = element.policy;
    slot.degradation = 0;
    this.#rules.update?.(slot);
    this.#place(slot);
  }

  select(count: number, maxIncrement: number = DEFAULT_MAX_INCREMENT): Element[] {
    const chosen = this.#line.take(count);
    for (const slot of chosen.slice(0, maxIncrement)) {
      this.#line.delete(slot);
      this.#rules.selected?.(slot);
      this.#place(slot);
    }
    return chosen.map(({ element }) => element);
  }

  *[Symbol.iterator](): IterableIterator<Element> {
    for (const { element } of this.#line) yield element;
  }

  checkInvariants(): void {
    this.#line.checkInvariants();
    assert(this.#line.size === this.#slots.size, "every element of a selection stands in its line");
    for (const slot of this.#slots.values()) assert(this.#line.has(slot), "every slot stands at its place");
  }

  #place(slot: SortedSlot<Element>): void {
    slot.sequence = this.#sequence++;
    this.#line.add(slot);
  }
}

/** Whether two policy parameters have the same values. */
export function samePolicy(a: PolicyParameter, b: PolicyParameter): boolean {
  if (a === b) return true;
  const fields = Object.entries(a);
  const others: Readonly<Record<string, unknown>> = { ...b };
  return fields.length === Object.keys(others).length &&
    fields.every(([name, value]) => others[name] === value);
}
