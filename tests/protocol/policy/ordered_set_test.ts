import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { OrderedSet } from "../../../protocol/policy/ordered_set.ts";
import { fc } from "../../properties.ts";

Deno.test("OrderedSet behaves as a sorted array without duplicates", () => {
  const command = fc.tuple(fc.constantFrom("add", "delete", "take"), fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      const set = new OrderedSet<number>((a, b) => a - b, (item) => Math.floor(item / 10));
      const model = new Set<number>();
      for (const [what, item] of commands) {
        const sorted = [...model].sort((a, b) => a - b);
        if (what === "add") {
          assert.equal(set.add(item), !model.has(item));
          model.add(item);
        } else if (what === "delete") {
          assert.equal(set.delete(item), model.delete(item));
        } else {
          assert.deepEqual(
            set.take(5, (other) => other <= item),
            sorted.filter((other) => other > item).slice(0, 5),
          );
          assert.equal(set.first(), sorted[0]);
        }
        assert.equal(set.has(item), model.has(item));
        set.checkInvariants();
      }
      assert.deepEqual([...set], [...model].sort((a, b) => a - b));
      assert.equal(set.size, model.size);
    }),
    { numRuns: 60 },
  );
});

Deno.test("OrderedSet grows and shrinks through all its heights", () => {
  const random = new Prng(1);
  const set = new OrderedSet<{ key: number }>((a, b) => a.key - b.key, ({ key }) => key >> 4);
  const model = new Map<number, { key: number }>();
  // Each phase adds with one probability, and deletes or moves otherwise; runs of neighbours empty whole blocks.
  for (const [chance, start] of [[1, 0], [0.5, 2000], [0.05, 0], [0.9, 0], [0, 0]] as const) {
    for (let step = 0; step < 6000; step++) {
      const key = chance === 1 ? 5 * step : random.chance(0.5) ? start + step * 4 : random.below(32_000);
      const known = model.get(key);
      if (random.chance(chance)) {
        const item = { key };
        assert.equal(set.add(item), known === undefined);
        if (known === undefined) model.set(key, item);
      } else if (random.chance(0.7)) {
        assert.equal(set.delete({ key }), model.delete(key));
      } else if (known !== undefined && !model.has(key + 16_001)) {
        set.move(known, (item) => item.key += 16_001);
        model.delete(key);
        model.set(known.key, known);
      }
      if (step % 400 === 0) set.checkInvariants();
    }
    const sorted = [...model.values()].sort((a, b) => a.key - b.key);
    assert.deepEqual([...set], sorted);
    assert.equal(set.size, sorted.length);
    const place = sorted[sorted.length >> 1]?.key ?? 0;
    assert.deepEqual(
      set.take(300, ({ key }) => key <= place),
      sorted.slice((sorted.length >> 1) + 1).slice(0, 300),
    );
  }
  for (const item of [...model.values()]) assert.ok(set.delete(item) && !set.has(item));
  set.checkInvariants();
  assert.deepEqual([set.first(), set.take(3), set.size], [undefined, [], 0]);
});

Deno.test("OrderedSet stays shallow whatever the order of insertion", () => {
  let comparisons = 0;
  const set = new OrderedSet<number>((a, b) => (comparisons++, a - b));
  const count = 20_000;
  for (let item = 0; item < count; item++) set.add(item);
  let most = 0;
  for (let item = 0; item < count; item += 10) {
    comparisons = 0;
    assert.ok(set.has(item));
    most = Math.max(most, comparisons);
  }
  assert.ok(most <= 2 * Math.log2(count), `${most} comparisons for a look-up among ${count}`);
});

Deno.test("OrderedSet.move() gives an item another place, and none to an item that becomes another's equal", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(1000)), { maxLength: 200 }), (moves) => {
      const items = Array.from({ length: 31 }, (_, i) => ({ key: 10 * i }));
      const set = new OrderedSet<{ key: number }>((a, b) => a.key - b.key);
      for (const item of items) set.add(item);
      for (const [index, key] of moves) {
        const item = items[index]!;
        if (items.some((other) => other !== item && other.key === key)) continue;
        set.move(item, (moved) => moved.key = key);
        set.checkInvariants();
      }
      assert.deepEqual([...set], items.toSorted((a, b) => a.key - b.key));
    }),
    { numRuns: 30 },
  );
  const set = new OrderedSet<{ key: number }>((a, b) => a.key - b.key);
  const [first, second] = [{ key: 1 }, { key: 2 }];
  set.add(first);
  set.add(second);
  assert.throws(() => set.move(first, (moved) => moved.key = 2), { name: "InvariantError" });
  assert.throws(() => set.move({ key: 3 }, () => {}), { name: "InvariantError" });
});
