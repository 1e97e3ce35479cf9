import assert from "node:assert/strict";
import { EventQueue } from "../../../protocol/sim/event_queue.ts";
import { fc } from "../../properties.ts";

Deno.test("EventQueue lets events happen by time, then by the order of scheduling", () => {
  fc.assert(fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (times) => {
    const queue = new EventQueue();
    const happened: [number, number][] = [];
    times.forEach((at, serial) => queue.schedule(at, () => happened.push([queue.now, serial])));
    while (queue.step());
    const expected = times.map((at, serial) => [at, serial]).sort(([a, i], [b, j]) => a! - b! || i! - j!);
    assert.deepEqual(happened, expected);
  }));
});

Deno.test("EventQueue takes the past for now", () => {
  const queue = new EventQueue();
  queue.advance(100);
  let at = 0;
  queue.schedule(5, () => at = queue.now);
  queue.step();
  assert.equal(at, 100);
});

Deno.test("EventQueue refuses to pass over a waiting event", () => {
  const queue = new EventQueue();
  queue.schedule(5, () => {});
  assert.throws(() => queue.advance(6), /does not pass over/);
});

Deno.test("EventQueue lets an event schedule another one at the same instant, which comes last", () => {
  const queue = new EventQueue();
  const happened: string[] = [];
  queue.schedule(1, () => {
    happened.push("first");
    queue.schedule(1, () => happened.push("third"));
  });
  queue.schedule(1, () => happened.push("second"));
  while (queue.step());
  assert.deepEqual(happened, ["first", "second", "third"]);
});
