import assert from "node:assert/strict";
import { FarmProgress } from "../../../cmd/farm/progress.ts";
import { renderFarm } from "../../../cmd/farm/table.ts";

const COUNTS = { waiting: 3, running: 2, done: 4, failed: 1 };

/** Two jobs: one computed by pc1 for 5 s after an hour, one that looks for a server since it lost pc2. */
function busy(): FarmProgress {
  const progress = new FarmProgress(0);
  const at = (job: number, elementId: number, server: string) => ({ job, run: 1, elementId, server });
  progress.begin(1, "chess2.pov", 1, 0);
  progress.turn(1, "looking for a server", 0, 1000);
  progress.report(1, { type: "jobReady", ...at(1, 0x11, "pc1") }, 100);
  progress.report(1, { type: "jobProgress", phase: "uploading", bytes: 450, ...at(1, 0x11, "pc1") }, 150);
  progress.begin(2, "pawns.pov", 2, 0);
  progress.report(
    2,
    { type: "jobProcessing", uploadedBytes: 9, uploadMs: 1, ...at(2, 0x12, "pc2") },
    200,
  );
  return progress;
}

Deno.test("a farm's table shows who computes what, and how servers have done", () => {
  const progress = busy();
  const where = { job: 1, run: 1, elementId: 0x11, server: "pc1" };
  progress.report(1, { type: "jobProcessing", uploadedBytes: 1000, uploadMs: 3, ...where }, 1000);
  progress.report(2, {
    type: "jobFailover",
    reason: "gone",
    pauseMs: 1,
    job: 2,
    run: 1,
    elementId: 0x12,
    server: "pc2",
  }, 2000);
  progress.begin(3, "other.pov", 1, 0);
  progress.report(3, {
    type: "jobExited",
    status: 0,
    processingMs: 1,
    job: 3,
    run: 1,
    elementId: 0x11,
    server: "pc1",
  }, 1);
  progress.end(3, "done");
  const lines = renderFarm(progress.view(COUNTS, 6000), 6000, { columns: 80, rows: 24 });
  assert.deepEqual(lines, [
    "4 of 10 jobs done, 1 failed, 2 running, 3 waiting; 0:06, about 0:30 left",
    `[${"#".repeat(31)}${"!".repeat(8)}${">".repeat(16)}${".".repeat(23)}]`,
    "JOB         TRY  SERVER          STATE                 TIME",
    "chess2.pov  1    0x00000011 pc1  computing             0:05",
    "pawns.pov   2    0x00000012 pc2  looking for a server  0:04",
    "SERVER          RUNNING  DONE  FAILED  LOST",
    "0x00000011 pc1  1        1     0       0",
    "0x00000012 pc2  1        0     0       1",
  ]);
});

Deno.test("the progress of an upload is shown in percent of what is uploaded", () => {
  const lines = renderFarm(busy().view(COUNTS, 300), 300, { columns: 80, rows: 24 });
  assert.ok(lines.some((line) => line.includes("uploading 45 %")), lines.join("\n"));
});

Deno.test("a farm's table fits its terminal, however small that is and however much there is", () => {
  const progress = new FarmProgress(0);
  for (let job = 1; job <= 100; job++) {
    progress.begin(job, `a-scene-with-a-long-name-${job}.pov`, 1, 0);
    const place = { job, run: 1, elementId: job % 30 + 1, server: "a-server-with-a-name-of-its-own" };
    progress.report(job, { type: "jobReady", ...place }, 0);
  }
  for (let rows = 5; rows < 60; rows++) {
    for (const columns of [1, 2, 10, 40, 79, 80, 200]) {
      const lines = renderFarm(progress.view({ ...COUNTS, running: 100 }, 0), 0, { columns, rows });
      assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
      assert.ok(lines.every((line) => line.length <= columns), `${columns} columns`);
    }
  }
  const lines = renderFarm(progress.view(COUNTS, 0), 0, { columns: 200, rows: 24 });
  assert.ok(lines.some((line) => /^and \d+ more/.test(line)));
});

Deno.test("what was left by this side counts for no server", () => {
  const progress = busy();
  progress.end(1, "unfinished");
  progress.end(2, "failed");
  const { servers, running } = progress.view(COUNTS, 0);
  assert.deepEqual(servers.map(({ done, failed }) => [done, failed]), [[0, 0], [0, 1]]);
  assert.deepEqual(running, []);
});
