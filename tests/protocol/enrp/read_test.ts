import assert from "node:assert/strict";
import { readEnrp } from "../../../protocol/enrp/read.ts";
import { writeEnrp } from "../../../protocol/enrp/write.ts";
import { DecodeError, type DecodeReason } from "../../../protocol/wire/errors.ts";
import { fromHex, testSamples } from "../param/codec_checks.ts";
import { RFC_SAMPLES, RSPLIB_SAMPLES } from "./samples.ts";

testSamples({ name: "readEnrp", read: readEnrp, write: writeEnrp }, [...RSPLIB_SAMPLES, ...RFC_SAMPLES]);

const IDS = "00002222 00003333";

const BAD: readonly {
  readonly name: string;
  readonly hex: string;
  readonly reason: DecodeReason;
  readonly offset: number;
}[] = [
  { name: "an unknown message type", hex: `0b00000c ${IDS}`, reason: "unknown-type", offset: 0 },
  { name: "a message without receiver", hex: "05000008 00002222", reason: "truncated", offset: 8 },
  { name: "a presence without checksum", hex: `0100000c ${IDS}`, reason: "missing-parameter", offset: 12 },
  { name: "a takeover without target", hex: `0700000c ${IDS}`, reason: "truncated", offset: 12 },
  {
    name: "a list request with a parameter",
    hex: `05000014 ${IDS} 000e0008 00000001`,
    reason: "bad-value",
    offset: 12,
  },
  {
    name: "an update action nobody knows",
    hex: `04000018 ${IDS} 00020000 00090008 41424344`,
    reason: "bad-value",
    offset: 12,
  },
  {
    name: "a handle table response that starts with an element",
    hex:
      `03000034 ${IDS} 000a0028 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101 00080008 00000001`,
    reason: "bad-value",
    offset: 12,
  },
];

for (const { name, hex, reason, offset } of BAD) {
  Deno.test(`readEnrp() refuses ${name}`, () => {
    assert.throws(() => readEnrp(fromHex(hex)), (error) => {
      assert.ok(error instanceof DecodeError);
      assert.deepEqual([error.reason, error.offset], [reason, offset], error.message);
      return true;
    });
  });
}

Deno.test("readEnrp() collects the unknown parameters that want to be reported", () => {
  const unrecognized: Uint8Array[] = [];
  const message = readEnrp(fromHex(`05000010 ${IDS} c0770004`), unrecognized);
  assert.deepEqual(message, { type: "listRequest", senderId: 0x2222, receiverId: 0x3333 });
  assert.deepEqual(unrecognized.map((parameter) => parameter.toHex()), ["c0770004"]);
});
