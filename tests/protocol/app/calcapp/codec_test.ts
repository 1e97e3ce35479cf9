import assert from "node:assert/strict";
import { readCalcAppCookie, writeCalcAppCookie } from "../../../../protocol/app/calcapp/cookie.ts";
import type { CalcAppCookie } from "../../../../protocol/app/calcapp/cookie.ts";
import { MAX_JOB_SIZE, readCalcApp, writeCalcApp } from "../../../../protocol/app/calcapp/messages.ts";
import type { CalcAppMessage } from "../../../../protocol/app/calcapp/messages.ts";
import { DecodeError } from "../../../../protocol/wire/errors.ts";
import { PLAIN } from "../../param/arbitraries.ts";
import { fromHex, testSamples } from "../../param/codec_checks.ts";
import { testHostile } from "../../param/hostile.ts";
import { fc } from "../../../properties.ts";

const messages = { name: "readCalcApp", read: readCalcApp, write: writeCalcApp };
const cookies = { name: "readCalcAppCookie", read: readCalcAppCookie, write: writeCalcAppCookie };

const NOTHING = "0000000000000000";

// The first three are RSPLIB's own (reference/rsplib.md §8).
testSamples<CalcAppMessage>(messages, [
  {
    name: "a Request",
    hex: `01000018 00000001 00000000000489f7 ${NOTHING}`,
    value: { type: "request", jobId: 1, jobSize: 297_463 },
  },
  {
    name: "an Accept",
    hex: `02000018 00000001 ${NOTHING} ${NOTHING}`,
    value: { type: "accept", jobId: 1 },
  },
  {
    name: "a Complete",
    hex: "05000018 00000001 00000000000489f7 00000000000489f7",
    value: { type: "complete", jobId: 1, jobSize: 297_463, completed: 297_463 },
  },
  {
    name: "a Reject",
    hex: `03000018 ffffffff ${NOTHING} ${NOTHING}`,
    value: { type: "reject", jobId: 0xffffffff },
  },
  { name: "an Abort", hex: `04000018 00000002 ${NOTHING} ${NOTHING}`, value: { type: "abort", jobId: 2 } },
  {
    name: "a KeepAlive",
    hex: `06000018 00000003 ${NOTHING} ${NOTHING}`,
    value: { type: "keepAlive", jobId: 3 },
  },
  {
    name: "a KeepAliveAck",
    hex: `07000018 00000003 ${NOTHING} ${NOTHING}`,
    value: { type: "keepAliveAck", jobId: 3 },
  },
]);

testSamples<CalcAppCookie>(cookies, [
  {
    name: "a cookie",
    hex: "00000007 00000000004c4b40 0000000000000100",
    value: { jobId: 7, jobSize: 5_000_000, completed: 256 },
  },
  {
    name: "the cookie of a job that is done",
    hex: "00000007 001fffffffffffff 001fffffffffffff",
    value: { jobId: 7, jobSize: MAX_JOB_SIZE, completed: MAX_JOB_SIZE },
  },
]);

const jobId = fc.nat(0xffffffff), calculations = fc.nat(MAX_JOB_SIZE);
const type = fc.constantFrom(
  "accept" as const,
  "reject" as const,
  "abort" as const,
  "keepAlive" as const,
  "keepAliveAck" as const,
);
testHostile<CalcAppMessage>(
  messages,
  fc.oneof(
    fc.record({ type, jobId }, PLAIN),
    fc.record({ type: fc.constant("request" as const), jobId, jobSize: calculations }, PLAIN),
    fc.record({
      type: fc.constant("complete" as const),
      jobId,
      jobSize: calculations,
      completed: calculations,
    }, PLAIN),
  ),
);
testHostile<CalcAppCookie>(
  cookies,
  fc.record({ jobId, jobSize: calculations, completed: calculations }, PLAIN).map((cookie) => ({
    ...cookie,
    completed: Math.min(cookie.completed, cookie.jobSize),
  })),
);

const REFUSED: readonly (readonly [string, () => unknown])[] = [
  ["a message of no known type", () => readCalcApp(fromHex(`08000018 00000001 ${NOTHING} ${NOTHING}`))],
  ["a message of type 0", () => readCalcApp(fromHex(`00000018 00000001 ${NOTHING} ${NOTHING}`))],
  [
    "a message that says another length",
    () => readCalcApp(fromHex(`02000014 00000001 ${NOTHING} ${NOTHING}`)),
  ],
  ["a message that is longer than it says", () => {
    return readCalcApp(fromHex(`02000018 00000001 ${NOTHING} ${NOTHING} 00`));
  }],
  ["a job that is too large to count", () => {
    return readCalcApp(fromHex(`01000018 00000001 0020000000000000 ${NOTHING}`));
  }],
  ["a cookie that is further than its job", () => {
    return readCalcAppCookie(fromHex("00000001 0000000000000010 0000000000000011"));
  }],
  ["a cookie of another length", () => readCalcAppCookie(new Uint8Array(24))],
];
for (const [what, read] of REFUSED) {
  Deno.test(`readers of CalcApp refuse ${what}`, () => {
    assert.throws(read, DecodeError);
  });
}

Deno.test("readCalcApp() ignores flags, and fields that mean nothing in a message of the type", () => {
  const octets = fromHex("02ff0018 00000001 ffffffffffffffff ffffffffffffffff");
  assert.deepEqual(readCalcApp(octets), { type: "accept", jobId: 1 });
});
