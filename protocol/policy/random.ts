import { fractionFromWire, policyField } from "../param/policy.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { Policy } from "./policy.ts";
import { valuePolicy } from "./value_selection.ts";

/** Random (RFC 5356 §4.3): everyone has the same chance. */
export const random: Policy = valuePolicy("Random", { value: () => 1, maxIncrement: 0 });

/**
 * Weighted Random (RFC 5356 §4.4): chances are as the weights. A weight of 0 says that the element provides no service
 * (RFC 5356 §3.2): it is not selected.
 */
export const weightedRandom: Policy = valuePolicy("WeightedRandom", {
  value: (policy) => policyField(policy, "weight"),
  maxIncrement: 0,
});

/** Weighted Random with delay penalty factor: each millisecond of distance takes a part of the weight. */
export const weightedRandomDpf: Policy = valuePolicy("WeightedRandomDPF", {
  value: nearWeight,
  maxIncrement: 0,
});

/** An element that serves keeps a weight of 1 however far away it is. */
function nearWeight(policy: PolicyParameter): number {
  const weight = policyField(policy, "weight");
  if (weight === 0) return 0;
  const penalty = policyField(policy, "distanceMs") * fractionFromWire(policyField(policy, "weightDpf"));
  return Math.max(weight - Math.round(weight * penalty), 1);
}
