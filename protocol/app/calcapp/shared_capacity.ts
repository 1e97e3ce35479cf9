import { TimerQueue } from "../../machine.ts";
import type { Instant } from "../../net.ts";

/** Work that would be done within this time, in milliseconds, is done: clocks and sums are rounded. */
const ROUNDING_MS = 0.001;

/**
 * A capacity that any number of jobs share equally (processor sharing).
 *
 * Theory of operation: all jobs get the same, so that one number tells all their progress: the calculations that a job
 * which was there from the beginning would have got. What is to happen when a job has got so much more is a timer in
 * these units instead of time; only the first of them is translated into an instant, by the present number of jobs.
 *
 * @example Two jobs at 100 calculations a second: the second one comes when the first is half done
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const capacity = new SharedCapacity<string>(100);
 * capacity.join(0);
 * capacity.after("first", 100, 0);
 * capacity.join(500);
 * capacity.after("second", 100, 500);
 * assert.equal(capacity.next(), 1500, "half the speed for the other half");
 * assert.equal(capacity.takeDue(1500), "first");
 * capacity.leave(1500);
 * assert.equal(capacity.next(), 2000, "the second has done half by now");
 * ```
 */
export class SharedCapacity<Key> {
  readonly #perMs: number;
  /** In calculations of a job. */
  readonly #alarms = new TimerQueue<Key>();
  #jobs = 0;
  #progress = 0;
  #used = 0;
  #at: Instant = 0;

  /** @param perSecond calculations a second, more than 0 */
  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
  }

  /** How many jobs share it. */
  get jobCount(): number {
    return this.#jobs;
  }

  /** A job begins. */
  join(now: Instant): void {
    this.#advance(now);
    this.#jobs++;
  }

  /** A job ends. */
  leave(now: Instant): void {
    this.#advance(now);
    this.#jobs--;
  }

  /** What each job has got so far, in calculations. Differences tell what one has got since. */
  progress(now: Instant): number {
    this.#advance(now);
    return this.#progress;
  }

  /** What all jobs have got together, in calculations. */
  used(now: Instant): number {
    this.#advance(now);
    return this.#used;
  }

  /** Sets or moves an alarm: when each job will have got so many calculations more. */
  after(key: Key, calculations: number, now: Instant): void {
    this.#advance(now);
    this.#alarms.set(key, this.#progress + calculations);
  }

  /** Takes an alarm back. */
  clear(key: Key): void {
    this.#alarms.clear(key);
  }

  /** When the first alarm is due as things are; undefined = never. */
  next(): Instant | undefined {
    const due = this.#alarms.next();
    if (due === undefined || this.#jobs === 0) return undefined;
    return this.#at + Math.max(0, due - this.#progress) * this.#jobs / this.#perMs;
  }

  /** Takes out the first alarm that is due by now. */
  takeDue(now: Instant): Key | undefined {
    this.#advance(now);
    if (this.#jobs === 0) return undefined;
    return this.#alarms.takeDue(this.#progress + ROUNDING_MS * this.#perMs / this.#jobs);
  }

  #advance(now: Instant): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = Math.max(this.#at, now);
    if (this.#jobs === 0) return;
    this.#progress += elapsed * this.#perMs / this.#jobs;
    this.#used += elapsed * this.#perMs;
  }
}
