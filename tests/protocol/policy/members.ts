/** Elements for the tests of policies. */
import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { PolicyType } from "../../../protocol/param/policy.ts";
import type { PolicyField, PolicyName, PolicyParameter } from "../../../protocol/param/policy.ts";
import { findPolicy } from "../../../protocol/policy/mod.ts";
import type { Selection } from "../../../protocol/policy/mod.ts";

/** A pool element with a name. */
export interface Member {
  readonly name: string;
  policy: PolicyParameter;
}

/** A policy's numbers; those that it has and that are not given are 0. */
export type Numbers = { readonly [field in PolicyField]?: number };

/** A policy parameter. */
export function parameter(name: PolicyName, numbers: Numbers): PolicyParameter {
  return { name, type: PolicyType[name], ...numbers } as PolicyParameter;
}

/** A pool under a policy, and its members by name. */
export class TestPool {
  readonly selection: Selection<Member>;
  readonly members: Map<string, Member> = new Map();
  readonly #name: PolicyName;

  constructor(name: PolicyName, members: Readonly<Record<string, Numbers>>, seed = 1) {
    const policy = findPolicy(PolicyType[name]);
    assert.ok(policy !== undefined, name);
    this.#name = name;
    this.selection = policy.select<Member>(new Prng(seed));
    for (const [member, numbers] of Object.entries(members)) this.register(member, numbers);
  }

  /** Registers a member, for the first time or again. */
  register(name: string, numbers: Numbers): void {
    const policy = parameter(this.#name, numbers);
    const present = this.members.get(name);
    if (present !== undefined) {
      present.policy = policy;
      this.selection.update(present);
    } else {
      const member = { name, policy };
      this.members.set(name, member);
      this.selection.add(member);
    }
    this.selection.checkInvariants();
  }

  /** Selects; the names in the order of choice. */
  select(count = 1, maxIncrement?: number): string {
    const names = this.selection.select(count, maxIncrement).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, "nobody is selected twice");
    this.selection.checkInvariants();
    return names.join("");
  }

  /** Selects one element so many times; the names in a row. */
  run(times: number): string {
    let names = "";
    for (let i = 0; i < times; i++) names += this.select();
    return names;
  }

  /** Selects one element so many times; how often each came. */
  tally(times: number): Map<string, number> {
    const counts = new Map([...this.members.keys()].map((name) => [name, 0]));
    for (let i = 0; i < times; i++) {
      for (const { name } of this.selection.select(1)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    this.selection.checkInvariants();
    return counts;
  }

  /** The state of a member. */
  state(name: string): ReturnType<Selection<Member>["state"]> {
    return this.selection.state(this.members.get(name)!);
  }
}

/**
 * Pearson's test of goodness of fit: the counts must not be further from the expected shares than chance takes them
 * in all but one of a hundred thousand seeds. The seeds of tests are fixed, so that a test fails always or never.
 */
export function assertShares(
  counts: ReadonlyMap<string, number>,
  shares: Readonly<Record<string, number>>,
): void {
  const times = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  let statistic = 0;
  let freedom = -1;
  for (const [name, share] of Object.entries(shares)) {
    const expected = times * share / total;
    const found = counts.get(name) ?? 0;
    if (expected === 0) {
      assert.equal(found, 0, `${name} has no chance`);
      continue;
    }
    assert.ok(expected >= 5, "the test needs at least five expected of each");
    statistic += (found - expected) ** 2 / expected;
    freedom++;
  }
  // Wilson and Hilferty's approximation of the quantile; 4.265 standard deviations leave 1e-5 above.
  const part = 2 / (9 * freedom);
  const limit = freedom * (1 - part + 4.265 * Math.sqrt(part)) ** 3;
  assert.ok(statistic <= limit, `χ² = ${statistic.toFixed(1)} > ${limit.toFixed(1)}: ${[...counts]}`);
}
