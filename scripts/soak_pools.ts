/**
 * Runs made-up worlds of registrars, pool elements and pool users in virtual time until it is told to stop, or something
 * breaks.
 *
 *     scripts/soak pools                       a minute of worlds, first seed by the clock
 *     scripts/soak pools --seconds 3600        an hour
 *     scripts/soak pools --seed 42             one world, told fault by fault; with --trace what it makes of them, too
 *     scripts/soak pools --first 1 --count 200 these worlds
 *     scripts/soak pools --registrars 3 --elements 20 --users 5 --minutes 20
 *
 * Every failure is printed with the command that repeats it. Exit code 1 when there was one.
 */
import { parseArgs } from "node:util";
import { HOUR_WORLD, randomWorldOptions, runRandomWorld } from "../protocol/sim/pool/mod.ts";
import type { RandomWorldSize } from "../protocol/sim/pool/mod.ts";
import { say, soak } from "./seeds.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    first: { type: "string" },
    count: { type: "string" },
    seconds: { type: "string" },
    registrars: { type: "string" },
    elements: { type: "string" },
    users: { type: "string" },
    minutes: { type: "string" },
    trace: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const size: RandomWorldSize = {
  registrars: Number(values.registrars ?? HOUR_WORLD.registrars),
  elements: Number(values.elements ?? HOUR_WORLD.elements),
  users: Number(values.users ?? HOUR_WORLD.users),
  durationMs: values.minutes === undefined ? HOUR_WORLD.durationMs : 60_000 * Number(values.minutes),
};

/** The options that make this size, for the command that repeats a failure. */
function sizeOptions(): string {
  return (["registrars", "elements", "users", "minutes"] as const)
    .flatMap((name) => values[name] === undefined ? [] : [` --${name} ${values[name]}`]).join("");
}

/** Runs one world; true when all was well. */
function run(seed: number, tell: boolean): boolean {
  if (tell) say(JSON.stringify(randomWorldOptions(seed, size)));
  const startedAt = performance.now();
  try {
    const result = runRandomWorld(seed, size, tell ? say : undefined, values.trace);
    const spentMs = performance.now() - startedAt;
    if (tell || values.verbose) say(`${JSON.stringify(result)} ${spentMs.toFixed(0)} ms`);
    return true;
  } catch (error) {
    say(`FAILED seed ${seed}: ${error instanceof Error ? (tell ? error.stack : error.message) : error}`);
    say(`  repeat: scripts/soak pools --seed ${seed}${sizeOptions()}`);
    return false;
  }
}

soak(
  values,
  run,
  (passed, failed, spentMs) => `${passed} passed, ${failed} failed, ${(spentMs / 1000).toFixed(0)} s`,
);
