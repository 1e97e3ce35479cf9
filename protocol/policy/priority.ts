import { policyField } from "../param/policy.ts";
import type { Policy } from "./policy.ts";
import { sortedPolicy } from "./sorted_selection.ts";

/** Priority (RFC 5356 §4.5): the highest priorities first, in turns among equals. */
export const priority: Policy = sortedPolicy("Priority", {
  rank: ({ policy }) => -policyField(policy, "priority"),
});
