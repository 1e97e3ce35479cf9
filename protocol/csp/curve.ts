import type { Instant } from "../net.ts";
import { assert } from "../wire/mod.ts";

/** Samples that are kept as they came: five minutes of one a second. */
export const RECENT_SAMPLES = 300;

/** Points of the whole time: as many as a plot has room for. When there are more, pairs of them become one. */
export const WHOLE_POINTS = 360;

/** A curve grows into its room from here: most components live shortly. */
const FIRST_ROOM = 16;

/** Points of a curve, oldest first. */
export interface CurvePoints {
  readonly times: readonly Instant[];
  /** A column for each value of a sample; NaN = there was none. */
  readonly columns: readonly (readonly number[])[];
}

/**
 * The last values as they came.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const curve = new RecentCurve(1);
 * curve.add(0, [0.25]);
 * curve.add(1000, [0.75]);
 * assert.deepEqual(curve.points(), { times: [0, 1000], columns: [[0.25, 0.75]] });
 * ```
 */
export class RecentCurve {
  readonly #table: Table;

  /** @param columnCount values of a sample */
  constructor(columnCount: number) {
    this.#table = new Table(columnCount + 1, RECENT_SAMPLES);
  }

  /** Takes a sample that is newer than all others. NaN = no value. */
  add(now: Instant, values: readonly number[]): void {
    if (this.#table.length === RECENT_SAMPLES) this.#table.dropFirst();
    this.#table.push([now, ...values]);
  }

  /** Each sample is a point. */
  points(): CurvePoints {
    return this.#table.points();
  }
}

/**
 * Values of the whole time in bounded room: means over steps that double whenever the room is full. However long it grows, it
 * can be drawn.
 */
export class WholeCurve {
  readonly #table: Table;
  /** How many samples make a point. */
  #step = 1;
  #pending: number[] = [];

  /** @param columnCount values of a sample */
  constructor(columnCount: number) {
    this.#table = new Table(columnCount + 1, WHOLE_POINTS);
  }

  /** Takes a sample that is newer than all others. NaN = no value. */
  add(now: Instant, values: readonly number[]): void {
    this.#pending.push(now, ...values);
    const width = values.length + 1;
    if (this.#pending.length < this.#step * width) return;
    this.#table.push(meanRow(this.#pending, width));
    this.#pending = [];
    if (this.#table.length < WHOLE_POINTS) return;
    this.#table.halve();
    this.#step *= 2;
  }

  /** Means over equal numbers of samples; the last samples are no point yet. */
  points(): CurvePoints {
    return this.#table.points();
  }
}

/** Rows of numbers in a ring that grows to its limit. */
class Table {
  readonly #width: number;
  readonly #limit: number;
  #values: Float64Array<ArrayBuffer>;
  #first = 0;
  length = 0;

  constructor(width: number, limit: number) {
    this.#width = width;
    this.#limit = limit;
    this.#values = new Float64Array(width * Math.min(FIRST_ROOM, limit));
  }

  push(row: readonly number[]): void {
    assert(row.length === this.#width, "a sample has the values of its curve");
    assert(this.length < this.#limit, "a table has room for the row");
    if (this.length === this.#room) this.#grow();
    this.#values.set(row, this.#place(this.length++));
  }

  dropFirst(): void {
    this.#first = (this.#first + 1) % this.#room;
    this.length--;
  }

  /** Makes one row of two. */
  halve(): void {
    const rows = this.#rows(), width = this.#width;
    this.#first = this.length = 0;
    for (let index = 0; index + 1 < rows.length / width; index += 2) {
      this.push(meanRow(rows.slice(index * width, (index + 2) * width), width));
    }
  }

  points(): CurvePoints {
    const rows = this.#rows(), width = this.#width;
    const column = (index: number) => rows.filter((_, place) => place % width === index);
    const [times = [], ...columns] = Array.from({ length: width }, (_, index) => column(index));
    return { times, columns };
  }

  get #room(): number {
    return this.#values.length / this.#width;
  }

  #place(index: number): number {
    return (this.#first + index) % this.#room * this.#width;
  }

  #rows(): number[] {
    const rows: number[] = [];
    for (let index = 0; index < this.length; index++) {
      const place = this.#place(index);
      for (let column = 0; column < this.#width; column++) rows.push(this.#values[place + column]!);
    }
    return rows;
  }

  #grow(): void {
    const rows = this.#rows(), room = Math.min(2 * this.#room, this.#limit);
    this.#values = new Float64Array(room * this.#width);
    this.#values.set(rows);
    this.#first = 0;
  }
}

/** The means of the columns of some rows; a value that is missing does not count. */
function meanRow(rows: readonly number[], width: number): number[] {
  return Array.from({ length: width }, (_, column) => {
    let sum = 0, count = 0;
    for (let place = column; place < rows.length; place += width) {
      const value = rows[place]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? Number.NaN : sum / count;
  });
}
