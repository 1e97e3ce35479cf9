/**
 * The least used policies that draw lots: an element's share of chance is what the load to expect leaves free.
 *
 * @module
 */
import type { PolicyParameter } from "../param/policy.ts";
import { expectedLoad } from "./expected_load.ts";
import type { Policy } from "./policy.ts";
import { valuePolicy } from "./value_selection.ts";

/** What is left free, as a share of 0xffffffff. At least 1, or a pool would be empty once all are fully loaded. */
function unload(policy: PolicyParameter, sessions: number): number {
  return Math.max(0xffffffff - expectedLoad(policy, sessions), 1);
}

/**
 * Randomized Least Used (RFC 5356 §5.4), and RSPLIB's with degradation, with the session to come, and with both. Those
 * with degradation count as Least Used with Degradation does (RFC 5356 §5.2.2).
 */
export const randomizedLeastUsedPolicies: readonly Policy[] = [
  valuePolicy("RandomizedLeastUsed", { value: (policy) => unload(policy, 0), maxIncrement: 0 }),
  valuePolicy("RandomizedPriorityLeastUsed", { value: (policy) => unload(policy, 1), maxIncrement: 0 }),
  valuePolicy("RandomizedLeastUsedDegradation", { value: unload, maxIncrement: Infinity }),
  valuePolicy("RandomizedPriorityLeastUsedDegradation", {
    value: (policy, uses) => unload(policy, uses + 1),
    maxIncrement: Infinity,
  }),
];
