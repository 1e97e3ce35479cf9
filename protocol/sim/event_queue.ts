import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";

/** Something that happens; an object of its own each time, so that one function may be scheduled twice. */
interface Event {
  readonly action: () => void;
}

/**
 * What will happen, by virtual time: scheduling and taking are O(log n), and what is due at the same instant happens in
 * the order it was asked for. Events are never taken back; an action that has become pointless looks for itself and does nothing.
 *
 * @example Two events, the later one scheduled first
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const queue = new EventQueue();
 * const happened: string[] = [];
 * queue.schedule(20, () => happened.push("second"));
 * queue.schedule(10, () => happened.push("first"));
 * while (queue.step());
 * assert.deepEqual(happened, ["first", "second"]);
 * assert.equal(queue.now, 20);
 * ```
 */
export class EventQueue {
  readonly #events = new TimerQueue<Event>();
  #now: Instant = 0;

  /** The virtual time: the instant of the last event, or where {@linkcode advance} went. */
  get now(): Instant {
    return this.#now;
  }

  /** How many events wait. */
  get size(): number {
    return this.#events.size;
  }

  /** When the next event happens; undefined = nothing waits. */
  next(): Instant | undefined {
    return this.#events.next();
  }

  /**
   * Schedules an event.
   *
   * @param at when; the past counts as now
   * @param action what happens
   */
  schedule(at: Instant, action: () => void): void {
    assert(!Number.isNaN(at), "an event happens at a number");
    this.#events.set({ action }, Math.max(at, this.#now));
  }

  /**
   * Lets the next event happen.
   *
   * @returns false when nothing waits
   */
  step(): boolean {
    const at = this.#events.next();
    if (at === undefined) return false;
    this.#now = at;
    this.#events.takeDue(at)?.action();
    return true;
  }

  /** Lets time pass up to an instant at which or before which nothing waits. */
  advance(to: Instant): void {
    const next = this.next();
    assert(next === undefined || next >= to, "time does not pass over a waiting event");
    this.#now = Math.max(this.#now, to);
  }
}
