/** RFC 5356: pool member selection policies, at registrar and pool user. Each test: init, act, check. */
import assert from "node:assert/strict";
import { AsapType } from "../../protocol/asap/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import { CauseCode, isAdaptive, PolicyType } from "../../protocol/param/mod.ts";
import type { PolicyName, PolicyParameter, PoolElement } from "../../protocol/param/mod.ts";
import { findPolicy, policies } from "../../protocol/policy/mod.ts";
import { ResolutionCache } from "../../protocol/user/resolution_cache.ts";
import { assertShares, type Numbers, parameter } from "../protocol/policy/members.ts";
import { element, POOL, RegistrarHarness } from "../protocol/registrar/harness.ts";
import { message, tlv, u32 } from "./asap_bench.ts";

/** Octets that a registrar sent contain these in a row. */
function contains(octets: Uint8Array, part: readonly number[]): boolean {
  return octets.toHex().includes(Uint8Array.from(part).toHex());
}

/** A registrar with a pool of elements 1, 2, … with these numbers, and a pool user. */
class World {
  readonly harness = new RegistrarHarness({ maxElementsPerAssociation: 1000 });
  readonly association: number = this.harness.up();
  readonly #name: PolicyName;

  constructor(name: PolicyName, ...elements: readonly Numbers[]) {
    this.#name = name;
    elements.forEach((numbers, index) => this.register(index + 1, numbers));
  }

