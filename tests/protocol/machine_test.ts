import assert from "node:assert/strict";
import { Outbox, Prng, TimerQueue } from "../../protocol/machine.ts";
import { fc } from "../properties.ts";

Deno.test("Outbox.drain() gives everything once, in order", () => {
  const outbox = new Outbox<number>();
  outbox.push(1);
  outbox.push(2);
  assert.deepEqual(outbox.drain(), [1, 2]);
  assert.deepEqual(outbox.drain(), []);
});

Deno.test("TimerQueue fires like a sorted list, whatever is set, moved and cleared", () => {
  const action = fc.record({
    kind: fc.constantFrom("set", "clear", "run"),
    key: fc.nat(20),
    at: fc.nat(100),
  });
  fc.assert(fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
    const timers = new TimerQueue<number>();
    let model: { key: number; at: number }[] = [];
    for (const { kind, key, at } of actions) {
      if (kind === "set") {
        model = [...model.filter((entry) => entry.key !== key), { key, at }];
        timers.set(key, at);
      } else if (kind === "clear") {
        model = model.filter((entry) => entry.key !== key);
        timers.clear(key);
      } else {
        const due = model.filter((entry) => entry.at <= at).sort((a, b) => a.at - b.at).map((entry) =>
          entry.key
        );
        model = model.filter((entry) => entry.at > at);
        const fired: number[] = [];
        for (let next = timers.takeDue(at); next !== undefined; next = timers.takeDue(at)) fired.push(next);
        assert.deepEqual(fired, due);
      }
      assert.equal(timers.size, model.length);
      assert.equal(
        timers.next(),
        model.length === 0 ? undefined : Math.min(...model.map((entry) => entry.at)),
      );
    }
  }));
});

Deno.test("TimerQueue does not grow when one timer is moved for ever", () => {
  const timers = new TimerQueue<string>();
  for (let at = 0; at < 10_000; at++) timers.set("keep-alive", at);
  assert.equal(timers.next(), 9_999);
  assert.equal(timers.takeDue(10_000), "keep-alive");
  assert.equal(timers.takeDue(10_000), undefined);
});

Deno.test("TimerQueue takes more timers than a call can have arguments", () => {
  const timers = new TimerQueue<number>();
  for (let round = 0; round < 4; round++) for (let key = 0; key < 200_000; key++) timers.set(key, key);
  assert.deepEqual([timers.size, timers.takeDue(1e9), timers.takeDue(1e9)], [200_000, 0, 1]);
});

Deno.test("Prng repeats for a seed, differs between seeds, and fills its range evenly", () => {
  const draw = (seed: number) => Array.from({ length: 8 }, ((prng) => () => prng.u32())(new Prng(seed)));
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  const prng = new Prng(42);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[prng.below(10)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `a tenth of the draws, but ${count}`);
});
