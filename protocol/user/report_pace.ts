import { poolKey } from "../handlespace/pool_key.ts";
import type { Instant } from "../net.ts";
import type { PoolHandle } from "../param/pool_handle.ts";

/**
 * A user says of an element at most once in this time that it does not answer. A registrar asks the element at each report,
 * so that one that is dead goes by the first; it counts reports (three within a minute are a usual limit), so that one goes
 * that answers the registrar and not the users (RFC 5352 §3.5). A program with many sessions, or on a machine that has too
 * much to do, must not be many users: alone it does not empty a pool whose elements are only slow.
 */
export const REPORT_INTERVAL_MS = 30_000;

/** Elements whose report is remembered; the oldest is forgotten first. */
export const MAX_REPORTED_ELEMENTS = 1024;

/** Which elements a user has reported of late. */
export class ReportPace {
  readonly #reportedAt = new Map<string, Instant>();

  /** Whether an element may be reported now. */
  admits(poolHandle: PoolHandle, elementId: number, now: Instant): boolean {
    const at = this.#reportedAt.get(keyOf(poolHandle, elementId));
    return at === undefined || now - at >= REPORT_INTERVAL_MS;
  }

  /** An element was reported. */
  reported(poolHandle: PoolHandle, elementId: number, now: Instant): void {
    const key = keyOf(poolHandle, elementId);
    this.#reportedAt.delete(key);
    if (this.#reportedAt.size >= MAX_REPORTED_ELEMENTS) {
      this.#reportedAt.delete(this.#reportedAt.keys().next().value!);
    }
    this.#reportedAt.set(key, now);
  }
}

function keyOf(poolHandle: PoolHandle, elementId: number): string {
  return `${elementId} ${poolKey(poolHandle)}`;
}
