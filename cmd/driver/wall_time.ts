/** The time of day as RSPLIB's files have it: in seconds since 1970, with microseconds. */
import type { Instant } from "../../protocol/net.ts";

/** Milliseconds since 1970, with fractions. */
export type WallTime = number;

/** Now. It does not jump while the program runs, so that differences are true. */
export function wallTime(): WallTime {
  return performance.timeOrigin + performance.now();
}

/** The time of day at an instant of the clock that machines go by. */
export function wallTimeAt(instant: Instant): WallTime {
  return performance.timeOrigin + instant;
}

/** Milliseconds as `1.234567` seconds. */
export function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(6);
}
