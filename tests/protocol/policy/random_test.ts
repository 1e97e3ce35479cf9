import assert from "node:assert/strict";
import { fractionToWire } from "../../../protocol/param/policy.ts";
import type { PolicyName } from "../../../protocol/param/policy.ts";
import { assertShares, type Numbers, TestPool } from "./members.ts";

const TIMES = 20_000;

Deno.test("Random gives everyone the same chance", () => {
  const pool = new TestPool("Random", { a: {}, b: {}, c: {}, d: {}, e: {} });
  assertShares(pool.tally(TIMES), { a: 1, b: 1, c: 1, d: 1, e: 1 });
});

Deno.test("WeightedRandom gives chances by weight, and none to a weight of 0", () => {
  const pool = new TestPool("WeightedRandom", {
    a: { weight: 1 },
    b: { weight: 2 },
    c: { weight: 7 },
    d: { weight: 0 },
  });
  assertShares(pool.tally(TIMES), { a: 1, b: 2, c: 7, d: 0 });
  assert.equal(pool.select(9).length, 3);
  pool.register("d", { weight: 10 });
  assertShares(pool.tally(TIMES), { a: 1, b: 2, c: 7, d: 10 });
  for (const name of "abcd") pool.register(name, { weight: 0 });
  assert.equal(pool.select(9), "");
  assert.equal(pool.selection.size, 4);
});

Deno.test("WeightedRandom keeps the largest weights apart from the smallest", () => {
  const pool = new TestPool("WeightedRandom", { a: { weight: 0xffffffff }, b: { weight: 1 } });
  assert.equal(pool.state("a").value, 0xffffffff);
  assert.ok((pool.tally(TIMES).get("b") ?? 0) <= 1);
});

Deno.test("a lot is drawn among those that are left: selecting without putting back", () => {
  // Of weights 1, 2 and 3 the orders have the probabilities (w1 / 6) × (w2 / (6 − w1)).
  const pool = new TestPool("WeightedRandom", { a: { weight: 1 }, b: { weight: 2 }, c: { weight: 3 } });
  const orders = new Map<string, number>();
  for (let i = 0; i < TIMES; i++) {
    const order = pool.selection.select(3).map(({ name }) => name).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assertShares(orders, {
    abc: 1 / 6 * 2 / 5,
    acb: 1 / 6 * 3 / 5,
    bac: 2 / 6 * 1 / 4,
    bca: 2 / 6 * 3 / 4,
    cab: 3 / 6 * 1 / 3,
    cba: 3 / 6 * 2 / 3,
  });
});

Deno.test("every random policy chooses by its definition", () => {
  const quarter = fractionToWire(0.25), half = fractionToWire(0.5), tenth = fractionToWire(0.1);
  const full = 0xffffffff;
  const cases: readonly (readonly [PolicyName, Readonly<Record<string, Numbers>>, Record<string, number>])[] =
    [
      ["RandomizedLeastUsed", { a: { load: 0 }, b: { load: quarter }, c: { load: half } }, {
        a: 1,
        b: 0.75,
        c: 0.5,
      }],
      ["RandomizedPriorityLeastUsed", {
        a: { load: 0, loadDegradation: half },
        b: { load: quarter, loadDegradation: quarter },
        c: { load: quarter, loadDegradation: 0 },
      }, { a: 0.5, b: 0.5, c: 0.75 }],
      ["WeightedRandomDPF", {
        // A hundredth of the weight for each millisecond.
        a: { weight: 1000, weightDpf: fractionToWire(0.01), distanceMs: 0 },
        b: { weight: 1000, weightDpf: fractionToWire(0.01), distanceMs: 50 },
        c: { weight: 2000, weightDpf: fractionToWire(0.01), distanceMs: 80 },
        d: { weight: 0, weightDpf: fractionToWire(0.01), distanceMs: 0 },
      }, { a: 1000, b: 500, c: 400, d: 0 }],
      // Nobody is free: everyone's share is 1, RSPLIB's least.
      ["RandomizedLeastUsed", { a: { load: full }, b: { load: full } }, { a: 1, b: 1 }],
      ["WeightedRandomDPF", {
        a: { weight: 3, weightDpf: full, distanceMs: 9 },
        b: { weight: 9, weightDpf: full, distanceMs: 1000 },
      }, { a: 1, b: 1 }],
      ["RandomizedPriorityLeastUsed", {
        a: { load: full, loadDegradation: tenth },
        b: { load: 0, loadDegradation: full },
      }, { a: 1, b: 1 }],
    ];
  for (const [name, members, shares] of cases) {
    assertShares(new TestPool(name, members).tally(TIMES), shares);
  }
});

Deno.test("randomized policies with degradation lower the chance of who was chosen, until it registers again", () => {
  for (
    const [name, ownSession] of [
      ["RandomizedLeastUsedDegradation", 0],
      ["RandomizedPriorityLeastUsedDegradation", 1],
    ] as const
  ) {
    const numbers = { load: 1000, loadDegradation: 500 };
    const pool = new TestPool(name, { a: numbers, b: numbers });
    const free = 0xffffffff - 1000 - 500 * ownSession;
    assert.equal(pool.state("a").value, free);
    assert.equal(pool.select(2).length, 2);
    assert.deepEqual([pool.state("a").value, pool.state("b").value], [free - 500, free - 500]);
    const next = pool.select(2, 1)[0]!;
    const other = next === "a" ? "b" : "a";
    assert.deepEqual([pool.state(next).value, pool.state(other).value], [free - 1000, free - 500]);
    assert.deepEqual([pool.state(next).degradation, pool.state(other).degradation], [1000, 500]);
    pool.select(1, 0);
    assert.deepEqual([pool.state(next).value, pool.state(other).value], [free - 1000, free - 500]);
    pool.register(next, numbers);
    assert.deepEqual([pool.state(next).value, pool.state(next).degradation], [free, 0]);
    assert.equal(pool.state(next).selections + pool.state(other).selections, 5);
  }
});

Deno.test("a random policy takes elements out of the middle of its row", () => {
  const pool = new TestPool("WeightedRandom", {
    a: { weight: 1 },
    b: { weight: 2 },
    c: { weight: 3 },
    d: { weight: 4 },
  });
  for (const [name, rest] of [["b", "adc"], ["c", "ad"], ["a", "d"], ["d", ""]] as const) {
    pool.selection.remove(pool.members.get(name)!);
    pool.selection.checkInvariants();
    assert.equal([...pool.selection].map(({ name }) => name).join(""), rest);
    assert.equal(pool.select(9).length, rest.length);
  }
});

Deno.test("the same seed gives the same choices", () => {
  const members = { a: {}, b: {}, c: {} };
  assert.equal(new TestPool("Random", members, 7).run(50), new TestPool("Random", members, 7).run(50));
  assert.notEqual(new TestPool("Random", members, 7).run(50), new TestPool("Random", members, 8).run(50));
});
