import assert from "node:assert/strict";
import { decode } from "fast-png";
import { Picture } from "../../../cmd/pooluser/picture.ts";
import { colourOf } from "../../../protocol/app/fractal/colour.ts";

Deno.test("Picture.paint() wraps within the area of its points", () => {
  const picture = new Picture(4, 3);
  const area = { left: 1, top: 0, width: 2, height: 3 };
  picture.paint({ area, x: 2, y: 0, values: Uint32Array.of(24, 24, 24, 24) });
  assert.deepEqual([...picture.painted], [0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0]);
  assert.deepEqual([...picture.rgb.subarray(6, 9)], [0, 255, 0]);
});

Deno.test("Picture.paint() shows marks", () => {
  const picture = new Picture(1, 1);
  const area = { left: 0, top: 0, width: 1, height: 1 };
  picture.paint({ area, x: 0, y: 0, values: Uint32Array.of(0) }, { peChanges: 2, run: 1, session: 4 });
  const [red, green, blue] = picture.rgb;
  assert.equal(red! << 16 | green! << 8 | blue!, colourOf(2 + 10 + 12));
});

Deno.test("Picture.png() makes a file that an independent reader reads back", () => {
  const picture = new Picture(72, 2);
  const values = Uint32Array.from({ length: 144 }, (_, index) => index);
  picture.paint({ area: { left: 0, top: 0, width: 72, height: 2 }, x: 0, y: 0, values });
  const { width, height, channels, depth, data } = decode(picture.png());
  assert.deepEqual({ width, height, channels, depth }, { width: 72, height: 2, channels: 3, depth: 8 });
  assert.deepEqual([...data], [...picture.rgb]);
});
