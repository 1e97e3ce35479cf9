import assert from "node:assert/strict";
import {
  MAX_SCRIPTING_DATA,
  MAX_SCRIPTING_INFO,
  readScripting,
  type ScriptingMessage,
  writeFilePieces,
  writeScripting,
} from "../../../../protocol/app/scripting/messages.ts";
import { messageOctets } from "../../../../protocol/net.ts";
import { DecodeError, StateError } from "../../../../protocol/wire/errors.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { PLAIN } from "../../param/arbitraries.ts";
import { fromHex, testSamples } from "../../param/codec_checks.ts";
import { testHostile } from "../../param/hostile.ts";
import { fc } from "../../../properties.ts";

const messages = { name: "readScripting", read: readScripting, write: writeScripting };
const HASH = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

testSamples<ScriptingMessage>(messages, [
  {
    name: "NotReady of a full server",
    hex: "0000000b 00000001 706531",
    value: { type: "notReady", reason: 1, info: encodeText("pe1") },
  },
  {
    name: "RSPLIB's Ready",
    hex: "01000007 706531",
    value: { type: "ready", info: encodeText("pe1"), extended: false },
  },
  {
    name: "this project's Ready",
    hex: "01800004",
    value: { type: "ready", info: new Uint8Array(), extended: true },
  },
  {
    name: "an Upload",
    hex: "02000006 0102",
    value: { type: "upload", data: Uint8Array.of(1, 2) },
  },
  { name: "the end of an upload", hex: "02000004", value: { type: "upload", data: new Uint8Array() } },
  { name: "a Download", hex: "03000005 ff", value: { type: "download", data: Uint8Array.of(255) } },
  { name: "the end of a download", hex: "03000004", value: { type: "download", data: new Uint8Array() } },
  { name: "a KeepAlive", hex: "04000004", value: { type: "keepAlive", extended: false } },
  { name: "a user's first KeepAlive", hex: "04800004", value: { type: "keepAlive", extended: true } },
  { name: "a KeepAliveAck of a PE", hex: "05000008 00000000", value: { type: "keepAliveAck", status: 0 } },
  { name: "a KeepAliveAck of a PU", hex: "05000004", value: { type: "keepAliveAck", status: undefined } },
  { name: "a Status", hex: "06000008 000000ff", value: { type: "status", status: 255 } },
  {
    name: "a PU's Environment",
    hex: `07000018 ${HASH}`,
    value: { type: "environment", hash: fromHex(HASH), uploadNeeded: false },
  },
  {
    name: "a PE's Environment that is to be uploaded",
    hex: `07010018 ${HASH}`,
    value: { type: "environment", hash: fromHex(HASH), uploadNeeded: true },
  },
  {
    name: "a Print of standard error",
    hex: "08020006 6869",
    value: { type: "print", channel: "stderr", data: encodeText("hi") },
  },
  {
    name: "a Print of the server",
    hex: "08030004",
    value: { type: "print", channel: "server", data: new Uint8Array() },
  },
]);

const info = fc.uint8Array({ maxLength: MAX_SCRIPTING_INFO });
const data = fc.uint8Array({ maxLength: 100 });
const number = fc.nat(0xffffffff);
testHostile<ScriptingMessage>(
  messages,
  fc.oneof(
    fc.record({ type: fc.constant("notReady" as const), reason: number, info }, PLAIN),
    fc.record({ type: fc.constant("ready" as const), info, extended: fc.boolean() }, PLAIN),
    fc.record({ type: fc.constantFrom("upload" as const, "download" as const), data }, PLAIN),
    fc.record({ type: fc.constant("status" as const), status: number }, PLAIN),
    fc.record({
      type: fc.constant("environment" as const),
      hash: fc.uint8Array({ minLength: 20, maxLength: 20 }),
      uploadNeeded: fc.boolean(),
    }, PLAIN),
    fc.record({
      type: fc.constant("print" as const),
      channel: fc.constantFrom("stdout" as const, "stderr" as const, "server" as const),
      data,
    }, PLAIN),
  ),
);

Deno.test("a full Upload has 16384 octets of data, and one more is refused both ways", () => {
  const full = { type: "upload", data: new Uint8Array(MAX_SCRIPTING_DATA).fill(7) } as const;
  const octets = writeScripting(full);
  assert.equal(octets.length, 16_388);
  assert.equal(octets.subarray(0, 5).toHex(), "0200400407");
  assert.deepEqual(readScripting(octets), full);
  const more = { type: "upload", data: new Uint8Array(MAX_SCRIPTING_DATA + 1) } as const;
  assert.throws(() => writeScripting(more), StateError);
  const long = new Uint8Array(16_389);
  long.set(fromHex("02004005"));
  assert.throws(() => readScripting(long), DecodeError);
});

Deno.test("readScripting() takes no name of more than 64 octets", () => {
  const octets = new Uint8Array(4 + MAX_SCRIPTING_INFO + 1);
  octets.set(fromHex("01000045"));
  assert.throws(() => readScripting(octets), DecodeError);
  octets[3] = 0x44;
  assert.deepEqual(readScripting(octets.subarray(0, 68)).type, "ready");
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["an unknown type", "09000004"],
  ["a length field that is too small", "04000003"],
  ["a length field that is not the message's", "02000005 0102"],
  ["a NotReady without a reason", "00000006 0001"],
  ["a KeepAlive with a body", "04000005 00"],
  ["a KeepAliveAck with half a status", "05000006 0000"],
  ["a Status that is too long", "06000009 00000000 00"],
  ["an Environment whose hash is too short", "07000017 da39a3ee5e6b4b0d3255bfef95601890afd807"],
  ["a Print on no channel", "08000004"],
  ["a Print on an unknown channel", "08040004"],
];
for (const [what, hex] of REFUSED) {
  Deno.test(`readScripting() refuses ${what}`, () => {
    assert.throws(() => readScripting(fromHex(hex)), DecodeError);
  });
}

Deno.test("readScripting() ignores flags that it does not know", () => {
  assert.deepEqual(readScripting(fromHex("027f0005 2a")), { type: "upload", data: Uint8Array.of(42) });
  assert.deepEqual(readScripting(fromHex("067f0008 00000003")), { type: "status", status: 3 });
  assert.deepEqual(readScripting(fromHex("047f0004")), { type: "keepAlive", extended: false });
});

Deno.test("writeFilePieces() writes what writeScripting() does, message by message", () => {
  for (const length of [0, 1, MAX_SCRIPTING_DATA, MAX_SCRIPTING_DATA + 1, 3 * MAX_SCRIPTING_DATA - 5]) {
    const data = Uint8Array.from({ length }, (_, index) => index * 7919 >> 8);
    for (const type of ["upload", "download"] as const) {
      const pieces = Array.from({ length: Math.ceil(length / MAX_SCRIPTING_DATA) }, (_, index) => {
        const start = index * MAX_SCRIPTING_DATA;
        return writeScripting({ type, data: data.slice(start, start + MAX_SCRIPTING_DATA) });
      });
      assert.deepEqual(writeFilePieces(type, data).map(messageOctets), pieces, `${length} octets`);
    }
  }
});
