import { boundsOf } from "./bounds.ts";
import { parseScenario } from "./scenario.ts";
import { runPoolScenario } from "./scenario_run.ts";

/**
 * All small worlds: a few registrars and elements, and every sequence of so many faults, each some time after the one
 * before. What a soak finds by chance once in a million worlds is found here for certain, if it is small.
 *
 * A world is the text of a scenario, so that one that fails can be kept as it is.
 */

/** How long after the fault before: at once, before anybody is missed, and after everybody was. */
const GAPS = ["300ms", "6s", "14s"] as const;

/** What can happen. */
const FAULTS = [
  "power off registrar 1",
  "crash registrar 1",
  "stop registrar 1",
  "start registrar 1",
  "power off registrar 2",
  "cut registrar 1 -> registrar 2",
  "cut registrar 2 -> registrar 1",
  "cut registrar 1 <-> registrar 2",
  "cut registrar 1 <-> element 1",
  "heal",
  "pause registrar 1 for 12s",
  "power off element 1",
  "stop element 1",
] as const;

/** How large. */
export interface SmallWorldSize {
  readonly registrars: number;
  readonly elements: number;
  /** How many faults. */
  readonly depth: number;
}

/** How many worlds there are. */
export function smallWorldCount({ depth }: SmallWorldSize): number {
  return FAULTS.length ** depth * GAPS.length ** (depth - 1);
}

/**
 * The text of one of them.
 *
 * @param index from 0 to one less than {@linkcode smallWorldCount}
 */
export function smallWorld(size: SmallWorldSize, index: number): string {
  const world = `world registrars=${size.registrars} elements=${size.elements} users=1 seed=${index + 1} ` +
    "reregistration=6s resolve=5s";
  const { options } = parseScenario(world);
  const settle = `${Math.ceil(boundsOf(options).settleMs)}ms`;
  return [
    world,
    "at 0s: start registrars",
    "at 6s: start elements, users",
    "at 9s: expect settled",
    ...faults(size.depth, index),
    "after 1s: heal",
    "after 0s: start registrars, elements",
    `after ${settle}: expect settled`,
    "after 0s: demand service",
    "after 15s: expect settled",
    "",
  ].join("\n");
}

/** The digits of the index, one base after the other. */
function faults(depth: number, index: number): string[] {
  const lines: string[] = [];
  let rest = index;
  const digit = <Item>(items: readonly Item[]): Item => {
    const item = items[rest % items.length]!;
    rest = Math.floor(rest / items.length);
    return item;
  };
  for (let n = 0; n < depth; n++) {
    const gap = n === 0 ? "3s" : digit(GAPS);
    lines.push(`after ${gap}: ${digit(FAULTS)}`);
  }
  return lines;
}

/**
 * Runs one of them.
 *
 * @returns what was wrong; empty = nothing
 */
export function runSmallWorld(size: SmallWorldSize, index: number): readonly string[] {
  return runPoolScenario(parseScenario(smallWorld(size, index))).complaints;
}
