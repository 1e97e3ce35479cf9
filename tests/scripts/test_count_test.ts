import assert from "node:assert/strict";
import { countTests } from "../../scripts/test.ts";

Deno.test("countTests() adds up the sums of a part", () => {
  assert.deepEqual(countTests("ok | 5 passed | 0 failed (1s)\n", true), { passed: 5, failed: 0 });
  assert.deepEqual(countTests("FAILED | 5 passed (3 steps) | 2 failed (1s)\n", false), {
    passed: 5,
    failed: 2,
  });
  assert.deepEqual(countTests("x\nok | 1 passed | 0 failed\n7 passed, 1 failed\n", false), {
    passed: 7,
    failed: 1,
  });
  assert.deepEqual(countTests("ok | 12 passed (1 step) | 0 failed | 2 ignored (3s)\n", true), {
    passed: 12,
    failed: 0,
  });
});

Deno.test("countTests() counts a part that broke, or that tested nothing, as failed", () => {
  assert.deepEqual(countTests("error: no such file\n", false), { passed: 0, failed: 1 });
  assert.deepEqual(countTests("", true), { passed: 0, failed: 1 });
  assert.deepEqual(countTests("ok | 3 passed | 0 failed\n", false), { passed: 3, failed: 1 });
});
