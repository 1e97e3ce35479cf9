import assert from "node:assert/strict";
import { viewOf, Views } from "../../../cmd/pooluser/views.ts";
import type { Region } from "../../../cmd/pooluser/views.ts";
import { IMAGE } from "../../protocol/app/fractal/fixture.ts";
import type { FractalParameter } from "../../../protocol/app/fractal/messages.ts";
import { fc } from "../../properties.ts";

/** Real from -1 to 3 over 400 points, imaginary from 1 down to -1 over 200. */
const WIDE: FractalParameter = {
  ...IMAGE,
  width: 400,
  height: 200,
  c1Real: -1,
  c1Imag: 1,
  c2Real: 3,
  c2Imag: -1,
};

function corners(image: FractalParameter, region: Region): number[] {
  const view = viewOf(image, region);
  assert.ok(view.ok, JSON.stringify(view));
  const { c1Real, c1Imag, c2Real, c2Imag } = view.parameter;
  return [c1Real, c1Imag, c2Real, c2Imag];
}

function problem(image: FractalParameter, region: Region): string {
  const view = viewOf(image, region);
  assert.ok(!view.ok, JSON.stringify(view));
  return view.problem;
}

Deno.test("viewOf() shows a region as large as the image", () => {
  assert.deepEqual(corners(WIDE, { left: 0.25, top: 0.5, right: 0.5, bottom: 0.75 }), [0, 0, 1, -0.5]);
  assert.deepEqual(corners(WIDE, { left: -1, top: -1, right: 2, bottom: 2 }), [-5, 3, 7, -3]);
});

Deno.test("viewOf() gives the image itself, bit by bit, for all of it", () => {
  const odd = { ...WIDE, c1Real: 0.1, c2Real: 0.7, c1Imag: 0.3, c2Imag: -0.9 };
  assert.deepEqual(corners(odd, { left: 0, top: 0, right: 1, bottom: 1 }), [0.1, 0.3, 0.7, -0.9]);
});

Deno.test("viewOf() widens a region of another shape around its middle", () => {
  assert.deepEqual(corners(WIDE, { left: 0.25, top: 0.5, right: 0.75, bottom: 0.5001 }), [
    0,
    0.5 - 0.0001,
    2,
    -0.5 - 0.0001,
  ]);
});

Deno.test("viewOf() keeps the shape of points, whatever the region", () => {
  const edge = fc.double({ min: -100, max: 100, noNaN: true });
  fc.assert(fc.property(fc.tuple(edge, edge, edge, edge), ([left, top, right, bottom]) => {
    const view = viewOf(WIDE, { left, top, right, bottom });
    if (!view.ok) return;
    const { c1Real, c1Imag, c2Real, c2Imag } = view.parameter;
    const shape = (c2Real - c1Real) / (c1Imag - c2Imag);
    assert.ok(Math.abs(shape - 2) < 1e-2, `${shape}`);
    assert.ok(c2Real > c1Real && c1Imag > c2Imag);
  }));
});

Deno.test("viewOf() refuses a region without size, far away, or of no numbers", () => {
  const wrong: Region[] = [
    { left: 0.5, top: 0, right: 0.5, bottom: 1 },
    { left: 0, top: 1, right: 1, bottom: 0 },
    { left: 0, top: 0, right: 101, bottom: 1 },
    { left: NaN, top: 0, right: 1, bottom: 1 },
    { left: -Infinity, top: 0, right: 1, bottom: 1 },
  ];
  for (const region of wrong) assert.match(problem(WIDE, region), /must have a width/);
});

Deno.test("viewOf() stops where doubles do, and where there is nothing", () => {
  const middle = { left: 0.4, top: 0.4, right: 0.6, bottom: 0.6 };
  const views = new Views(WIDE);
  let said = "";
  for (let i = 0; i < 100 && said === ""; i++) {
    const view = views.go(middle);
    if (!view.ok) said = view.problem;
  }
  assert.match(said, /so small/);
  const { c1Real, c2Real, width } = views.current;
  const step = (c2Real - c1Real) / width;
  assert.ok(c1Real + step > c1Real && c2Real - step < c2Real, "points differ at both edges");
  assert.match(
    problem({ ...WIDE, c1Real: -9e5, c2Real: 9e5 }, { left: -1, top: 0, right: 1, bottom: 2 }),
    /reaches beyond/,
  );
});

Deno.test("Views goes back view by view, or at once", () => {
  const views = new Views(WIDE);
  assert.equal(views.back(), false);
  assert.equal(views.reset(), false);
  views.go({ left: 0, top: 0, right: 0.5, bottom: 0.5 });
  const half = views.current;
  views.go({ left: 0, top: 0, right: 0.5, bottom: 0.5 });
  assert.equal(views.depth, 2);
  assert.equal(views.back(), true);
  assert.equal(views.current, half);
  views.go({ left: 0, top: 0, right: 0.5, bottom: 0.5 });
  assert.equal(views.reset(), true);
  assert.equal(views.current, WIDE);
});

Deno.test("Views forgets old views, not the whole image", () => {
  const views = new Views(WIDE);
  for (let i = 0; i < 300; i++) {
    views.go(
      i % 2 === 0 ? { left: 0, top: 0, right: 0.5, bottom: 0.5 } : { left: 0, top: 0, right: 2, bottom: 2 },
    );
  }
  assert.equal(views.depth, 99);
  while (views.back()) { /* to the first */ }
  assert.equal(views.current, WIDE);
});
