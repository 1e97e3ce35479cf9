/** Durations by the million in constant memory. */

/** Steps between a power of two and the next: values are kept to better than one percent. */
const STEPS = 128;
/** Up to 2^51 nanoseconds: 26 days. */
const POWERS = 44;

/**
 * Counts durations in classes that grow with the value, as HdrHistogram does: exact below 128 ns, to 0.8 % above.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const histogram = new Histogram();
 * for (let i = 1; i <= 100; i++) histogram.record(i);
 * assert.equal(Math.round(histogram.percentile(50)), 50);
 * assert.equal(histogram.max, 100);
 * ```
 */
export class Histogram {
  count = 0;
  /** Milliseconds. */
  min: number = Infinity;
  /** Milliseconds. */
  max = 0;
  readonly #classes = new Float64Array(STEPS * POWERS);
  #sum = 0;

  /** Mean in milliseconds; 0 when there is nothing. */
  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** Takes one duration in milliseconds. */
  record(milliseconds: number): void {
    this.count++;
    this.#sum += milliseconds;
    if (milliseconds < this.min) this.min = milliseconds;
    if (milliseconds > this.max) this.max = milliseconds;
    this.#classes[classOf(milliseconds * 1e6)]!++;
  }

  /** Takes all that another one took. */
  merge(other: Histogram): void {
    this.count += other.count;
    this.#sum += other.#sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    other.#classes.forEach((count, index) => this.#classes[index]! += count);
  }

  /**
   * The value that so many percent of all do not exceed.
   *
   * @returns milliseconds; 0 when there is nothing
   */
  percentile(percent: number): number {
    if (this.count === 0) return 0;
    let left = Math.max(1, Math.ceil(this.count * percent / 100));
    const index = this.#classes.findIndex((count) => (left -= count) <= 0);
    return Math.min(this.max, Math.max(this.min, middleOf(index) / 1e6));
  }
}

function classOf(nanoseconds: number): number {
  if (!(nanoseconds >= STEPS)) return Math.max(0, Math.floor(nanoseconds));
  const power = Math.floor(Math.log2(nanoseconds)) - 7; // 2^7 = STEPS
  const step = Math.floor(nanoseconds / 2 ** power) - STEPS;
  return Math.min(STEPS * POWERS - 1, (power + 1) * STEPS + Math.min(STEPS - 1, Math.max(0, step)));
}

/** The middle of a class, in nanoseconds. */
function middleOf(index: number): number {
  if (index < STEPS) return index;
  const power = Math.floor(index / STEPS) - 1;
  return (STEPS + index % STEPS + 0.5) * 2 ** power;
}
