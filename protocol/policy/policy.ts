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
  /** How many elements there are. */
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
  /** The elements in the order in which they would be selected next, if the policy has one. */
  [Symbol.iterator](): IterableIterator<Element>;
  /**
   * Checks the structure. For tests and simulations.
   *
   * @throws {InvariantError} when it is broken
   */
  checkInvariants(): void;
}

/** A pool member selection policy (RFC 5356). One file each; {@linkcode findPolicy} knows them all. */
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
