/**
 * The least used policies whose order is certain. All sort by the load to expect, and take turns among equals; they
 * differ in the sessions that they see coming.
 *
 * @module
 */
import { expectedLoad } from "./expected_load.ts";
import type { Policy } from "./policy.ts";
import { sortedPolicy } from "./sorted_selection.ts";
import type { SortedRules } from "./sorted_selection.ts";

/** The load as it was told. */
const LEAST_USED: SortedRules = { rank: ({ policy }) => expectedLoad(policy, 0) };

/** The load as it will be with the session that is about to be placed. */
const PRIORITY: SortedRules = { rank: ({ policy }) => expectedLoad(policy, 1) };

/**
 * RFC 5356 §5.2.2: an element's degradation counter MUST be incremented whenever it is returned to a pool user. RSPLIB
 * counts the first element of a response only; `-maxincrement=1` does so here.
 */
const COUNTING: Pick<SortedRules, "used" | "maxIncrement"> = {
  used: (slot) => void slot.uses++,
  maxIncrement: Infinity,
};

/** The load with the sessions that were placed since it was told. */
const DEGRADATION: SortedRules = { ...COUNTING, rank: ({ policy, uses }) => expectedLoad(policy, uses) };

/** Both. */
const PRIORITY_DEGRADATION: SortedRules = {
  ...COUNTING,
  rank: ({ policy, uses }) => expectedLoad(policy, uses + 1),
};

/**
 * Least Used (RFC 5356 §5.1), Least Used with Degradation (§5.2), Priority Least Used (§5.3), RSPLIB's Priority Least
 * Used with Degradation, and all of them with a delay penalty factor (draft-dreibholz-rserpool-delay).
 */
export const leastUsedPolicies: readonly Policy[] = [
  sortedPolicy("LeastUsed", LEAST_USED),
  sortedPolicy("LeastUsedDPF", LEAST_USED),
  sortedPolicy("LeastUsedDegradation", DEGRADATION),
  sortedPolicy("LeastUsedDegradationDPF", DEGRADATION),
  sortedPolicy("PriorityLeastUsed", PRIORITY),
  sortedPolicy("PriorityLeastUsedDPF", PRIORITY),
  sortedPolicy("PriorityLeastUsedDegradation", PRIORITY_DEGRADATION),
  sortedPolicy("PriorityLeastUsedDegradationDPF", PRIORITY_DEGRADATION),
];
