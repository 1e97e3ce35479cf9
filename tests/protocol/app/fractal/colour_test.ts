import assert from "node:assert/strict";
import { COLOUR_COUNT, colourOf, hsvToRgb, markedValue } from "../../../../protocol/app/fractal/colour.ts";

Deno.test("colourOf() goes round the hues in 72 steps of 5 degrees", () => {
  const hex = (value: number) => colourOf(value).toString(16).padStart(6, "0");
  assert.deepEqual([0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66].map(hex), [
    "ff0000",
    "ff8000",
    "ffff00",
    "80ff00",
    "00ff00",
    "00ff80",
    "00ffff",
    "0080ff",
    "0000ff",
    "8000ff",
    "ff00ff",
    "ff0080",
  ]);
  assert.deepEqual([1, 2, 3, 71].map(hex), ["ff1500", "ff2a00", "ff4000", "ff0015"]);
  for (let value = 0; value < COLOUR_COUNT; value++) {
    assert.equal(colourOf(value), colourOf(value + COLOUR_COUNT));
    assert.equal(colourOf(value), hsvToRgb(5 * value, 1, 1));
  }
  assert.equal(
    new Set(Array.from({ length: COLOUR_COUNT }, (_, value) => colourOf(value))).size,
    COLOUR_COUNT,
  );
});

Deno.test("hsvToRgb() knows white, grey and black", () => {
  assert.deepEqual([hsvToRgb(200, 0, 1), hsvToRgb(200, 0, 0.5), hsvToRgb(200, 1, 0)], [
    0xffffff,
    0x808080,
    0,
  ]);
});

Deno.test("markedValue() moves the hue by run, PE changes and session", () => {
  assert.equal(markedValue(10, {}), 10);
  assert.equal(markedValue(10, { run: 1, peChanges: 2, session: 3 }), 10 + 2 + 10 + 9);
});
