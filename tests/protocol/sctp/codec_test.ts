import assert from "node:assert/strict";
import type { ErrorCause } from "../../../protocol/net.ts";
import { makeAbort, makeError, readCauses } from "../../../protocol/sctp/causes.ts";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { openCookie, sealCookie } from "../../../protocol/sctp/cookie.ts";
import type { StateCookie } from "../../../protocol/sctp/cookie.ts";
import { checksumMatches, crc32c } from "../../../protocol/sctp/crc32c.ts";
import { NO_EXTENSIONS } from "../../../protocol/sctp/extensions.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import type { InitChunk } from "../../../protocol/sctp/init_chunk.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { DecodeError } from "../../../protocol/wire/mod.ts";
import { mac } from "./harness.ts";
import { fc } from "../../properties.ts";

/** Only DecodeError comes out of a decoder, whatever goes in. */
function assertTyped(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
  }
}

/** Every truncation and every flipped bit. */
function damage(octets: Uint8Array, decode: (octets: Uint8Array) => unknown): void {
  for (let length = 0; length < octets.length; length++) assertTyped(() => decode(octets.slice(0, length)));
  for (let bit = 0; bit < octets.length * 8; bit++) {
    const flipped = octets.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assertTyped(() => decode(flipped));
  }
}

const INITS: { name: string; type: number; hex: string; value: Partial<InitChunk> }[] = [
  {
    name: "INIT with an IPv4 and an IPv6 address",
    type: ChunkType.init,
    hex: "010000380badcafe00019000000affff000003e8" + "000500080a010001" +
      "00060014fd010000000000000000000000000001" + "000c000800050006",
    value: {
      initiateTag: 0x0badcafe,
      receiveWindow: 0x19000,
      outboundStreams: 10,
      inboundStreams: 65_535,
      initialTsn: 1000,
      addresses: ["10.1.0.1", "fd01::1"],
    },
  },
  {
    name: "INIT ACK with a cookie and an unrecognized parameter",
    type: ChunkType.initAck,
    hex: "020000260000000100001000000100010000000a" + "0007000568000000" + "0008000ac0010006cafe",
    value: {
      initiateTag: 1,
      receiveWindow: 4096,
      outboundStreams: 1,
      inboundStreams: 1,
      initialTsn: 10,
      addresses: [],
      cookie: Uint8Array.of(0x68),
    },
  },
];

for (const { name, type, hex, value } of INITS) {
  Deno.test(`readInit() and writeInit() agree on an ${name}`, () => {
    const octets = Uint8Array.fromHex(hex);
    const read = readInit(octets);
    for (const [key, expected] of Object.entries(value)) {
      assert.deepEqual(read[key as keyof InitChunk], expected, key);
    }
    const unrecognized = type === ChunkType.initAck ? [Uint8Array.fromHex("c0010006cafe")] : [];
    const written = writeInit(type, { ...INIT_BASE, ...value, unrecognized });
    assert.equal(written.subarray(0, octets.length).toHex(), hex);
  });

  Deno.test(`readInit() survives a damaged ${name}`, () => damage(Uint8Array.fromHex(hex), readInit));
}

const INIT_BASE: InitChunk = {
  initiateTag: 1,
  receiveWindow: 1500,
  outboundStreams: 1,
  inboundStreams: 1,
  initialTsn: 0,
  addresses: [],
};

