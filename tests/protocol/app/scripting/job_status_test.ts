import assert from "node:assert/strict";
import { describeJobStatus, JobStatus } from "../../../../protocol/app/scripting/job_status.ts";

Deno.test("describeJobStatus() has words for every status of the server's", () => {
  const words = Object.values(JobStatus).map(describeJobStatus);
  assert.equal(new Set(words).size, words.length, "no two are the same");
  for (const text of words) assert.doesNotMatch(text, /exit code|does not know/);
});

Deno.test("describeJobStatus() tells a job's exit code, with the signal that it may stand for", () => {
  assert.equal(describeJobStatus(1), "it ended with exit code 1");
  assert.equal(describeJobStatus(128), "it ended with exit code 128");
  assert.equal(describeJobStatus(137), "it ended with exit code 137, as after SIGKILL");
  assert.equal(describeJobStatus(255), "it ended with exit code 255");
});

Deno.test("describeJobStatus() knows what it does not know", () => {
  for (const status of [299, 0xffff_ffff]) {
    assert.equal(describeJobStatus(status), `the server says ${status}, which this program does not know`);
  }
});

Deno.test("JobStatus has room for all exit codes", () => {
  const own = Object.values(JobStatus).filter((status) => status !== JobStatus.success);
  assert(own.every((status) => status > 255));
});
