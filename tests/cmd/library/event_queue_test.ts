import assert from "node:assert/strict";
import { EventQueue } from "../../../cmd/library/event_queue.ts";

Deno.test("EventQueue gives events in order, before and after they are asked for, and ends when it is empty", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  const first = queue.next(), second = queue.next(), third = queue.next();
  queue.push(2);
  queue.close();
  queue.push(3);
  assert.deepEqual(await Promise.all([first, second, third]), [
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: undefined },
  ]);
  assert.deepEqual(await queue.next(), { done: true, value: undefined });
});

Deno.test("EventQueue that never runs empty keeps its order, and what is taken is gone", async () => {
  const queue = new EventQueue<number>();
  let pushed = 0;
  for (let read = 0; read < 5000; read++) {
    while (pushed < read + 300) queue.push(pushed++);
    assert.equal((await queue.next()).value, read);
  }
  assert.equal(queue.take().length, 299);
  queue.close();
  assert.equal((await queue.next()).done, true);
});