  register(elementId: number, numbers: Numbers): void {
    const policy = parameter(this.#name, numbers);
    const answer = this.harness.register(this.association, element(elementId, { policy }));
    assert.ok(answer.type === "registrationResponse" && !answer.rejected);
  }

  resolve(items: number): number[] {
    const ids = this.harness.resolve(this.association, items);
    this.harness.registrar.checkInvariants();
    return ids;
  }

  /** The first choices of so many resolutions. */
  choices(times: number): number[] {
    return Array.from({ length: times }, () => this.resolve(1)[0]!);
  }

  /** How often each element was the choice. */
  tally(times: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (let i = 0; i < times; i++) {
      const [id] = this.harness.resolve(this.association, 1);
      counts.set(`${id}`, (counts.get(`${id}`) ?? 0) + 1);
    }
    return counts;
  }
}

/** What a registrar says to a registration with a policy of these octets, and to a resolution after it. */
function exchange(policy: readonly number[]): { accepted: boolean; told: Uint8Array | undefined } {
  const harness = new RegistrarHarness();
  const association = harness.up();
  const transport = tlv(0x0004, [0x10, 0, 0, 1, ...tlv(0x0001, [10, 1, 1, 1])]);
  const handle = tlv(0x0009, POOL);
  const poolElement = tlv(0x000a, [...u32(1), ...u32(0), ...u32(90_000), ...transport, ...policy]);
  const [answer] = harness.octets(association, message(AsapType.registration, 0, [handle, poolElement]));
  harness.octets(association, message(AsapType.handleResolution, 0, [handle]));
  const accepted = answer?.type === "registrationResponse" && !answer.rejected;
  return { accepted, told: harness.answers.at(-1)?.octets };
}

/** A pool user's cache that has this response. */
function cacheOf(name: PolicyName, ...elements: readonly Numbers[]): () => number {
  const cache = new ResolutionCache(1000, new Prng(1));
  const members: PoolElement[] = elements.map((numbers, index) =>
    element(index + 1, { policy: parameter(name, numbers) })
  );
  cache.put(POOL, members, 0);
  return () => cache.select(POOL, 1, 0)![0]!.elementId;
}

// ------------------------------------------------------------------------------------------------- §3 load and weight

Deno.test("§3.1: a load of 0x00000000 says that an element is not utilized, 0xffffffff that it is fully", () => {
  const world = new World("LeastUsed", { load: 0xffffffff }, { load: 0 });

  assert.deepEqual(world.resolve(2), [2, 1]);
});

Deno.test("§3.2: an element of weight 0 provides no service: it is not selected", () => {
  for (const name of ["WeightedRoundRobin", "WeightedRandom"] as const) {
    const world = new World(name, { weight: 0 }, { weight: 1 });

    assert.deepEqual(world.resolve(2), [2], name);
  }
});

// --------------------------------------------------------------------------------------------------- §4.1 round robin

Deno.test("§4.1.1: round robin MUST be supported", () => {
  assert.equal(findPolicy(1)?.name, "RoundRobin");
});

Deno.test("§4.1.2: the elements come from a circular list, starting with its head", () => {
  const world = new World("RoundRobin", {}, {}, {}, {});

  assert.deepEqual(world.resolve(4), [1, 2, 3, 4]);
});

Deno.test("§4.1.2: then the head is advanced by one element", () => {
  const world = new World("RoundRobin", {}, {}, {}, {});
  world.resolve(3);

  assert.deepEqual(world.resolve(3), [2, 3, 4]);
  assert.deepEqual(world.resolve(3), [3, 4, 1]);
});

Deno.test("§4.1.3: a pool user uses the list in turns, from the first, and begins again at its end", () => {
  const next = cacheOf("RoundRobin", {}, {}, {});

  // The first element is taken from the response itself.
  assert.deepEqual([1, 2, 3, 4, 5].map(next), [2, 3, 1, 2, 3]);
});

// ------------------------------------------------------------------------------------------ §4.2 weighted round robin

Deno.test("§4.2.1: with all weights 1, weighted round robin is round robin", () => {
  const world = new World("WeightedRoundRobin", { weight: 1 }, { weight: 1 }, { weight: 1 });
  const roundRobin = new World("RoundRobin", {}, {}, {});

  for (let i = 0; i < 9; i++) assert.deepEqual(world.resolve(1 + i % 3), roundRobin.resolve(1 + i % 3));
});

Deno.test("§4.2.2: the share of an element's occurrences is its weight against the sum of weights", () => {
  const world = new World("WeightedRoundRobin", { weight: 5 }, { weight: 2 }, { weight: 3 });

  for (let round = 0; round < 10; round++) {
    assert.deepEqual(Object.fromEntries(world.tally(10)), { 1: 5, 2: 2, 3: 3 });
  }
});

Deno.test("§4.2.2: the occurrences of an element are evenly distributed", () => {
  const world = new World("WeightedRoundRobin", { weight: 6 }, { weight: 2 });

  const choices = world.choices(32);

  const places = choices.flatMap((id, index) => id === 2 ? [index] : []);
  assert.ok(
    places.length === 8 && places.slice(1).every((place, i) => place - places[i]! === 4),
    `${choices}`,
  );
});

Deno.test("§4.2.3: a pool user follows the same rules as for round robin", () => {
  const next = cacheOf("WeightedRoundRobin", { weight: 2 }, { weight: 1 });

  const ids = Array.from({ length: 9 }, next);

  assert.deepEqual([ids.filter((id) => id === 1).length, ids.filter((id) => id === 2).length], [6, 3]);
});

// ----------------------------------------------------------------------------------------------------- §4.3 and §4.4

Deno.test("§4.3.2, §4.4.2, §5.4.2: at most as many elements as asked for are selected, none of them twice", () => {
  const names = ["Random", "WeightedRandom", "RandomizedLeastUsed"] as const;
  for (const name of names) {
    const world = new World(name, ...Array.from({ length: 5 }, (_, i) => ({ weight: 1 + i, load: i })));
    for (const count of [1, 2, 4, 5, 9]) {
      const ids = world.resolve(count);

      assert.equal(ids.length, Math.min(count, 5), name);
      assert.equal(new Set(ids).size, ids.length, name);
    }
  }
});

Deno.test("§4.3.2: random gives all elements the same probability", () => {
  const world = new World("Random", {}, {}, {}, {});

  assertShares(world.tally(4000), { 1: 1, 2: 1, 3: 1, 4: 1 });
});

Deno.test("§4.3.3: a pool user selects from the list at random", () => {
  const next = cacheOf("Random", {}, {}, {});
  const counts = new Map<string, number>();

  for (let i = 0; i < 3000; i++) {
    const id = `${next()}`;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }

  assertShares(counts, { 1: 1, 2: 1, 3: 1 });
});

Deno.test("§4.4.1: random is weighted random with all weights 1", () => {
  const world = new World("WeightedRandom", { weight: 1 }, { weight: 1 }, { weight: 1 });

  assertShares(world.tally(3000), { 1: 1, 2: 1, 3: 1 });
});

Deno.test("§4.4.2: the probability of an element is its weight against the sum of weights", () => {
  const world = new World("WeightedRandom", { weight: 10 }, { weight: 30 }, { weight: 60 });

  assertShares(world.tally(4000), { 1: 10, 2: 30, 3: 60 });
});

// ------------------------------------------------------------------------------------------------------ §4.5 priority

Deno.test("§4.5.2: the elements with the highest priorities are selected and reported in decreasing order", () => {
  const world = new World("Priority", { priority: 3 }, { priority: 9 }, { priority: 5 }, { priority: 9 });

  const first = world.resolve(3);

  assert.deepEqual(first.slice(0, 2).toSorted(), [2, 4]);
  assert.equal(first[2], 3);
});

Deno.test("§4.5.3: the pool user selects the active element with the highest priority", () => {
  const cache = new ResolutionCache(1000, new Prng(1));
  const members = [5, 9, 7].map((priority, index) =>
    element(index + 1, { policy: parameter("Priority", { priority }) })
  );
  cache.put(POOL, members, 0);

  assert.equal(cache.select(POOL, 1, 0)?.[0]?.elementId, 2);
  assert.equal(cache.select(POOL, 1, 0)?.[0]?.elementId, 2);
  cache.forget(POOL, 2);
  assert.equal(cache.select(POOL, 1, 0)?.[0]?.elementId, 3);
});

Deno.test("§4.5.4: larger numbers mean higher priorities, all 32 bits of them", () => {
  const world = new World("Priority", { priority: 0 }, { priority: 0xffffffff }, { priority: 0x7fffffff });

  assert.deepEqual(world.resolve(3), [2, 3, 1]);
});

// ---------------------------------------------------------------------------------------------------- §5.1 least used

Deno.test("§5.1.2: the elements with the lowest loads are selected, sorted by load", () => {
  const world = new World("LeastUsed", { load: 40 }, { load: 10 }, { load: 30 }, { load: 20 });

  assert.deepEqual(world.resolve(3), [2, 4, 3]);
});

Deno.test("§5.1.2: among elements of equal load round robin selection is made", () => {
  const world = new World("LeastUsed", { load: 10 }, { load: 10 }, { load: 99 }, { load: 10 });

  assert.deepEqual(world.choices(6), [1, 2, 4, 1, 2, 4]);
});

Deno.test("§5.1.3: a pool user uses the elements in the order of their loads", () => {
  const next = cacheOf("LeastUsed", { load: 5 }, { load: 7 });

  assert.deepEqual([1, 2].map(next), [1, 1]);
});

// ----------------------------------------------------------------------------------- §5.2 least used with degradation

Deno.test("§5.2.2: elements have the lowest sum of load and degradation counter times load degradation", () => {
  const world = new World(
    "LeastUsedDegradation",
    { load: 0, loadDegradation: 30 },
    { load: 10, loadDegradation: 10 },
  );

  assert.deepEqual(world.choices(6), [1, 2, 2, 1, 2, 2]); // 0, 10, 20, 30 = 30, …
});

Deno.test("§5.2.2: the counter is incremented by 1 for each entry that is returned", () => {
  const world = new World(
    "LeastUsedDegradation",
    { load: 0, loadDegradation: 10 },
    { load: 0, loadDegradation: 10 },
    { load: 15, loadDegradation: 10 },
  );
  world.resolve(2);
  world.resolve(2);

  const { selection, elements } = world.harness.registrar.handlespace.pool(POOL)!;
  const degradations = [1, 2, 3].map((id) => selection.state(elements.get(id)!).degradation);
  assert.deepEqual(degradations, [20, 20, 0]);
  assert.equal(world.resolve(1)[0], 3);
});

Deno.test("§5.2.2: registration and re-registration set the counter to 0", () => {
  const world = new World(
    "LeastUsedDegradation",
    { load: 0, loadDegradation: 10 },
    { load: 5, loadDegradation: 10 },
  );
  world.resolve(1);
  world.resolve(1);

  world.register(1, { load: 0, loadDegradation: 10 });

  const { selection, elements } = world.harness.registrar.handlespace.pool(POOL)!;
  assert.deepEqual([1, 2].map((id) => selection.state(elements.get(id)!).degradation), [0, 10]);
  assert.equal(world.resolve(1)[0], 1);
});

// ------------------------------------------------------------------------------------------- §5.3 priority least used

Deno.test("§5.3.1: an element at 50% that a request loads by 10% comes before one that it fills", () => {
  const half = 0x80000000;
  const world = new World(
    "PriorityLeastUsed",
    { load: half, loadDegradation: half - 1 },
    { load: half, loadDegradation: 0x1999999a },
  );

  assert.deepEqual(world.resolve(2), [2, 1]);
});

Deno.test("§5.3.2: the list is sorted by the sum of load and degradation", () => {
  const world = new World(
    "PriorityLeastUsed",
    { load: 50, loadDegradation: 20 },
    { load: 10, loadDegradation: 50 },
    { load: 0, loadDegradation: 90 },
    { load: 40, loadDegradation: 0 },
  );

  assert.deepEqual(world.resolve(4), [4, 2, 1, 3]);
});

Deno.test("§5.3.2: among entries of equal value round robin is made", () => {
  const world = new World(
    "PriorityLeastUsed",
    { load: 50, loadDegradation: 10 },
    { load: 10, loadDegradation: 50 },
  );

  assert.deepEqual(world.choices(4), [1, 2, 1, 2]);
});

// ----------------------------------------------------------------------------------------- §5.4 randomized least used

Deno.test("§5.4.1: the probability of an element is its unload against the unload of the pool", () => {
  const world = new World("RandomizedLeastUsed", { load: 0 }, { load: 0x80000000 }, { load: 0xc0000000 });

  assertShares(world.tally(4000), { 1: 4, 2: 2, 3: 1 });
});

// --------------------------------------------------------------------------------------------- parameters and numbers

Deno.test("§4.1.4, §4.2.4, §4.3.4, §4.4.4, §4.5.4, §5.1.4, §5.2.4, §5.3.4, §5.4.4: the parameters' layouts", () => {
  const layouts: readonly (readonly [number, number])[] = [
    [0x00000001, 0x08],
    [0x00000002, 0x0c],
    [0x00000003, 0x08],
    [0x00000004, 0x0c],
    [0x00000005, 0x0c],
    [0x40000001, 0x0c],
    [0x40000002, 0x10],
    [0x40000003, 0x10],
    [0x40000004, 0x0c],
  ];
  for (const [type, length] of layouts) {
    const values = Array.from({ length: length / 4 - 2 }, (_, i) => u32(0x01020304 + i)).flat();
    const policy = [0, 8, 0, length, ...u32(type), ...values];

    const { accepted, told } = exchange(policy);

    assert.ok(accepted, `policy ${type} is accepted`);
    assert.ok(told !== undefined && contains(told, policy), `policy ${type} is told as it came`);
  }
});

Deno.test("§7.1: bit A tells the adaptive policies of the standard ones", () => {
  for (const { name, type } of policies) {
    if (type >= 0x80000000) continue; // private use: RSPLIB's have no bit A
    const policy = { ...parameter(name, {}), ...(name.includes("LeastUsed") && { load: 0 }) };

    assert.equal(isAdaptive(policy as PolicyParameter), (type & 0x40000000) !== 0, name);
  }
});

Deno.test("§7.1: the registrar supports all policies that were assigned, under their numbers", () => {
  const assigned = [1, 2, 3, 4, 5, 0x40000001, 0x40000002, 0x40000003, 0x40000004];

  assert.deepEqual(
    policies.filter(({ type }) => type < 0x80000000).map(({ type }) => type).toSorted((a, b) => a - b),
    assigned,
  );
  assert.equal(policies.length, Object.keys(PolicyType).length);
});

Deno.test("§7.1: reserved policy types are refused", () => {
  for (const type of [0x00000000, 0x00000006, 0x3fffffff, 0x40000000, 0x40000005, 0x7fffffff]) {
    const harness = new RegistrarHarness();
    const policy = { name: "unknown", type, value: new Uint8Array() } as const;

    const answer = harness.register(harness.up(), element(1, { policy }));

    assert.ok(answer.type === "registrationResponse" && answer.rejected);
    assert.equal(answer.error?.[0]?.code, CauseCode.unsupportedPolicy);
  }
});
