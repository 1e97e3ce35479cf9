import assert from "node:assert/strict";
import { SharedCapacity } from "../../../../protocol/app/calcapp/shared_capacity.ts";
import { fc } from "../../../properties.ts";

Deno.test("a SharedCapacity without jobs does nothing, and its alarms wait", () => {
  const capacity = new SharedCapacity<string>(1000);
  capacity.after("later", 10, 0);
  assert.equal(capacity.next(), undefined);
  assert.equal(capacity.takeDue(1e6), undefined);
  assert.equal(capacity.used(1e6), 0);
  capacity.join(1e6);
  assert.equal(capacity.next(), 1e6 + 10);
});

Deno.test("jobs that share a capacity are done when all others have got as much, whenever they come", () => {
  const job = fc.record({ at: fc.nat(10_000), size: fc.integer({ min: 1, max: 1_000_000 }) });
  fc.assert(fc.property(fc.array(job, { minLength: 1, maxLength: 12 }), (jobs) => {
    const expected = simulated(jobs), actual = calculated(jobs);
    for (const [index, done] of expected.entries()) {
      assert.ok(
        Math.abs(done - actual[index]!) < 0.01,
        `job ${index} is done at ${actual[index]}, not ${done}`,
      );
    }
  }));
});

interface JobCase {
  readonly at: number;
  readonly size: number;
}

const PER_SECOND = 100_000;

/** When each job is done, by following what is left of each. */
function simulated(jobs: readonly JobCase[]): number[] {
  const left = jobs.map(({ size }) => size), done = jobs.map(() => Infinity);
  let now = 0;
  for (let step = 0; step < 4 * jobs.length; step++) {
    const running = jobs.flatMap(({ at }, index) => at <= now && done[index] === Infinity ? [index] : []);
    const speed = PER_SECOND / 1000 / running.length;
    const nextDone = Math.min(...running.map((index) => now + left[index]! / speed));
    const nextStart = Math.min(...jobs.map(({ at }) => at > now ? at : Infinity));
    const next = Math.min(nextDone, nextStart);
    if (next === Infinity) break;
    for (const index of running) {
      left[index]! -= (next - now) * speed;
      if (left[index]! < 1e-6) done[index] = next;
    }
    now = next;
  }
  return done;
}

/** The same by the class. */
function calculated(jobs: readonly JobCase[]): number[] {
  const capacity = new SharedCapacity<number>(PER_SECOND);
  const done = jobs.map(() => Infinity);
  const arrivals = jobs.map(({ at }, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  for (let step = 0; step < 10 * jobs.length; step++) {
    const due = capacity.next() ?? Infinity, arrival = arrivals[0];
    if (arrival !== undefined && arrival.at <= due) {
      arrivals.shift();
      capacity.join(arrival.at);
      capacity.after(arrival.index, jobs[arrival.index]!.size, arrival.at);
    } else if (due < Infinity) {
      const index = capacity.takeDue(due);
      assert.ok(index !== undefined, "what is due can be taken");
      done[index] = due;
      capacity.leave(due);
    }
  }
  const total = jobs.reduce((sum, { size }) => sum + size, 0);
  assert.ok(Math.abs(capacity.used(1e9) - total) < 1, "all that was used was for jobs");
  return done;
}

Deno.test("an alarm that was set again counts from then on, and one that was cleared does not come", () => {
  const capacity = new SharedCapacity<string>(1000);
  capacity.join(0);
  capacity.after("cookie", 100, 0);
  capacity.after("done", 300, 0);
  assert.equal(capacity.takeDue(100), "cookie");
  capacity.after("cookie", 100, 100);
  assert.equal(capacity.takeDue(199), undefined);
  capacity.clear("cookie");
  assert.equal(capacity.next(), 300);
});

Deno.test("a clock that shows large numbers leaves no job undone", () => {
  const capacity = new SharedCapacity<string>(1e15), start = 1e12 + 1 / 3;
  capacity.join(start);
  for (let job = 0; job < 1000; job++) {
    capacity.after("done", 1e13 / 7, capacity.next() ?? start);
    const due = capacity.next()!;
    assert.equal(capacity.takeDue(due), "done");
  }
});
