import assert from "node:assert/strict";
import { listFailures } from "../../scripts/failures.ts";

/** What `deno test` prints when a step and a test fail; the text of the first error has an empty line. */
const OUTPUT = `bad one ... FAILED (due to 1 failed step) (2ms)

 ERRORS 

bad one ... inner => ./tests/a_test.ts:2:45
error: Error: no answer after it said:

registered => nowhere
    at file:///x/tests/a_test.ts:2:73
    at innerWrapped (ext:cli/40_test.js:300:11)

bad two => ./tests/a_test.ts:3:6
error: Error: bang
    at file:///x/tests/a_test.ts:3:36

 FAILURES 

bad one ... inner => ./tests/a_test.ts:2:45
bad two => ./tests/a_test.ts:3:6

FAILED | 1 passed | 2 failed (1 step) (0ms)
`;

const FAILURES = [
  "bad one ... inner => ./tests/a_test.ts:2:45\nerror: Error: no answer after it said:\n\nregistered => nowhere\n" +
  "    at file:///x/tests/a_test.ts:2:73",
  "bad two => ./tests/a_test.ts:3:6\nerror: Error: bang\n    at file:///x/tests/a_test.ts:3:36",
];

Deno.test("listFailures() has each failure with its test, its place and its error", () => {
  assert.deepEqual(listFailures(OUTPUT), FAILURES);
  assert.deepEqual(listFailures("fine ... ok (1ms)\n\nok | 1 passed | 0 failed (0ms)\n"), []);
});

Deno.test("listFailures() reads several runs, and what went over a terminal", () => {
  assert.deepEqual(listFailures(`${OUTPUT}\n${OUTPUT}`.replaceAll("\n", "\r\n")), [...FAILURES, ...FAILURES]);
});

Deno.test("listFailures() keeps the beginning and the end of a long error", () => {
  const [failure = ""] = listFailures(
    OUTPUT.replace("registered => nowhere", `${"x".repeat(5000)}last words`),
  );
  assert.ok(failure.length < 1100, `${failure.length}`);
  assert.match(failure, /^bad one .*\nerror: Error: no answer[^]* \[…\] x+last words\n {4}at /);
});
