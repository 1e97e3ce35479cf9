import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { policyField } from "../../../protocol/param/policy.ts";
import type { PolicyParameter } from "../../../protocol/param/policy.ts";
import { findPolicy, policies } from "../../../protocol/policy/mod.ts";
import { SortedSelection } from "../../../protocol/policy/sorted_selection.ts";

interface Fake {
  readonly name: string;
  policy: PolicyParameter;
}

const fake = (name: string, policy: PolicyParameter = { name: "RoundRobin", type: 1 }): Fake => ({
  name,
  policy,
});
const names = (elements: Iterable<Fake>) => [...elements].map(({ name }) => name).join("");

function roundRobin(...elements: string[]): { selection: SortedSelection<Fake>; fakes: Fake[] } {
  const selection = new SortedSelection<Fake>({});
  const fakes = elements.map((name) => fake(name));
  for (const element of fakes) selection.add(element);
  return { selection, fakes };
}

Deno.test("round robin lets everyone come in turn, newcomers last", () => {
  const { selection } = roundRobin("a", "b", "c");
  assert.equal(names(selection.select(1)), "a");
  selection.add(fake("d"));
  assert.equal(names(selection), "bcad");
  assert.equal(names([1, 2, 3, 4, 5].flatMap(() => selection.select(1))), "bcadb");
  selection.checkInvariants();
});

Deno.test("round robin moves on by one, or by as many as it is told", () => {
  const { selection } = roundRobin("a", "b", "c");
  assert.equal(names(selection.select(2)), "ab");
  assert.equal(names(selection.select(9)), "bca");
  assert.equal(names(selection), "cab");
  assert.equal(names(selection.select(2, Infinity)), "ca");
  assert.equal(names(selection), "bca");
  assert.equal(names(selection.select(3, 0)), "bca");
  assert.equal(names(selection), "bca");
});

Deno.test("registering again with equal values leaves the place in the line as it is", () => {
  const { selection, fakes } = roundRobin("a", "b", "c");
  fakes[0]!.policy = { name: "RoundRobin", type: 1 };
  selection.update(fakes[0]!);
  assert.equal(names(selection), "abc");
  selection.remove(fakes[1]!);
  assert.equal(names(selection), "ac");
  selection.checkInvariants();
});

Deno.test("a sorted policy places by its own order, and anew when values change", () => {
  const load = (value: number) => ({ name: "LeastUsed", type: 0x40000001, load: value } as const);
  const selection = new SortedSelection<Fake>({ rank: ({ policy }) => policyField(policy, "load") });
  const fakes = [fake("a", load(30)), fake("b", load(10)), fake("c", load(10))];
  for (const element of fakes) selection.add(element);
  assert.equal(names(selection), "bca");
  assert.equal(names(selection.select(1)), "b");
  assert.equal(names(selection), "cba", "among equals the one used longest ago is next");
  fakes[0]!.policy = load(5);
  selection.update(fakes[0]!);
  assert.equal(names(selection), "acb");
  selection.checkInvariants();
});

Deno.test("the registry knows each policy by its number", () => {
  for (const policy of policies) {
    assert.equal(findPolicy(policy.type), policy);
    assert.equal(policy.select<Fake>(new Prng(1)).size, 0);
  }
  assert.equal(findPolicy(0x12345), undefined);
});
