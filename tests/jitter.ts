/** Where this variable has a number of milliseconds, tests stand still for up to that long after whatever they waited for. */
const VARIABLE = "RSP_TEST_JITTER";

const longestMs = Number(Deno.env.get(VARIABLE) ?? 0);

/**
 * Stands still for a random time, as on a busy machine; usually not at all.
 *
 * Between two steps of a test with real programs their timers go on. `RSP_TEST_JITTER=5000 scripts/test net` makes those
 * steps come late, each as late as it likes, and shows the tests that count on being fast.
 */
export async function jitter(): Promise<void> {
  if (longestMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs));
}
