import assert from "node:assert/strict";
import { fitPicture, renderPicture } from "../../../cmd/tui/half_blocks.ts";

const ESCAPE = "\x1b";

Deno.test("renderPicture() shows two points a cell, the upper one as the letter's colour", () => {
  const colours = [0xff0000, 0x00ff00, 0x0000ff, 0x010203];
  const picture = { width: 2, height: 2, colourAt: (index: number) => colours[index] };
  assert.deepEqual(renderPicture(picture, { columns: 10, rows: 10 }), [
    `${ESCAPE}[38;2;255;0;0m${ESCAPE}[48;2;0;0;255m▀${ESCAPE}[38;2;0;255;0m${ESCAPE}[48;2;1;2;3m▀${ESCAPE}[0m`,
  ]);
});

Deno.test("renderPicture() says a colour once for cells that share it, and shows missing points in grey", () => {
  const picture = { width: 3, height: 2, colourAt: () => undefined };
  assert.deepEqual(renderPicture(picture, { columns: 3, rows: 1 }), [
    `${ESCAPE}[38;2;38;38;38m${ESCAPE}[48;2;38;38;38m▀▀▀${ESCAPE}[0m`,
  ]);
});

Deno.test("renderPicture() averages points that share a half cell, without the missing ones", () => {
  const colours = new Map([[0, 100 << 16], [1, 200 << 16], [4, 60 << 16]]);
  const picture = { width: 4, height: 4, colourAt: (index: number) => colours.get(index) };
  const [line] = renderPicture(picture, { columns: 2, rows: 1 });
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
      colourAt: (index: number) => index < width! * height! ? 0 : undefined,
    };
    const size = { columns: columns!, rows: rows! };
    const fit = fitPicture(width!, height!, size);
    const lines = renderPicture(picture, size);
    assert.equal(lines.length, fit.rows);
    for (const line of lines) assert.equal(line.split("▀").length - 1, fit.columns);
    assert.ok(!lines.join("").includes("38;2;38;38;38"), "no cell misses its points");
  }
});
