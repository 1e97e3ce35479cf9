import assert from "node:assert/strict";
import { decode } from "fast-png";
import { NOT_THERE, Picture } from "../../../cmd/pooluser/picture.ts";
import { colourOf } from "../../../protocol/app/fractal/colour.ts";
import { fc } from "../../properties.ts";

Deno.test("Picture.paint() wraps within the area of its points", () => {
  const picture = new Picture(4, 3);
  const area = { left: 1, top: 0, width: 2, height: 3 };
  picture.paint({ area, x: 2, y: 0, values: Uint32Array.of(24, 24, 24, 24) });
  const there = [...picture.shades].map((shade) => Number(shade !== NOT_THERE));
  assert.deepEqual(there, [0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0]);
  assert.deepEqual([picture.colourAt(1), picture.colourAt(2)], [undefined, 0x00ff00]);
  assert.deepEqual([...picture.rgb().subarray(3, 9)], [0, 0, 0, 0, 255, 0]);
});

Deno.test("Picture.paint() shows marks", () => {
  const picture = new Picture(1, 1);
  const area = { left: 0, top: 0, width: 1, height: 1 };
  picture.paint({ area, x: 0, y: 0, values: Uint32Array.of(0) }, { peChanges: 2, run: 1, session: 4 });
  assert.deepEqual([...picture.hues], [0], "the plain colour is kept");
  const [red, green, blue] = picture.rgb();
  assert.equal(red! << 16 | green! << 8 | blue!, colourOf(2 + 10 + 12));
});

Deno.test("Picture.png() makes a file that an independent reader reads back", () => {
  const picture = new Picture(72, 2);
  const values = Uint32Array.from({ length: 144 }, (_, index) => index);
  picture.paint({ area: { left: 0, top: 0, width: 72, height: 2 }, x: 0, y: 0, values });
  const { width, height, channels, depth, data } = decode(picture.png());
  assert.deepEqual({ width, height, channels, depth }, { width: 72, height: 2, channels: 3, depth: 8 });
  assert.deepEqual([...data], [...picture.rgb()]);
});

Deno.test("Picture.paint() paints what points one by one would, wherever they begin", () => {
  fc.assert(fc.property(
    fc.record({
      left: fc.nat(3),
      top: fc.nat(3),
      width: fc.integer({ min: 1, max: 6 }),
      height: fc.integer({ min: 1, max: 5 }),
    }),
    fc.nat(29),
    fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 30 }),
    (area, start, values) => {
      const points = area.width * area.height;
      const first = start % points;
      const count = Math.min(values.length, points - first);
      const at = (n: number) => ({ x: area.left + n % area.width, y: area.top + Math.floor(n / area.width) });
      const together = new Picture(9, 8), singly = new Picture(9, 8);
      const source = { peChanges: 300, element: 7 };
      together.paint(
        { area, ...at(first), values: Uint32Array.from(values.slice(0, count)) },
        { run: 3 },
        source,
      );
      for (let i = 0; i < count; i++) {
        singly.paint({ area, ...at(first + i), values: Uint32Array.of(values[i]!) }, { run: 3 }, source);
      }
      assert.deepEqual(together, singly);
      assert.equal(together.peChanges.filter((changes) => changes === 300 - 216).length, count);
    },
  ));
});
