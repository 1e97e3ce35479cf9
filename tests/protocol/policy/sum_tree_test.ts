import assert from "node:assert/strict";
import { SumTree } from "../../../protocol/policy/sum_tree.ts";
import { fc } from "../../properties.ts";

Deno.test("SumTree finds what a walk along the row finds, whatever changed before", () => {
  const command = fc.record({
    what: fc.constantFrom("push", "push", "pop", "set", "find"),
    value: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffffffff })),
    place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const tree = new SumTree();
      const model: number[] = [];
      for (const { what, value, place } of commands) {
        const index = Math.floor(place * model.length);
        const total = model.reduce((sum, one) => sum + one, 0);
        if (what === "push") {
          tree.push(value);
          model.push(value);
        } else if (what === "pop" && model.length > 0) {
          tree.pop();
          model.pop();
        } else if (what === "set" && model.length > 0) {
          tree.set(index, value);
          model[index] = value;
        } else if (what === "find" && total > 0) {
          const target = Math.floor(place * total);
          let rest = target;
          const expected = model.findIndex((one) => one > rest || (rest -= one, false));
          assert.equal(tree.find(target), expected);
        }
        tree.checkInvariants();
        assert.equal(tree.total, model.reduce((sum, one) => sum + one, 0));
      }
      assert.deepEqual(model.map((_, i) => tree.at(i)), model);
      assert.equal(tree.size, model.length);
    }),
    { numRuns: 100 },
  );
});

Deno.test("SumTree is exact for as many numbers of 32 bits as a handlespace has elements", () => {
  const tree = new SumTree();
  const count = 200_000;
  for (let i = 0; i < count; i++) tree.push(0xffffffff);
  assert.equal(tree.total, count * 0xffffffff);
  for (const index of [0, 1, 77_777, count - 1]) {
    assert.equal(tree.find(index * 0xffffffff), index);
    assert.equal(tree.find((index + 1) * 0xffffffff - 1), index);
  }
});

Deno.test("SumTree refuses what lies outside of it", () => {
  const tree = new SumTree();
  assert.throws(() => tree.find(0), { name: "InvariantError" });
  assert.throws(() => tree.pop(), { name: "InvariantError" });
  tree.push(3);
  for (const wrong of [-1, 3, NaN]) assert.throws(() => tree.find(wrong), { name: "InvariantError" });
  assert.throws(() => tree.set(1, 1), { name: "InvariantError" });
});
