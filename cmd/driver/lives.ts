/** The failure tester: a component that ends and begins again and again (reference/rsplib.md §1.3, §1.4). */
import type { Option } from "../options.ts";
import { decimal } from "../options.ts";
import type { Log } from "./log.ts";
import { MAX_TIMER_MS, pause } from "./pause.ts";

/** Options of the failure tester. */
export interface LivesOptions {
  readonly uptime: Option<number>;
  readonly downtime: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** For every component of a pool. */
export const livesOptions: LivesOptions = {
  uptime: seconds("Failure tester: mean time until it ends, exponentially distributed; 0 = never"),
  downtime: seconds("Failure tester: mean time until it begins again, exponentially distributed"),
};

function seconds(summary: string): Option<number> {
  return decimal(summary, { group: "Tests", valueName: "s", min: 0, max: 1_000_000, defaultValue: 0 });
}

/** Mean times in seconds; 0 as `uptime` = one life that only the user ends. */
export interface Lives {
  readonly uptime: number;
  readonly downtime: number;
}

/**
 * Runs a component until the user wants an end, or until a life of it fails.
 *
 * @param live one life: ends in order when its signal says so, and gives an exit code
 * @returns the exit code of the last life
 */
export async function inLives(
  { uptime, downtime }: Lives,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
  live: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  if (uptime === 0) return await live(signal);
  for (;;) {
    const exitCode = await limited(1000 * span(uptime), signal, live);
    if (exitCode !== 0 || signal.aborted) return exitCode;
    const milliseconds = 1000 * span(downtime);
    log.note(`failure tester: down for ${(milliseconds / 1000).toFixed(3)} s`, {
      event: "down",
      milliseconds,
    });
    if (!await pause(milliseconds, signal)) return exitCode;
  }
}

/**
 * Runs something that ends by itself after some time.
 *
 * @param milliseconds 0 = never
 * @param live ends in order when its signal says so, and gives an exit code
 */
export async function limited(
  milliseconds: number,
  signal: AbortSignal,
  live: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  if (milliseconds === 0) return await live(signal);
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), Math.min(milliseconds, MAX_TIMER_MS));
  try {
    return await live(AbortSignal.any([signal, end.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** A time with this mean, exponentially distributed. */
function span(mean: number): number {
  return -mean * Math.log(1 - Math.random());
}
