import { assert } from "../../wire/assert.ts";

/** A point of time as clocks on the wall of some place show it. */
export interface WallClockTime {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  /** 1–31. */
  readonly day: number;
  /** 0 = Sunday, 6 = Saturday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0–999999. */
  readonly microsecond: number;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
] as const;

/**
 * What a daytime service sends, in the words of RSPLIB's (reference/rsplib.md §5.6).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const date = { year: 2010, month: 6, day: 9, weekday: 3 };
 * const text = daytimeText({ ...date, hour: 14, minute: 5, second: 7, microsecond: 1234 });
 * assert.equal(text, "Wednesday, 09-June-2010 14:05:07.001234\n");
 * ```
 */
export function daytimeText(time: WallClockTime): string {
  const weekday = WEEKDAYS[time.weekday], month = MONTHS[time.month - 1];
  assert(weekday !== undefined && month !== undefined, "a week has seven days, and a year has twelve months");
  const date = `${digits(time.day, 2)}-${month}-${digits(time.year, 4)}`;
  const clock = [time.hour, time.minute, time.second].map((part) => digits(part, 2)).join(":");
  return `${weekday}, ${date} ${clock}.${digits(time.microsecond, 6)}\n`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
