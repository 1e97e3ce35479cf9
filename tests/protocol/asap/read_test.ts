import assert from "node:assert/strict";
import { readAsap } from "../../../protocol/asap/read.ts";
import { writeAsap } from "../../../protocol/asap/write.ts";
import { DecodeError, type DecodeReason } from "../../../protocol/wire/errors.ts";
import { errorFor } from "../../../protocol/param/operation_error.ts";
import { fromHex, testSamples } from "../param/codec_checks.ts";
import { RFC_SAMPLES, RSPLIB_SAMPLES } from "./samples.ts";

testSamples({ name: "readAsap", read: readAsap, write: writeAsap }, [...RSPLIB_SAMPLES, ...RFC_SAMPLES]);

const POOL = "0009000c 4563686f506f6f6c";

/** What is wrong with a message, and what a registrar answers. */
const BAD: readonly {
  readonly name: string;
  readonly hex: string;
  readonly reason: DecodeReason;
  readonly offset: number;
  /** Cause code and data. */
  readonly answer: readonly [number, string] | "silent";
}[] = [
  { name: "an empty message", hex: "", reason: "truncated", offset: 0, answer: [0x10, ""] },
  { name: "half a header", hex: "0100", reason: "truncated", offset: 2, answer: [0x10, ""] },
  {
    name: "a length below the header's",
    hex: "01000003",
    reason: "bad-length",
    offset: 2,
    answer: [0x10, ""],
  },
  {
    name: "a length beyond the end",
    hex: `05000030 ${POOL}`,
    reason: "truncated",
    offset: 2,
    answer: [0x10, ""],
  },
  {
    name: "octets behind the message",
    hex: `05000010 ${POOL} 00000000`,
    reason: "bad-length",
    offset: 16,
    answer: [0x10, ""],
  },
  {
    name: "an unknown message type",
    hex: "0f000008 01020304",
    reason: "unknown-type",
    offset: 0,
    answer: "silent",
  },
  {
    name: "an unknown message type that wants to be reported",
    hex: "4f000008 01020304",
    reason: "unknown-type",
    offset: 0,
    answer: [2, "4f00000801020304"],
  },
  {
    name: "a registration without element",
    hex: `01000010 ${POOL}`,
    reason: "missing-parameter",
    offset: 16,
    answer: [0x10, ""],
  },
  {
    name: "an empty pool handle",
    hex: "05000008 00090004",
    reason: "bad-value",
    offset: 8,
    answer: [3, "00090004"],
  },
  {
    name: "parameters in the wrong order",
    hex: `05000018 803f0008 00000001 ${POOL}`,
    reason: "missing-parameter",
    offset: 4,
    answer: [3, "803f000800000001"],
  },
  {
    name: "a known parameter at the end",
    hex: `09000020 ${POOL} 000e0008 00000001 000e0008 00000001`,
    reason: "bad-value",
    offset: 24,
    answer: [3, "000e000800000001"],
  },
  {
    name: "a parameter that is too long",
    hex: `0900001c ${POOL} 000e000c 00000001 00000000`,
    reason: "bad-length",
    offset: 24,
    answer: [3, "000e000c0000000100000000"],
  },
  {
    name: "a parameter that is too short",
    hex: `09000018 ${POOL} 000e0006 00000000`,
    reason: "truncated",
    offset: 20,
    answer: [3, "000e00060000"],
  },
  {
    name: "a parameter that runs over the end",
    hex: "05000010 00090010 4563686f506f6f6c",
    reason: "truncated",
    offset: 4,
    answer: [0x10, ""],
  },
  {
    name: "a parameter of length 0",
    hex: "05000008 00090000",
    reason: "bad-length",
    offset: 4,
    answer: [0x10, ""],
  },
  {
    name: "an unknown parameter, action bits 00",
    hex: `05000018 ${POOL} 00770008 61626364`,
    reason: "unknown-parameter",
    offset: 16,
    answer: "silent",
  },
  {
    name: "an unknown parameter, action bits 01",
    hex: `05000018 ${POOL} 40770007 61626300`,
    reason: "unknown-parameter",
    offset: 16,
    answer: [1, "40770007616263"],
  },
  {
    name: "an address of unknown family within an element",
    hex: `01000038 ${POOL} 000a0028 11223344 00000000 00015f90 00040010 a7e00001 40010008 0a010101
      00080008 00000001`,
    reason: "unknown-parameter",
    offset: 40,
    answer: [1, "400100080a010101"],
  },
  {
    name: "an element without policy",
    hex: `01000030 ${POOL} 000a0020 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101`,
    reason: "missing-parameter",
    offset: 48,
    answer: [3, "000a002011223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101"],
  },
  {
    name: "a transport without address",
    hex: `01000030 ${POOL} 000a0020 11223344 00000000 00015f90 00040008 a7e00001 00080008 00000001`,
    reason: "missing-parameter",
    offset: 40,
    answer: [3, "00040008a7e00001"],
  },
  {
    name: "a transport use nobody knows",
    hex: `01000038 ${POOL} 000a0028 11223344 00000000 00015f90 00040010 a7e00002 00010008 0a010101
      00080008 00000001`,
    reason: "bad-value",
    offset: 38,
    answer: [3, "00040010a7e00002000100080a010101"],
  },
  {
    name: "a TCP transport with two addresses",
    hex:
      `01000040 ${POOL} 000a0030 11223344 00000000 00015f90 00050018 a7e00001 00010008 0a010101 00010008 0a020101
      00080008 00000001`,
    reason: "too-many",
    offset: 40,
    answer: [3, "00050018a7e00001000100080a010101000100080a020101"],
  },
  {
    name: "a policy that ends early",
    hex: `01000038 ${POOL} 000a0028 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101
      00080008 00000002`,
    reason: "truncated",
    offset: 56,
    answer: [3, "0008000800000002"],
  },
  {
    name: "an error without cause",
    hex: "0e000008 000c0004",
    reason: "truncated",
    offset: 8,
    answer: [3, "000c0004"],
  },
  {
    name: "an error cause of length 0",
    hex: "0e00000c 000c0008 00010000",
    reason: "bad-length",
    offset: 10,
    answer: [3, "000c000800010000"],
  },
];

