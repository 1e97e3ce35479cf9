/** What the soaks have in common: which seeds they run, and for how long. */
import process from "node:process";

/** Options that say which seeds are run. */
export interface SeedChoice {
  /** This one alone, told in full. */
  readonly seed?: string | undefined;
  /** The first of many; absent = by the clock. */
  readonly first?: string | undefined;
  /** So many of them, however long it takes. */
  readonly count?: string | undefined;
  /** Without `count`: for so long; absent = a minute. */
  readonly seconds?: string | undefined;
}

/** Writes a line at once. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs the seeds that were asked for, and sets the exit code: 1 when one failed.
 *
 * @param run runs one; `tell` = in full. Returns whether all was well
 * @param sum the last line, from what was counted
 */
export function soak(
  { seed: only, first: wanted, count: counted, seconds }: SeedChoice,
  run: (seed: number, tell: boolean) => boolean,
  sum: (passed: number, failed: number, spentMs: number) => string,
): void {
  if (only !== undefined) {
    process.exitCode = run(Number(only), true) ? 0 : 1;
    return;
  }
  const first = Number(wanted ?? Math.floor(Date.now() / 1000) % 1_000_000 * 1000);
  const startedAt = performance.now();
  const until = startedAt + 1000 * Number(seconds ?? 60);
  const count = counted === undefined ? Infinity : Number(counted);
  let passed = 0, failed = 0;
  say(`first seed ${first}`);
  for (let seed = first; seed < first + count && (count !== Infinity || performance.now() < until); seed++) {
    if (run(seed, false)) passed++;
    else failed++;
  }
  say(sum(passed, failed, performance.now() - startedAt));
  process.exitCode = failed > 0 ? 1 : 0;
}
