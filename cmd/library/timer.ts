/** Timers for limits that a caller chose. */

/** A longer delay wraps: `setTimeout` makes 1 ms of it. It is 24.8 days, and whoever wants more wants no limit. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** As `setTimeout`, but a delay that is too long for it, such as Infinity, never ends. */
export function startTimer(delayMs: number, callback: () => void): ReturnType<typeof setTimeout> | undefined {
  return delayMs > MAX_TIMER_MS ? undefined : setTimeout(callback, delayMs);
}
