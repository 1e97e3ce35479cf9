import assert from "node:assert/strict";
import { fitPicture, renderPicture } from "../../../cmd/tui/half_blocks.ts";

const ESCAPE = "\x1b";

Deno.test("renderPicture() shows two points a cell, the upper one as the letter's colour", () => {
  const picture = {
    width: 2,
    height: 2,
    rgb: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3),
    painted: Uint8Array.of(1, 1, 1, 1),
  };
  assert.deepEqual(renderPicture(picture, { columns: 10, rows: 10 }), [
    `${ESCAPE}[38;2;255;0;0m${ESCAPE}[48;2;0;0;255m▀${ESCAPE}[38;2;0;255;0m${ESCAPE}[48;2;1;2;3m▀${ESCAPE}[0m`,
  ]);
});

Deno.test("renderPicture() says a colour once for cells that share it, and shows missing points in grey", () => {
  const picture = { width: 3, height: 2, rgb: new Uint8Array(18), painted: new Uint8Array(6) };
  assert.deepEqual(renderPicture(picture, { columns: 3, rows: 1 }), [
    `${ESCAPE}[38;2;38;38;38m${ESCAPE}[48;2;38;38;38m▀▀▀${ESCAPE}[0m`,
  ]);
});

Deno.test("renderPicture() averages points that share a half cell, without the missing ones", () => {
  const rgb = new Uint8Array(3 * 16);
  const painted = new Uint8Array(16);
  for (const [index, red] of [[0, 100], [1, 200], [4, 60]] as const) {
    rgb[3 * index] = red;
    painted[index] = 1;
  }
  const [line] = renderPicture({ width: 4, height: 4, rgb, painted }, { columns: 2, rows: 1 });
  assert.ok(line!.startsWith(`${ESCAPE}[38;2;120;0;0m${ESCAPE}[48;2;38;38;38m▀`), JSON.stringify(line));
});

Deno.test("fitPicture() keeps the shape, never enlarges and never vanishes", () => {
  assert.deepEqual(fitPicture(400, 250, { columns: 80, rows: 40 }), { columns: 80, rows: 25 });
  assert.deepEqual(fitPicture(400, 250, { columns: 80, rows: 10 }), { columns: 32, rows: 10 });
  assert.deepEqual(fitPicture(64, 64, { columns: 200, rows: 100 }), { columns: 64, rows: 32 });
  assert.deepEqual(fitPicture(8192, 64, { columns: 20, rows: 10 }), { columns: 20, rows: 1 });
  assert.deepEqual(fitPicture(64, 4096, { columns: 1, rows: 1 }), { columns: 1, rows: 1 });
});

Deno.test("renderPicture() gives as many lines and cells as fitPicture() says, whatever the sizes", () => {
  for (
    const [width, height, columns, rows] of [[64, 65, 7, 3], [65, 64, 100, 100], [100, 1, 30, 4], [
      1,
      9,
      5,
      2,
    ]]
  ) {
    const picture = {
      width: width!,
      height: height!,
      rgb: new Uint8Array(3 * width! * height!),
      painted: new Uint8Array(width! * height!).fill(1),
    };
    const size = { columns: columns!, rows: rows! };
    const fit = fitPicture(width!, height!, size);
    const lines = renderPicture(picture, size);
    assert.equal(lines.length, fit.rows);
    for (const line of lines) assert.equal(line.split("▀").length - 1, fit.columns);
    assert.ok(!lines.join("").includes("38;2;38;38;38"), "no cell misses its points");
  }
});
