import assert from "node:assert/strict";
import { fractionToWire } from "../../../protocol/param/policy.ts";
import { TestPool } from "./members.ts";

const tenth = fractionToWire(0.1);

Deno.test("Priority takes the highest priorities, in turns among equals", () => {
  const pool = new TestPool("Priority", {
    a: { priority: 1 },
    b: { priority: 9 },
    c: { priority: 9 },
    d: { priority: 0 },
  });
  assert.equal(pool.select(4), "bcad");
  assert.equal(pool.run(3), "cbc");
  pool.register("d", { priority: 0xffffffff });
  assert.equal(pool.select(4), "dbca");
});

Deno.test("LeastUsed takes the lowest loads, in turns among equals", () => {
  const pool = new TestPool("LeastUsed", {
    a: { load: 50 },
    b: { load: 10 },
    c: { load: 10 },
    d: { load: 11 },
  });
  assert.equal(pool.select(4), "bcda");
  assert.equal(pool.run(4), "cbcb");
  assert.deepEqual(pool.state("b").degradation, 0);
  pool.register("c", { load: 12 });
  assert.equal(pool.select(4), "bdca");
});

Deno.test("LeastUsedDegradation counts each selection once", () => {
  // RSPLIB's degradation after three selections is 0x80000002: it counts the first once and each further one twice.
  const pool = new TestPool("LeastUsedDegradation", { a: { load: 0, loadDegradation: tenth } });
  const degradations = [1, 2, 3].map(() => {
    pool.select();
    return pool.state("a").degradation;
  });
  assert.deepEqual(degradations, [0x1999999a, 0x33333334, 0x4cccccce]);
});

Deno.test("LeastUsedDegradation fills elements evenly until they register again", () => {
  const pool = new TestPool("LeastUsedDegradation", {
    a: { load: 0, loadDegradation: 10 },
    b: { load: 0, loadDegradation: 20 },
    c: { load: 25, loadDegradation: 10 },
  });
  assert.equal(pool.run(9), "ababacacb");
  pool.register("b", { load: 0, loadDegradation: 20 });
  assert.equal(pool.state("b").degradation, 0);
  assert.equal(pool.select(), "b");
});

Deno.test("LeastUsedDegradation counts every element that is returned, or as many as it is told", () => {
  const pool = new TestPool("LeastUsedDegradation", {
    a: { load: 0, loadDegradation: 10 },
    b: { load: 1, loadDegradation: 10 },
    c: { load: 2, loadDegradation: 10 },
  });
  const degradations = () => ["a", "b", "c"].map((name) => pool.state(name).degradation);
  assert.equal(pool.select(2), "ab");
  assert.deepEqual(degradations(), [10, 10, 0]);
  assert.equal(pool.select(3, 1), "cab");
  assert.deepEqual(degradations(), [10, 10, 10]);
  assert.equal(pool.select(3, 0), "abc");
  assert.deepEqual(degradations(), [10, 10, 10]);
});

Deno.test("loads beyond 100% still tell elements apart, and show as 100%", () => {
  const pool = new TestPool("LeastUsedDegradation", {
    a: { load: 0xffffffff, loadDegradation: 0x80000000 },
    b: { load: 0xfffffff0, loadDegradation: 0x80000001 },
  });
  assert.equal(pool.run(5), "babab");
  assert.equal(pool.state("b").degradation, 0xffffffff);
});

Deno.test("PriorityLeastUsed compares loads as they will be with one session more", () => {
  const pool = new TestPool("PriorityLeastUsed", {
    a: { load: fractionToWire(0.5), loadDegradation: fractionToWire(0.5) },
    b: { load: fractionToWire(0.5), loadDegradation: tenth },
  });
  assert.equal(pool.select(2), "ba");
  assert.equal(pool.run(3), "bbb");
  assert.equal(pool.state("b").degradation, 0);
});

Deno.test("PriorityLeastUsedDegradation adds the sessions that were placed to it", () => {
  const pool = new TestPool("PriorityLeastUsedDegradation", {
    a: { load: 0, loadDegradation: 30 },
    b: { load: 0, loadDegradation: 10 },
  });
  assert.equal(pool.run(7), "bbabbba");
});

Deno.test("the delay policies add what the way to an element costs", () => {
  const far = { loadDpf: 1000, distanceMs: 100 }, near = { loadDpf: 1000, distanceMs: 50 };
  const one = { loadDegradation: 30_000 };
  assert.equal(
    new TestPool("LeastUsedDPF", { a: { load: 0, ...far }, b: { load: 50_001, ...near } }).select(2),
    "ab",
  );
  assert.equal(
    new TestPool("LeastUsedDPF", { a: { load: 0, ...far }, b: { load: 49_999, ...near } }).select(2),
    "ba",
  );
  const members = { a: { load: 0, ...one, ...far }, b: { load: 0, ...one, ...near } };
  assert.equal(new TestPool("LeastUsedDegradationDPF", members).run(5), "bbaba");
  assert.equal(new TestPool("PriorityLeastUsedDegradationDPF", members).run(5), "bbaba");
  const priority = new TestPool("PriorityLeastUsedDPF", {
    ...members,
    c: { load: 0, loadDegradation: 0, ...near, distanceMs: 79 },
  });
  assert.equal(priority.select(3), "cba");
  assert.equal(priority.run(3), "ccc");
});
