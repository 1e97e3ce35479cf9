/** Waits for a program such as tcpdump, which sleeps when it has read everything that there was. */

/** How often to look, and how long at most, in milliseconds. */
const LOOK_MS = 10, LIMIT_MS = 60_000;

/** Waits until a process sleeps or is gone: a signal would end it in the middle of what it has not yet read. */
export async function caughtUp(pid: number): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (await isBusy(pid) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Whether it runs, is about to, waits for a disk, or stands still. */
async function isBusy(pid: number): Promise<boolean> {
  const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  return /^\d+ \(.*\) [RDT] /.test(state);
}
