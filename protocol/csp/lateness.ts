import type { Instant } from "../net.ts";
import type { Component } from "./monitor.ts";

/** A component that is silent for so many of its intervals is late. */
const LATE_INTERVALS = 3;

/** But not sooner than after this time, as for being gone. */
const MIN_LATE_MS = 1000;

/** Whether a component should have reported long ago. */
export function isLate({ reportedAt, report }: Component, now: Instant): boolean {
  return now - reportedAt > Math.max(MIN_LATE_MS, LATE_INTERVALS * report.intervalUs / 1000);
}
