import assert from "node:assert/strict";
import { readPingPongCookie, writePingPongCookie } from "../../../../protocol/app/pingpong/cookie.ts";
import type { PingPongCookie } from "../../../../protocol/app/pingpong/cookie.ts";
import { MAX_PING_DATA, readPingPong, writePingPong } from "../../../../protocol/app/pingpong/messages.ts";
import type { PingPongMessage } from "../../../../protocol/app/pingpong/messages.ts";
import { DecodeError, StateError } from "../../../../protocol/wire/errors.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { PLAIN } from "../../param/arbitraries.ts";
import { fromHex, testSamples } from "../../param/codec_checks.ts";
import { testHostile } from "../../param/hostile.ts";
import { fc } from "../../../properties.ts";

const messages = { name: "readPingPong", read: readPingPong, write: writePingPong };
const cookies = { name: "readPingPongCookie", read: readPingPongCookie, write: writePingPongCookie };

const TEXT = encodeText("Nachricht: 1, Zeitstempel: 1790000000000000"), TEXT_HEX = TEXT.toHex();
const NONE = new Uint8Array();

testSamples<PingPongMessage>(messages, [
  {
    name: "RSPLIB's Ping",
    hex: `01000037 0000000000000001 ${TEXT_HEX}`,
    value: { type: "ping", messageNumber: 1n, data: TEXT },
  },
  {
    name: "RSPLIB's Pong",
    hex: `0200003f 0000000000000001 0000000000000001 ${TEXT_HEX}`,
    value: { type: "pong", messageNumber: 1n, replyNumber: 1n, data: TEXT },
  },
  {
    name: "a Ping with the highest number and nothing to say",
    hex: "0100000c ffffffffffffffff",
    value: { type: "ping", messageNumber: 0xffff_ffff_ffff_ffffn, data: NONE },
  },
  {
    name: "a Pong likewise",
    hex: "02000014 fffffffffffffffe ffffffffffffffff",
    value: {
      type: "pong",
      messageNumber: 0xffff_ffff_ffff_fffen,
      replyNumber: 0xffff_ffff_ffff_ffffn,
      data: NONE,
    },
  },
]);

testSamples<PingPongCookie>(cookies, [
  { name: "RSPLIB's cookie", hex: "3c50502d5444313e 0000000000000005", value: { nextReply: 5n } },
  {
    name: "a cookie at the end",
    hex: "3c50502d5444313e ffffffffffffffff",
    value: { nextReply: 2n ** 64n - 1n },
  },
]);

const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const data = fc.uint8Array({ maxLength: 100 });
testHostile<PingPongMessage>(
  messages,
  fc.oneof(
    fc.record({ type: fc.constant("ping" as const), messageNumber: number, data }, PLAIN),
    fc.record(
      { type: fc.constant("pong" as const), messageNumber: number, replyNumber: number, data },
      PLAIN,
    ),
  ),
);
testHostile<PingPongCookie>(cookies, fc.record({ nextReply: number }, PLAIN));

const REFUSED: readonly (readonly [string, string])[] = [
  ["an unknown type", "0300000c 0000000000000001"],
  ["a length field that is too long", "0100000d 0000000000000001"],
  ["a length field that is too short", "0100000b 0000000000000001"],
  ["octets behind the message", "0100000c 0000000000000001 00"],
];
for (const [what, hex] of REFUSED) {
  Deno.test(`readPingPong() refuses ${what}`, () => {
    assert.throws(() => readPingPong(fromHex(hex)), DecodeError);
  });
}

Deno.test("readPingPong() takes any flags", () => {
  assert.equal(readPingPong(fromHex("01ff000c 0000000000000001")).type, "ping");
});

Deno.test("a Ping has no more data than its Pong can hold", () => {
  const most = new Uint8Array(MAX_PING_DATA);
  const pong = writePingPong({ type: "pong", messageNumber: 1n, replyNumber: 1n, data: most });
  assert.equal(pong.length, 0xffff);
  assert.equal(readPingPong(pong).data.length, MAX_PING_DATA);
  const ping = writePingPong({ type: "ping", messageNumber: 1n, data: most });
  assert.equal(readPingPong(ping).data.length, MAX_PING_DATA);
  const longer = new Uint8Array([...ping, 0]);
  longer.set([ping.length + 1 >> 8, ping.length + 1 & 255], 2);
  assert.throws(() => readPingPong(longer), DecodeError);
  const tooMuch = new Uint8Array(MAX_PING_DATA + 1);
  assert.throws(() => writePingPong({ type: "ping", messageNumber: 1n, data: tooMuch }), StateError);
});

Deno.test("readPingPongCookie() refuses a foreign cookie and a foreign length", () => {
  for (const hex of ["3c46472d5444313e 0000000000000005", "3c50502d5444313e 000000000000000500", ""]) {
    assert.throws(() => readPingPongCookie(fromHex(hex)), DecodeError);
  }
});
