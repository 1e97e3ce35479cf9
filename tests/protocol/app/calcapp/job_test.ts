import assert from "node:assert/strict";
import { CalcAppJob } from "../../../../protocol/app/calcapp/job.ts";

Deno.test("CalcAppJob has what was done before it came, and its share since, but no more than it wants", () => {
  const session = { session: 1, jobs: new Map() };
  const job = new CalcAppJob(session, { jobId: 7, jobSize: 100, completed: 40 }, 1000.5);
  assert.deepEqual([1000.5, 1010.7, 1060.5, 2000].map((progress) => job.completed(progress)), [
    40,
    50,
    100,
    100,
  ]);
  assert.ok(job.alarms.every((alarm) => alarm.job === job));
});
