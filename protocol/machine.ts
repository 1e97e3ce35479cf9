import type { Instant } from "./net.ts";
import { assert } from "./wire/assert.ts";

/**
 * A protocol as a value: inputs and the time go in, effects come out. Deterministic, synchronous, without a clock, a
 * timer, a socket or a random source of its own, so that an hour of failures can be tested in two seconds.
 *
 * A driver feeds a batch of inputs with one clock reading, drains once and re-arms one timer.
 */
export interface Machine<Input, Effect> {
  /** Takes one input. Never throws on what a peer sent, and never calls back. */
  handle(input: Input, now: Instant): void;
  /** Runs what is due. Extra calls are harmless. */
  tick(now: Instant): void;
  /** When `tick` has something to do; undefined = never. */
  nextTimeout(): Instant | undefined;
  /** Everything asked for since the last drain, in order. */
  drain(): Effect[];
}

/** The first of some instants; undefined = there is none. */
export function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const instant of instants) {
    if (instant !== undefined && (first === undefined || instant < first)) first = instant;
  }
  return first;
}

/** The effects of a machine until its driver drains them. */
export class Outbox<Effect> {
  #effects: Effect[] = [];

  /** Adds an effect behind those that wait. */
  push(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Takes all effects out. */
  drain(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

interface TimerEntry<Key> {
  readonly key: Key;
  dueAt: Instant;
  /** Order of setting, so that timers of the same instant fire in the order they were set. */
  serial: number;
  /** Its place in the heap: the instant and serial number that it had there, never behind the present ones. */
  placeDueAt: Instant;
  placeSerial: number;
  /** False = replaced, cleared or fired. */
  isLive: boolean;
}

/**
 * Timers by key, in a binary heap: setting, replacing and clearing are O(log n). Putting a timer off, which is what
 * happens to most of them again and again, is O(1): its entry stays where it is, and goes to its right place when it
 * comes up. A cleared entry, or one that was replaced by an earlier one, stays in the heap until it comes up or until such
 * entries outnumber the living ones.
 *
 * @example Two timers, one moved
 * ```ts
 * import { TimerQueue } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const timers = new TimerQueue<string>();
 * timers.set("keep-alive", 5000);
 * timers.set("announce", 1000);
 * timers.set("keep-alive", 500);
 * assert.equal(timers.next(), 500);
 * assert.equal(timers.takeDue(1000), "keep-alive");
 * assert.equal(timers.takeDue(1000), "announce");
 * assert.equal(timers.takeDue(1000), undefined);
 * ```
 */
export class TimerQueue<Key> {
  readonly #heap: TimerEntry<Key>[] = [];
  readonly #live = new Map<Key, TimerEntry<Key>>();
  #serial = 0;

  /** How many timers are set. */
  get size(): number {
    return this.#live.size;
  }

  /** Sets or moves the timer of a key. */
  set(key: Key, dueAt: Instant): void {
    assert(!Number.isNaN(dueAt), "a timer is due at a number");
    const serial = this.#serial++, present = this.#live.get(key);
    if (present !== undefined && dueAt >= present.placeDueAt) {
      present.dueAt = dueAt;
      present.serial = serial;
      return;
    }
    if (present !== undefined) present.isLive = false;
    const entry = { key, dueAt, serial, placeDueAt: dueAt, placeSerial: serial, isLive: true };
    this.#live.set(key, entry);
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#live.size) this.#compact();
  }

  /** Clears the timer of a key, if it is set. */
  clear(key: Key): void {
    const entry = this.#live.get(key);
    if (entry === undefined) return;
    entry.isLive = false;
    this.#live.delete(key);
  }

  /** When the timer of a key is due; undefined = not set. */
  dueAt(key: Key): Instant | undefined {
    return this.#live.get(key)?.dueAt;
  }

  /** When the first timer is due; undefined = none is set. */
  next(): Instant | undefined {
    return this.#first()?.dueAt;
  }

  /** Takes out the first timer that is due by now. Call it until it gives undefined. */
  takeDue(now: Instant): Key | undefined {
    const first = this.#first();
    if (first === undefined || first.dueAt > now) return undefined;
    this.#pop();
    first.isLive = false;
    this.#live.delete(first.key);
    return first.key;
  }

  /** The first timer, when those before it that are dead or put off are where they belong. */
  #first(): TimerEntry<Key> | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.isLive) this.#pop();
      else if (first.placeSerial === first.serial) return first;
      else {
        settle(first);
        this.#siftDown();
      }
    }
    return undefined;
  }

  #compact(): void {
    for (const entry of this.#live.values()) settle(entry);
    const living = [...this.#live.values()].sort((a, b) => before(a, b) ? -1 : 1); // a sorted array is a heap
    this.#heap.length = 0;
    for (const entry of living) this.#heap.push(entry); // more than a call may have arguments
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftUp(index: number): void {
    const heap = this.#heap;
    const entry = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const entry = heap[0]!;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

function before<Key>(a: TimerEntry<Key>, b: TimerEntry<Key>): boolean {
  return a.placeDueAt < b.placeDueAt || (a.placeDueAt === b.placeDueAt && a.placeSerial < b.placeSerial);
}

function settle<Key>(entry: TimerEntry<Key>): void {
  entry.placeDueAt = entry.dueAt;
  entry.placeSerial = entry.serial;
}

/**
 * A seeded generator (xoshiro128**, Blackman and Vigna 2018), good for jitter, selection and simulation. Not for
 * secrets: verification tags and cookie keys come from the driver's random source.
 *
 * @example Same seed, same numbers
 * ```ts
 * import { Prng } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * assert.equal(new Prng(7).u32(), new Prng(7).u32());
 * assert.ok(new Prng(7).below(6) < 6);
 * ```
 */
export class Prng {
  readonly #state = new Uint32Array(4);

  /**
   * Makes a generator whose numbers depend on the seed alone.
   *
   * @param seed any number; its lower 32 bits count
   */
  constructor(seed: number) {
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) { // splitmix32: no seed gives the forbidden all-zero state
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let word = mixed ^ mixed >>> 16;
      word = Math.imul(word, 0x21f0aaad);
      word = Math.imul(word ^ word >>> 15, 0x735a2d97);
      this.#state[i] = word ^ word >>> 15;
    }
  }

  /** 32 random bits. */
  u32(): number {
    const s = this.#state;
    const scrambled = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return scrambled;
  }

  /** A number in [0, 1). */
  uniform(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }
}

function rotateLeft(word: number, bits: number): number {
  return word << bits | word >>> (32 - bits);
}
