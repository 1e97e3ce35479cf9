import assert from "node:assert/strict";
import { PeChecksum } from "../../../protocol/param/checksum.ts";
import { encodeText } from "../../../protocol/wire/text.ts";
import { fc } from "../../properties.ts";

const ECHO = [encodeText("EchoPool"), 0x11223344] as const;
const DAYTIME = [encodeText("DaytimePool"), 0xe2675f6b] as const;
const PING_PONG = [encodeText("PingPongPool"), 0xfc5c564e] as const;

Deno.test("PeChecksum gives what RSPLIB 3.4.4 was seen to send", () => {
  const of = (...elements: (readonly [Uint8Array, number])[]) => {
    const checksum = new PeChecksum();
    for (const element of elements) checksum.add(...element);
    return checksum.value;
  };
  assert.equal(of(), 0xffff);
  assert.equal(of(ECHO), 0x4deb);
  assert.equal(of(DAYTIME), 0x5629);
  assert.equal(of(PING_PONG), 0x6fd1);
  assert.equal(of(ECHO, DAYTIME, PING_PONG), 0x13e6);
});

Deno.test("PeChecksum depends on what is counted in, not on the way there", () => {
  const element = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 32 }), fc.nat(0xffffffff));
  fc.assert(fc.property(fc.array(element), fc.array(element), (kept, gone) => {
    const direct = new PeChecksum();
    for (const each of kept) direct.add(...each);
    const devious = new PeChecksum();
    for (const each of [...gone, ...kept.toReversed()]) devious.add(...each);
    for (const each of gone) devious.remove(...each);
    assert.equal(devious.value, direct.value);
  }));
});

Deno.test("PeChecksum stays exact over a million elements", () => {
  const checksum = new PeChecksum();
  const handle = new Uint8Array(32).fill(0xff);
  for (let i = 0; i < 1_000_000; i++) checksum.add(handle, 0xffffffff);
  checksum.add(...ECHO);
  for (let i = 0; i < 1_000_000; i++) checksum.remove(handle, 0xffffffff);
  assert.equal(checksum.value, 0x4deb);
});
