import assert from "node:assert/strict";
import { ChangedList } from "../../../../cmd/pooluser/web/changed_list.ts";
import { NewList } from "../../../../cmd/pooluser/web/new_list.ts";

Deno.test("ChangedList tells what was set since it was asked, the last value once", () => {
  const list = new ChangedList<string>();
  list.reset(["a", "b"]);
  assert.deepEqual(list.take(), []);
  list.set(1, "B");
  list.set(2, "c");
  list.set(1, "BB");
  assert.deepEqual(list.take(), [[1, "BB"], [2, "c"]]);
  assert.deepEqual(list.take(), []);
  assert.deepEqual([list.all, list.at(2), list.at(3)], [["a", "BB", "c"], "c", undefined]);
  list.set(0, "A");
  list.reset([]);
  assert.deepEqual(list.take(), []);
});

Deno.test("NewList keeps the newest, and tells each once", () => {
  const list = new NewList<number>(10);
  for (let i = 0; i < 3; i++) list.add(i);
  assert.deepEqual(list.take(), [0, 1, 2]);
  assert.deepEqual(list.take(), []);
  for (let i = 3; i < 1000; i++) {
    list.add(i);
    assert.ok(list.all.length <= 20);
    assert.ok(list.all.length >= Math.min(10, i + 1));
  }
  assert.deepEqual(list.take(), [990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
  assert.equal(list.total, 1000);
  list.reset();
  assert.deepEqual([list.total, list.all, list.take()], [0, [], []]);
});
