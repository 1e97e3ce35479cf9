import assert from "node:assert/strict";
import { traceDifference } from "../../../../protocol/sim/pool/mod.ts";

Deno.test("traceDifference() lets lines of one instant change places", () => {
  assert.equal(traceDifference(["1.0 a", "1.0 b"], ["1.0 b", "1.0 a"]), undefined);
});

Deno.test("traceDifference() keeps what the scenario does in its place", () => {
  assert.match(traceDifference(["1.0 a", "1.0 * heal"], ["1.0 * heal", "1.0 a"]) ?? "", /^line 1 .*"1\.0 a"/);
});

Deno.test("traceDifference() names the first difference", async (t) => {
  for (
    const [expected, found, sentence] of [
      [["1.0 a"], ["1.1 a"], 'line 1 of the trace is not "1.0 a" but "1.1 a"'],
      [["1.0 a"], [], 'line 1 of the trace is not "1.0 a" but "the end"'],
      [[], ["1.0 a"], 'line 1 of the trace is not "the end" but "1.0 a"'],
      [["1.0 a", "1.0 a"], ["1.0 a"], 'line 2 of the trace is not "1.0 a" but "the end"'],
    ] as const
  ) {
    await t.step(sentence, () => assert.equal(traceDifference(expected, found), sentence));
  }
});
