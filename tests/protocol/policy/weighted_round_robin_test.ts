import assert from "node:assert/strict";
import { TestPool } from "./members.ts";
import { fc } from "../../properties.ts";

const weights = (record: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(record).map(([name, weight]) => [name, { weight }]));

Deno.test("WeightedRoundRobin gives exact shares in every round", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 5, b: 2, c: 1 }));
  for (let round = 0; round < 50; round++) {
    assert.deepEqual([...pool.tally(8)], [["a", 5], ["b", 2], ["c", 1]]);
  }
});

Deno.test("WeightedRoundRobin spreads the turns of an element over the round", () => {
  assert.equal(new TestPool("WeightedRoundRobin", weights({ a: 5, b: 2 })).run(14), "aaabaabaaabaab");
  assert.equal(new TestPool("WeightedRoundRobin", weights({ a: 4, b: 4, c: 4 })).run(12), "abcabcabcabc");
  const pool = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(pool, (list) => {
      const names = list.map((_, i) => String.fromCharCode(0x61 + i));
      const sum = list.reduce((total, weight) => total + weight, 0);
      const record = Object.fromEntries(names.map((name, i) => [name, list[i]!]));
      const turns = new TestPool("WeightedRoundRobin", weights(record)).run(3 * sum);
      // Of any stretch of the line an element has its share, but for less than one turn of each element.
      for (const [i, name] of names.entries()) {
        for (let start = 0; start < sum; start++) {
          for (let length = 1; length <= sum; length++) {
            const stretch = turns.slice(start, start + length);
            const found = stretch.split(name).length - 1;
            const due = length * list[i]! / sum;
            assert.ok(Math.abs(found - due) < names.length, `${name} ${found} times in ${stretch}`);
          }
        }
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("WeightedRoundRobin with weights of 1 is RoundRobin", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 1, b: 1, c: 1 }));
  const other = new TestPool("RoundRobin", { a: {}, b: {}, c: {} });
  for (let i = 0; i < 20; i++) assert.equal(pool.select(1 + i % 3), other.select(1 + i % 3));
});

Deno.test("WeightedRoundRobin lets newcomers in from now on, without arrears", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 10 }));
  pool.run(1007);
  pool.register("b", { weight: 10 });
  const turns = pool.run(40);
  assert.deepEqual([turns.split("a").length - 1, turns.split("b").length - 1], [20, 20]);
  assert.ok(!/aaa|bbb/.test(turns), turns);
});

Deno.test("WeightedRoundRobin changes weights without giving or taking turns", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 6, b: 6 }));
  // An element that changes its weight all the time gets a share between those of its weights.
  const counts = { a: 0, b: 0 };
  for (let i = 0; i < 600; i++) {
    counts[pool.select() as "a" | "b"]++;
    pool.register("b", { weight: 6 + i % 2 });
  }
  assert.ok(counts.b >= 600 * 6 / 12 - 1 && counts.b <= 600 * 7 / 13 + 1, `${counts.b} of 600`);
  pool.register("a", { weight: 18 });
  pool.register("b", { weight: 6 });
  pool.run(24);
  assert.deepEqual([...pool.tally(24)], [["a", 18], ["b", 6]]);
});

Deno.test("WeightedRoundRobin passes a weight of 0 over, and takes it in when it serves again", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 1, b: 0 }));
  assert.equal(pool.run(3), "aaa");
  assert.equal(pool.select(9), "a");
  assert.equal(pool.selection.size, 2);
  pool.register("b", { weight: 1 });
  assert.deepEqual([...pool.tally(10)], [["a", 5], ["b", 5]]);
  pool.register("a", { weight: 0 });
  assert.equal(pool.run(2), "bb");
  pool.selection.remove(pool.members.get("a")!);
  pool.selection.remove(pool.members.get("b")!);
  pool.selection.checkInvariants();
  assert.equal(pool.select(3), "");
});

Deno.test("WeightedRoundRobin bears the largest weights", () => {
  const pool = new TestPool("WeightedRoundRobin", weights({ a: 0xffffffff, b: 0xffffffff, c: 1 }));
  assert.equal(pool.run(6), "ababab");
  pool.register("a", { weight: 1 });
  pool.register("b", { weight: 1 });
  pool.run(9);
  assert.deepEqual([...pool.tally(9)], [["a", 3], ["b", 3], ["c", 3]]);
});
