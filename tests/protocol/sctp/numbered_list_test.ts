import assert from "node:assert/strict";
import { NumberedList } from "../../../protocol/sctp/numbered_list.ts";

Deno.test("NumberedList keeps the order of serial numbers across their wrap", () => {
  for (const bits of [16, 32] as const) {
    const top = 2 ** bits, list = new NumberedList<string>(bits);
    for (const number of [1, top - 2, 0, top - 1, 2]) assert.ok(list.add(number, `${number}`));
    assert.equal(list.add(0, "again"), false);

    assert.deepEqual([...list], [`${top - 2}`, `${top - 1}`, "0", "1", "2"]);
    assert.equal(list.get(top - 1), `${top - 1}`);
    assert.equal(list.take(0), "0");
    assert.equal(list.takeUpTo(top - 3), undefined);
    assert.deepEqual(list.takeUpTo(1), { number: top - 2, item: `${top - 2}` });
    assert.deepEqual(list.takeUpTo(1)?.item, `${top - 1}`);
    assert.deepEqual(list.takeUpTo(1)?.item, "1");
    assert.equal(list.takeUpTo(1), undefined);
    assert.equal(list.size, 1);
  }
});