Deno.test("readInit() limits addresses, cookies and reports", () => {
  const addresses = Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`);
  assert.equal(readInit(writeInit(ChunkType.init, { ...INIT_BASE, addresses })).addresses.length, 16);
  const cookie = new Uint8Array(9000);
  assert.equal(readInit(writeInit(ChunkType.initAck, { ...INIT_BASE, cookie })).cookie, undefined);
  const chunk = writeInit(ChunkType.initAck, INIT_BASE);
  const unknown = new Uint8Array(chunk.length + 100 * 8);
  unknown.set(chunk);
  for (let i = 0; i < 100; i++) unknown.set([0xc0, 1, 0, 8, 1, 2, 3, 4], chunk.length + 8 * i);
  assert.equal(readInit(unknown).unrecognized?.length, 32);
});

const CAUSES: { name: string; hex: string; value: ErrorCause[] }[] = [
  { name: "no cause", hex: "06000004", value: [] },
  {
    name: "two causes with padding",
    hex: "0600001100010008000700000" + "00c00056f000000",
    value: [{ code: 1, info: Uint8Array.of(0, 7, 0, 0) }, { code: 12, info: Uint8Array.of(0x6f) }],
  },
];

for (const { name, hex, value } of CAUSES) {
  Deno.test(`readCauses() reads ${name}`, () => {
    assert.deepEqual(readCauses(Uint8Array.fromHex(hex)), value);
    damage(Uint8Array.fromHex(hex), readCauses);
  });
}

Deno.test("makeError() and makeAbort() write what readCauses() reads", () => {
  const cause = { code: 6, info: Uint8Array.of(1, 2, 3, 4, 5) };
  assert.equal(makeError(cause).toHex(), "0900000d000600090102030405000000");
  assert.equal(makeAbort(1, cause).toHex(), "0601000d000600090102030405000000");
  assert.deepEqual(readCauses(makeError(cause)), [cause]);
});

const COOKIE: StateCookie = {
  createdAt: 12.5,
  lifeMs: 60_000,
  localPort: 3863,
  localTieTag: 3,
  peerTieTag: 4,
  terms: {
    peerPort: 20_001,
    encapsulationPort: 13_863,
    localTag: 0xffffffff,
    localTsn: 1,
    peerTag: 0xfffffffe,
    peerTsn: 0x80000000,
    peerWindow: 1 << 20,
    outboundStreams: 10,
    inboundStreams: 11,
    extensions: NO_EXTENSIONS,
    adaptation: 0xdead_beef,
    addresses: ["fe80::1%3", "10.1.0.1"],
    listed: ["10.1.0.9"],
    authentication: undefined,
  },
};

Deno.test("openCookie() reads what sealCookie() wrote, under the same key only", () => {
  const key = new Uint8Array(32).fill(7), other = new Uint8Array(32).fill(8);
  const sealed = sealCookie(COOKIE, key, mac);
  assert.deepEqual(openCookie(sealed, key, mac), COOKIE);
  assert.equal(openCookie(sealed, other, mac), undefined);
});

Deno.test("openCookie() rejects every damaged cookie", () => {
  const key = new Uint8Array(32);
  damage(sealCookie(COOKIE, key, mac), (octets) => assert.equal(openCookie(octets, key, mac), undefined));
  assert.equal(openCookie(new Uint8Array(0), key, mac), undefined);
});

Deno.test("crc32c() gives the check values of RFC 3720 B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(ascending), 0x46dd794e);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});

Deno.test("crc32c() of any octets agrees with the definition bit by bit", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (octets) => {
    let crc = 0xffffffff;
    for (const octet of octets) {
      crc ^= octet;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
    }
    assert.equal(crc32c(octets), ~crc >>> 0);
  }));
});

Deno.test("checksumMatches() finds every flipped bit of a packet", () => {
  for (const length of [0, 4, 8, 40]) {
    const packet = makePacket(1, 2, 3, [new Uint8Array(length).fill(0xa5)]);
    const padded = new Uint8Array(packet.length + 5);
    padded.set(packet, 5);
    const view = new DataView(padded.buffer);
    assert.ok(checksumMatches(view, 5, packet.length));
    for (let bit = 0; bit < packet.length * 8; bit++) {
      padded[5 + (bit >> 3)]! ^= 1 << (bit & 7);
      assert.ok(!checksumMatches(view, 5, packet.length));
      padded[5 + (bit >> 3)]! ^= 1 << (bit & 7);
    }
  }
});
