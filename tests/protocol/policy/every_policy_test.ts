import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { policyField, policyFields } from "../../../protocol/param/policy.ts";
import type { PolicyName, PolicyParameter } from "../../../protocol/param/policy.ts";
import { policies } from "../../../protocol/policy/mod.ts";
import { type Member, parameter } from "./members.ts";

/** Numbers that peers choose to do harm, and ordinary ones. */
const EDGES: readonly number[] = [0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function anyPolicy(name: PolicyName, random: Prng): PolicyParameter {
  const fields = policyFields(name).map((field) => {
    const value = random.chance(0.5) ? EDGES[random.below(EDGES.length)]! : random.u32();
    return [field, random.chance(0.3) ? random.below(4) : value];
  });
  return parameter(name, Object.fromEntries(fields));
}

/** Whether an element with this policy is ever selected. */
function serves(policy: PolicyParameter): boolean {
  return !policyFields(policy.name as PolicyName).includes("weight") || policyField(policy, "weight") > 0;
}

Deno.test("every policy selects as many as there are, each once, whatever numbers its elements have", () => {
  for (const { name, select } of policies) {
    const random = new Prng(7);
    const selection = select<Member>(random);
    const members: Member[] = [];
    for (let step = 0; step < 1500; step++) {
      const what = random.below(10);
      const member = members[random.below(Math.max(members.length, 1))];
      if (member === undefined || (what < 3 && members.length < 200)) {
        const added = { name: `${step}`, policy: anyPolicy(name, random) };
        selection.add(added);
        members.push(added);
      } else if (what < 5 && members.length > 100 + 90 * Math.sin(step / 100)) {
        selection.remove(member);
        members.splice(members.indexOf(member), 1);
      } else if (what < 7) {
        if (random.chance(0.8)) member.policy = anyPolicy(name, random);
        selection.update(member);
      } else {
        const count = 1 + random.below(random.chance(0.1) ? 300 : 5);
        const chosen = random.chance(0.5)
          ? selection.select(count)
          : selection.select(count, random.below(4));
        const serving = members.filter(({ policy }) => serves(policy));
        assert.equal(chosen.length, Math.min(count, serving.length), name);
        assert.equal(new Set(chosen).size, chosen.length, `${name} selects nobody twice`);
        assert.ok(chosen.every((one) => serving.includes(one)), `${name} selects those that are there`);
      }
      assert.equal(selection.size, members.length);
      if (step % 10 === 0) selection.checkInvariants();
    }
    for (const one of members) {
      const state = selection.state(one);
      assert.ok(Object.values(state).every(Number.isFinite) && state.degradation <= 0xffffffff, name);
    }
    assert.ok([...selection].every((one) => members.includes(one)), name);
  }
});

Deno.test("sorted policies offer what they would offer next, in the order of their lines", () => {
  for (const { name, select } of policies) {
    if (name.startsWith("Random") || name.startsWith("WeightedRandom")) continue;
    const random = new Prng(3);
    const selection = select<Member>(random);
    for (let i = 0; i < 300; i++) selection.add({ name: `${i}`, policy: anyPolicy(name, random) });
    for (let round = 0; round < 50; round++) {
      const line = [...selection].slice(0, 40);
      assert.deepEqual(selection.select(40), line, name);
    }
  }
});
