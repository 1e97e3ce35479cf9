import assert from "node:assert/strict";
import { ComputePool } from "../../../cmd/server/compute_pool.ts";
import { computePoints } from "../../../protocol/app/fractal/compute.ts";
import type { ComputeJob } from "../../../protocol/app/fractal/server_types.ts";
import { IMAGE } from "../../protocol/app/fractal/fixture.ts";

function job(number: number, first: number, count: number): ComputeJob {
  return { job: number, parameter: IMAGE, first, count };
}

Deno.test("ComputePool computes in workers what computePoints() computes", async () => {
  const answers = new Map<number, Uint32Array>();
  const done = Promise.withResolvers<void>();
  using pool = new ComputePool(2, {
    onComputed: (number, values) => {
      answers.set(number, values.slice());
      if (answers.size === 10) done.resolve();
    },
    onFailed: (_number, reason) => done.reject(new Error(reason)),
  });
  const lengths = [600, 600, 300, 300, 601, 600, 1, 5, 999, 600]; // memory of one job is used for another one
  for (const [number, length] of lengths.entries()) pool.submit(job(number, 500 * number, length));
  assert.equal(pool.workerCount, 2);
  assert.equal(pool.queueLength, 8);
  await done.promise;
  for (const [number, values] of answers) {
    const expected = new Uint32Array(lengths[number]!);
    computePoints(IMAGE, 500 * number, expected);
    assert.deepEqual(values, expected);
  }
});

Deno.test("ComputePool leaves cancelled jobs out, and starts no more workers than it needs", async () => {
  const answered: number[] = [];
  const done = Promise.withResolvers<void>();
  using pool = new ComputePool(4, {
    onComputed: (number) => {
      answered.push(number);
      if (number === 1) {
        pool.submit(job(2, 0, 10)); // the worker that has just finished takes it
        assert.equal(pool.workerCount, 1);
      } else {
        done.resolve();
      }
    },
    onFailed: (_number, reason) => done.reject(new Error(reason)),
  });
  pool.submit(job(1, 0, 10));
  await done.promise;
  assert.deepEqual(answered, [1, 2]);
});

Deno.test("ComputePool.cancel() takes a job out of the queue", async () => {
  const answered: number[] = [];
  const done = Promise.withResolvers<void>();
  using pool = new ComputePool(1, {
    onComputed: (number) => {
      answered.push(number);
      if (number === 3) done.resolve();
    },
    onFailed: (_number, reason) => done.reject(new Error(reason)),
  });
  for (const number of [1, 2, 3]) pool.submit(job(number, 0, 10));
  pool.cancel(2);
  await done.promise;
  assert.deepEqual(answered, [1, 3]);
});

Deno.test("ComputePool tells of a job that cannot be computed, and goes on with the next", async () => {
  const failed: number[] = [];
  const done = Promise.withResolvers<void>();
  using pool = new ComputePool(1, {
    onComputed: () => done.resolve(),
    onFailed: (number, reason) => {
      assert.match(reason, /length/);
      failed.push(number);
    },
  });
  pool.submit(job(1, 0, -1)); // no array has such a length
  pool.submit(job(2, 0, 1));
  await done.promise;
  assert.deepEqual(failed, [1]);
});
