import assert from "node:assert/strict";
import { partition, subParameter } from "../../../../protocol/app/fractal/subimage.ts";
import { IMAGE } from "./fixture.ts";
import { fc } from "../../../properties.ts";

Deno.test("partition() cuts as RSPLIB does: rows of floor(sqrt(sessions)), the rest in the last row", () => {
  assert.deepEqual(partition(200, 120, 1), [{ left: 0, top: 0, width: 200, height: 120 }]);
  assert.deepEqual(partition(200, 120, 2), [
    { left: 0, top: 0, width: 100, height: 120 },
    { left: 100, top: 0, width: 100, height: 120 },
  ]);
  assert.deepEqual(partition(100, 101, 5), [
    { left: 0, top: 0, width: 50, height: 50 },
    { left: 50, top: 0, width: 50, height: 50 },
    { left: 0, top: 50, width: 33, height: 51 },
    { left: 33, top: 50, width: 33, height: 51 },
    { left: 66, top: 50, width: 34, height: 51 },
  ]);
});

Deno.test("partition() covers every point exactly once", () => {
  const size = fc.integer({ min: 1, max: 70 });
  fc.assert(fc.property(size, size, fc.integer({ min: 1, max: 512 }), (width, height, sessions) => {
    const covered = new Uint8Array(width * height);
    const parts = partition(width, height, sessions);
    assert.ok(parts.length <= sessions);
    for (const { left, top, width: w, height: h } of parts) {
      assert.ok(w > 0 && h > 0);
      for (let y = top; y < top + h; y++) {
        for (let x = left; x < left + w; x++) covered[y * width + x]! += 1;
      }
    }
    assert.ok(covered.every((count) => count === 1));
  }));
});

Deno.test("subParameter() interpolates the corners and keeps the outer ones exact", () => {
  const [left, right] = partition(IMAGE.width, IMAGE.height, 2).map((part) => subParameter(IMAGE, part));
  assert.deepEqual(left, { ...IMAGE, width: 50, c2Real: 0 });
  assert.deepEqual(right, { ...IMAGE, width: 50, c1Real: 0 });
  assert.deepEqual(subParameter(IMAGE, { left: 0, top: 0, width: 100, height: 60 }), IMAGE);
});
