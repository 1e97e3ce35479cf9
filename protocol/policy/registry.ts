import { leastUsedPolicies } from "./least_used.ts";
import type { Policy } from "./policy.ts";
import { priority } from "./priority.ts";
import { random, weightedRandom, weightedRandomDpf } from "./random.ts";
import { randomizedLeastUsedPolicies } from "./randomized_least_used.ts";
import { roundRobin } from "./round_robin.ts";
import { weightedRoundRobin } from "./weighted_round_robin.ts";

/** Every policy that this program can select by. */
export const policies: readonly Policy[] = [
  roundRobin,
  weightedRoundRobin,
  random,
  weightedRandom,
  weightedRandomDpf,
  priority,
  ...leastUsedPolicies,
  ...randomizedLeastUsedPolicies,
];

const BY_TYPE: ReadonlyMap<number, Policy> = new Map(policies.map((policy) => [policy.type, policy]));

/**
 * The policy of a number.
 *
 * @param type policy type as on the wire
 * @returns undefined when this program cannot select by it
 */
export function findPolicy(type: number): Policy | undefined {
  return BY_TYPE.get(type);
}
