import assert from "node:assert/strict";
import fc from "fast-check";
import { OrderedSet } from "../../../protocol/policy/ordered_set.ts";

Deno.test("OrderedSet behaves as a sorted array without duplicates", () => {
  const command = fc.tuple(fc.constantFrom("add", "delete", "take"), fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      const set = new OrderedSet<number>((a, b) => a - b);
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

Deno.test("OrderedSet stays shallow whatever the order of insertion", () => {
  let comparisons = 0;
  const set = new OrderedSet<number>((a, b) => (comparisons++, a - b));
  const count = 20_000;
  for (let item = 0; item < count; item++) set.add(item);
  comparisons = 0;
  for (let item = 0; item < count; item += 10) assert.ok(set.has(item));
  const average = comparisons / (count / 10);
  assert.ok(average < 3 * Math.log2(count), `${average} comparisons for a look-up among ${count}`);
});