for (const { name, hex, reason, offset, answer } of BAD) {
  Deno.test(`readAsap() refuses ${name}, and errorFor() has the answer`, () => {
    assert.throws(() => readAsap(fromHex(hex)), (error) => {
      assert.ok(error instanceof DecodeError);
      assert.deepEqual([error.reason, error.offset], [reason, offset], error.message);
      const expected = answer === "silent" ? answer : [{ code: answer[0], data: fromHex(answer[1]) }];
      assert.deepEqual(errorFor(error), expected);
      return true;
    });
  });
}

Deno.test("readAsap() skips unknown parameters with action bits 10 and collects those with 11", () => {
  const unrecognized: Uint8Array[] = [];
  const octets = fromHex(
    `05000030 8077 0005 61000000 ${POOL} c077 0006 61620000 803f0008 00000002 c0780004 80790004`,
  );
  const message = readAsap(octets, unrecognized);
  assert.deepEqual(message, { type: "handleResolution", poolHandle: fromHex("4563686f506f6f6c"), items: 2 });
  assert.deepEqual(unrecognized.map((parameter) => parameter.toHex()), ["c07700066162", "c0780004"]);
});

Deno.test("readAsap() collects unknown parameters from within others, too", () => {
  const unrecognized: Uint8Array[] = [];
  const octets = fromHex(
    `01000048 ${POOL} 000a0038 11223344 00000000 00015f90 00040014 a7e00001 c0010004 00010008
    0a010101 c0020008 61626364 00080008 00000001 c0030004`,
  );
  const message = readAsap(octets, unrecognized);
  assert.ok(message.type === "registration");
  assert.deepEqual(message.element.userTransport.addresses, ["10.1.1.1"]);
  assert.deepEqual(unrecognized.map((parameter) => parameter.toHex()), [
    "c0010004",
    "c002000861626364",
    "c0030004",
  ]);
});

Deno.test("readAsap() takes a message whose length leaves the last padding out, and one without that padding", () => {
  const expected = { type: "cookie", cookie: fromHex("616263") };
  assert.deepEqual(readAsap(fromHex("0b00000b 000d0007 61626300")), expected);
  assert.deepEqual(readAsap(fromHex("0b00000b 000d0007 616263")), expected);
});

Deno.test("readAsap() ignores flags and padding that mean nothing", () => {
  const octets = fromHex("0bff000c 000d0007 616263ff");
  assert.deepEqual(readAsap(octets), { type: "cookie", cookie: fromHex("616263") });
});

Deno.test("readAsap() keeps nothing of the octets that it is lent", () => {
  for (const { hex, value } of RSPLIB_SAMPLES) {
    const octets = fromHex(hex);
    const message = readAsap(octets);
    octets.fill(0xee);
    assert.deepEqual(message, value);
  }
});

Deno.test("readAsap() reads a pool handle of 33 octets, which a registrar then refuses", () => {
  const message = readAsap(fromHex(`0500002c 00090025 ${"41".repeat(33)} 000000`));
  assert.ok(message.type === "handleResolution");
  assert.equal(message.poolHandle.length, 33);
});
