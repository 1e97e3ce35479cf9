/**
 * Waits for a time, or until somebody wants an end.
 *
 * @param milliseconds Infinity = for the end alone
 * @returns true when the time has passed, false when the signal came first
 */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (passed: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onEnd);
      resolve(passed);
    };
    const onEnd = () => end(false);
    signal?.addEventListener("abort", onEnd);
    const timer = milliseconds === Infinity
      ? undefined
      : setTimeout(() => end(true), Math.min(milliseconds, MAX_TIMER_MS));
  });
}

/** Longest delay that a timer takes without wrapping: 24.8 days. */
export const MAX_TIMER_MS = 0x7fff_ffff;
