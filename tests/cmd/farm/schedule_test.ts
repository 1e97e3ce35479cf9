import assert from "node:assert/strict";
import { FarmSchedule } from "../../../cmd/farm/schedule.ts";
import type { ScheduledJob, Verdict } from "../../../cmd/farm/schedule.ts";
import { fc } from "../../properties.ts";

/** Begins all jobs that may run. */
function begin<Work>(schedule: FarmSchedule<Work>): ScheduledJob<Work>[] {
  const begun: ScheduledJob<Work>[] = [];
  for (let job = schedule.next(); job !== undefined; job = schedule.next()) begun.push(job);
  return begun;
}

Deno.test("jobs begin in their order, as many as may run at the same time", () => {
  const schedule = new FarmSchedule(["a", "b", "c"], { parallel: 2, maxAttempts: 1 });
  const [a, b] = begin(schedule);
  assert.deepEqual([a?.work, b?.work], ["a", "b"]);
  assert.deepEqual(schedule.counts, { waiting: 1, running: 2, done: 0, failed: 0 });
  schedule.settle(b!, "done");
  assert.equal(begin(schedule)[0]?.work, "c");
  assert.equal(schedule.isOver, false);
});

Deno.test("a job that fails comes again behind all others, until it has failed for good", () => {
  const schedule = new FarmSchedule(["bad", "good", "fine"], { parallel: 1, maxAttempts: 2 });
  const order: string[] = [];
  while (!schedule.isOver) {
    const [job] = begin(schedule);
    order.push(`${job!.work} ${job!.attempts}`);
    schedule.settle(job!, job!.work === "bad" ? "failed" : "done");
  }
  assert.deepEqual(order, ["bad 1", "good 1", "fine 1", "bad 2"]);
  assert.deepEqual(schedule.counts, { waiting: 0, running: 0, done: 2, failed: 1 });
});

Deno.test("a job that cannot be mended is not tried again", () => {
  const schedule = new FarmSchedule(["bad"], { parallel: 1, maxAttempts: 9 });
  schedule.settle(begin(schedule)[0]!, "hopeless");
  assert.equal(schedule.isOver, true);
  assert.equal(schedule.jobs[0]?.state, "failed");
});

Deno.test("after an end nothing begins, and what was under way waits with its attempts as before", () => {
  const schedule = new FarmSchedule(["a", "b"], { parallel: 1, maxAttempts: 1 });
  const [a] = begin(schedule);
  schedule.close();
  assert.equal(schedule.isOver, false, "a is under way");
  schedule.settle(a!, "unfinished");
  assert.equal(schedule.isOver, true);
  assert.deepEqual(schedule.jobs.map(({ state, attempts }) => [state, attempts]), [["waiting", 0], [
    "waiting",
    0,
  ]]);
  assert.equal(schedule.next(), undefined);
});

Deno.test("whatever happens to attempts, no job is lost or done twice, and none is tried too often", () => {
  const verdict = fc.constantFrom<Verdict>("done", "failed", "hopeless", "unfinished");
  const limits = fc.record({
    parallel: fc.integer({ min: 1, max: 5 }),
    maxAttempts: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(fc.property(fc.nat(12), limits, fc.array(verdict), fc.nat(), (jobs, limit, verdicts, pick) => {
    const schedule = new FarmSchedule(Array.from({ length: jobs }, (_none, index) => index), limit);
    const tries = new Map<number, number>();
    const running: ScheduledJob<number>[] = [];
    for (let step = 0; !schedule.isOver; step++) {
      assert.ok(step < 1000, "it comes to an end");
      running.push(...begin(schedule));
      assert.ok(running.length <= limit.parallel);
      assert.equal(running.length, schedule.counts.running);
      const [job] = running.splice((pick + step) % running.length, 1);
      const end = verdicts[step] ?? "done";
      if (end !== "unfinished") tries.set(job!.work, (tries.get(job!.work) ?? 0) + 1);
      schedule.settle(job!, end);
      const { waiting, done, failed } = schedule.counts;
      assert.equal(waiting + running.length + done + failed, jobs);
    }
    for (const times of tries.values()) assert.ok(times <= limit.maxAttempts);
    assert.ok(schedule.jobs.every(({ state }) => state === "done" || state === "failed"));
  }));
});
