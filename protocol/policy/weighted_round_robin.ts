import { policyField } from "../param/policy.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { Policy } from "./policy.ts";
import { sortedPolicy } from "./sorted_selection.ts";
import type { Slot } from "./sorted_selection.ts";

/**
 * Weighted Round Robin (RFC 5356 §4.2): in each round an element comes as often as its weight says, at even distances,
 * so that a heavy element leaves gaps for the light ones; RSPLIB has all turns of an element in a row. With weights of
 * 1 this is Round Robin.
 *
 * Theory of operation: time is counted in rounds, and an element of weight w has its turns every 1/w. Where they lie is
 * kept as a number of turns that went before in the round and the part of a turn, `phase`, so that rounding errors do
 * not add up (cf. Waldspurger and Weihl 1995, "Stride Scheduling").
 *
 * A weight of 0 says that the element provides no service (RFC 5356 §3.2): it is not selected.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Prng } from "@rsp/rsp";
 * import type { PolicyParameter } from "@rsp/rsp";
 *
 * const weight = (weight: number) => ({ name: "WeightedRoundRobin", type: 2, weight } as const);
 * const selection = weightedRoundRobin.select<{ policy: PolicyParameter; name: string }>(new Prng(1));
 * selection.add({ name: "a", policy: weight(5) });
 * selection.add({ name: "b", policy: weight(2) });
 * const turns = [1, 2, 3, 4, 5, 6, 7].map(() => selection.select(1)[0]!.name);
 * assert.equal(turns.join(""), "aaabaab");
 * ```
 */
export const weightedRoundRobin: Policy = sortedPolicy("WeightedRoundRobin", {
  serves: (policy) => policyField(policy, "weight") > 0,
  rank: (slot) => (weightOf(slot) - slot.turns + slot.phase) / weightOf(slot),
  joined: join,
  changed: rescale,
  used: (slot) => {
    if (--slot.turns > 0) return;
    slot.round++;
    slot.turns = weightOf(slot);
  },
});

function weightOf({ policy }: { readonly policy: PolicyParameter }): number {
  return policyField(policy, "weight");
}

/** A newcomer waits as long as if it had been selected just now: nobody gains by coming anew. */
function join(slot: Slot, first: Slot | undefined): void {
  if (first === undefined) enter(slot, 0, 0);
  else enter(slot, first.round, first.rank + 1 / weightOf(slot));
}

/**
 * The weight changed. What the element still had to wait is stretched or shortened as the gaps between its turns are,
 * so that nobody gains or loses by registering again.
 */
function rescale(slot: Slot, first: Slot | undefined, previous: PolicyParameter): void {
  const ahead = first === undefined ? 0 : slot.round - first.round + slot.rank - first.rank;
  if (first === undefined || ahead <= 0) return enter(slot, slot.round, slot.rank);
  enter(slot, first.round, first.rank + ahead * policyField(previous, "weight") / weightOf(slot));
}

/**
 * Sets a slot's next turn.
 *
 * @param round a round
 * @param time when the turn is, in rounds from the start of that one
 */
function enter(slot: Slot, round: number, time: number): void {
  const weight = weightOf(slot);
  const rounds = Math.floor(time);
  const before = Math.min((time - rounds) * weight, weight - 0.5); // rounding must not make it a whole round
  slot.round = round + rounds;
  slot.turns = weight - Math.floor(before);
  slot.phase = before - Math.floor(before);
}
