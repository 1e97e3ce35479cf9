import assert from "node:assert/strict";
import { MAX_BATCH_POINTS, PointBatch } from "../../../../cmd/pooluser/web/point_batch.ts";
import type { FractalPoints } from "../../../../protocol/app/fractal/client_types.ts";

const AREA = { left: 10, top: 20, width: 5, height: 100_000 };

function points(change: Partial<FractalPoints>): FractalPoints {
  return {
    type: "points",
    part: 0,
    area: AREA,
    x: 10,
    y: 20,
    values: Uint32Array.of(1, 2, 3),
    elementId: 0xa,
    peChanges: 0,
    missing: 1,
    ...change,
  };
}

function taken(batch: PointBatch): { runs: unknown; hues: number[] } {
  const result = batch.take();
  assert.ok(result !== undefined && "points" in result);
  return { runs: result.points.runs, hues: [...Uint8Array.fromBase64(result.points.hues)] };
}

Deno.test("PointBatch joins what follows each other, and keeps apart what differs", () => {
  const batch = new PointBatch();
  batch.add(points({}), 0);
  batch.add(points({ x: 13, values: Uint32Array.of(72, 145) }), 0); // the rest of the row
  batch.add(points({ y: 21 }), 0); // the next row
  batch.add(points({ x: 13, y: 21, peChanges: 1 }), 1);
  batch.add(points({ x: 11, y: 23, part: 2 }), 1);
  batch.add(points({ x: 11, y: 24, part: 2, peChanges: 217 }), 1);
  assert.deepEqual(taken(batch), {
    runs: [[0, 0, 0, 0, 8], [0, 1, 1, 8, 3], [2, 1, 0, 16, 3], [2, 1, 1, 21, 3]],
    hues: [1, 2, 3, 0, 1, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3],
  });
  assert.equal(batch.take(), undefined);
});

Deno.test("PointBatch gives up when there is too much, and begins anew", () => {
  const batch = new PointBatch();
  const values = new Uint32Array(MAX_BATCH_POINTS / 2);
  batch.add(points({ values }), 0);
  batch.add(points({ values }), 0);
  assert.equal(taken(batch).hues.length, MAX_BATCH_POINTS);
  for (let i = 0; i < 3; i++) batch.add(points({ values }), 0);
  assert.deepEqual(batch.take(), { isStale: true });
  batch.add(points({}), 0);
  assert.deepEqual(taken(batch).hues, [1, 2, 3]);
});
