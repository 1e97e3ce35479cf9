/**
 * Runs applications in worlds whose registrars, servers and ways fail, in virtual time, until it is told to stop, or
 * something is lost.
 *
 *     scripts/soak sessions                        a minute of worlds, all applications in turn
 *     scripts/soak sessions --application calcapp  of one application
 *     scripts/soak sessions --application ledger --seed 42    one world, told fault by fault
 *
 * Every failure is printed with the command that repeats it. Exit code 1 when there was one.
 */
import { parseArgs } from "node:util";
import { runSessionWorld, WORKLOADS } from "../protocol/sim/session/mod.ts";
import { say, soak } from "./seeds.ts";

const { values } = parseArgs({
  options: {
    application: { type: "string" },
    seed: { type: "string" },
    first: { type: "string" },
    count: { type: "string" },
    seconds: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const names = values.application === undefined ? Object.keys(WORKLOADS) : [values.application];
const failovers = new Map<string, number>();

/** Runs the world of a seed with each application; true when all was well. */
function run(seed: number, tell: boolean): boolean {
  return names.map((name) => runOne(name, seed, tell)).every((isWell) => isWell);
}

function runOne(name: string, seed: number, tell: boolean): boolean {
  const make = WORKLOADS[name];
  if (make === undefined) {
    say(`there is no application ${name}; there are ${Object.keys(WORKLOADS).join(", ")}`);
    return false;
  }
  try {
    const result = runSessionWorld(seed, make, tell ? say : undefined);
    failovers.set(name, (failovers.get(name) ?? 0) + result.failovers);
    if (tell || values.verbose) say(`${name} ${JSON.stringify(result)}`);
    return true;
  } catch (error) {
    say(
      `FAILED ${name} seed ${seed}: ${error instanceof Error ? (tell ? error.stack : error.message) : error}`,
    );
    say(`  repeat: scripts/soak sessions --application ${name} --seed ${seed}`);
    return false;
  }
}

soak(values, run, (passed, failed, spentMs) => {
  const told = [...failovers].map(([name, count]) => `${name} ${count}`).join(", ");
  return `${passed} seeds passed, ${failed} failed in ${(spentMs / 1000).toFixed(0)} s; failovers: ${told}`;
});
