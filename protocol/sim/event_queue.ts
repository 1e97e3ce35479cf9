import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";

/** Something that happens. */
interface Event {
  readonly at: Instant;
  /** Order of scheduling, so that what is due at the same instant happens in that order. */
  readonly serial: number;
  readonly action: () => void;
}

/**
 * What will happen, by virtual time: scheduling and taking are O(log n), and what is due at the same instant happens in
 * the order it was asked for. Events are never taken back; an action that has become pointless looks for itself and does
 * nothing. That makes a bare heap of it, faster than a TimerQueue: a simulation spends much of its time here.
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
  /** A binary heap. */
  readonly #heap: Event[] = [];
  #serial = 0;
  #now: Instant = 0;

  /** The virtual time: the instant of the last event, or where {@linkcode advance} went. */
  get now(): Instant {
    return this.#now;
  }

  /** How many events wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** When the next event happens; undefined = nothing waits. */
  next(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  /**
   * Schedules an event.
   *
   * @param at when; the past counts as now
   * @param action what happens
   */
  schedule(at: Instant, action: () => void): void {
    assert(!Number.isNaN(at), "an event happens at a number");
    const event = { at: Math.max(at, this.#now), serial: this.#serial++, action };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /**
   * Lets the next event happen.
   *
   * @returns false when nothing waits
   */
  step(): boolean {
    const first = this.#heap[0];
    if (first === undefined) return false;
    this.#takeFirst();
    this.#now = first.at;
    first.action();
    return true;
  }

  /** Lets time pass up to an instant at which or before which nothing waits. */
  advance(to: Instant): void {
    const next = this.next();
    assert(next === undefined || next >= to, "time does not pass over a waiting event");
    this.#now = Math.max(this.#now, to);
  }

  #takeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (let child = 1; child < size; child = 2 * index + 1) {
      if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}
