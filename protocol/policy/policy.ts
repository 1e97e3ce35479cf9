import type { Prng } from "../machine.ts";
import type { PolicyName, PolicyParameter } from "../param/policy.ts";

/** What can be selected: a pool element, or an entry that stands for one. */
export interface Selectable {
  /** The element's policy parameter, as last registered. */
  readonly policy: PolicyParameter;
}

/**
 * The elements of one pool in the state of its policy. Selecting changes the state: that is how round robin goes
 * round.
 */
export interface Selection<Element extends Selectable> extends Iterable<Element> {
  /** How many elements there are, those included that are not selected because their weight is 0. */
  readonly size: number;
  /** Takes an element in. */
  add(element: Element): void;
  /** Takes an element out. */
  remove(element: Element): void;
  /** The element was registered again: its policy values may differ. Equal values leave its place as it is. */
  update(element: Element): void;
  /**
   * Selects elements, the first choice first.
   *
   * @param count how many at most
   * @param maxIncrement how many of them at most count as used, and so move back in the order; default: the
   *   policy's. A registrar cannot know how many of its offers a pool user tries (reference/rsplib.md §2.3).
   */
  select(count: number, maxIncrement?: number): Element[];
  /** What the policy knows of an element, for displays. */
  state(element: Element): SelectionState;
  /** The elements in the order in which they would be selected next, if the policy has one. */
  [Symbol.iterator](): IterableIterator<Element>;
  /**
   * Checks the structure. For tests and simulations.
   *
   * @throws {InvariantError} when it is broken
   */
  checkInvariants(): void;
}

/** What a policy keeps of an element beside its parameter (reference/rsplib.md §6.2 shows it in dumps). */
export interface SelectionState {
  /** Place among equals; with random policies, place in the row. */
  readonly sequence: number;
  /** Weighted round robin: the round in which the element comes next. */
  readonly round: number;
  /** Weighted round robin: how often it still comes in this round. */
  readonly turns: number;
  /** Load added by selections since the last registration, 32 bits; 0xffffffff = 1 or more. */
  readonly degradation: number;
  /** Random policies: the element's share of chance. */
  readonly value: number;
  /** How often it was selected. */
  readonly selections: number;
}

/** A pool member selection policy (RFC 5356). {@linkcode findPolicy} knows them all. */
export interface Policy {
  /** RSPLIB's name, as in `-policy=`. */
  readonly name: PolicyName;
  /** The policy's number on the wire. */
  readonly type: number;
  /**
   * Makes the selection state of a new pool.
   *
   * @param random chance for the policies that need it
   */
  select<Element extends Selectable>(random: Prng): Selection<Element>;
}
