import assert from "node:assert/strict";
import {
  type FractalCookie,
  readFractalCookie,
  writeFractalCookie,
} from "../../../../protocol/app/fractal/cookie.ts";
import {
  type FractalMessage,
  type FractalParameter,
  MAX_DATA_POINTS,
  MAX_FRACTAL_ITERATIONS,
  MAX_FRACTAL_SIZE,
  readFractal,
  writeFractal,
} from "../../../../protocol/app/fractal/messages.ts";
import { DecodeError, StateError } from "../../../../protocol/wire/errors.ts";
import { PLAIN } from "../../param/arbitraries.ts";
import { fromHex, testSamples } from "../../param/codec_checks.ts";
import { testHostile } from "../../param/hostile.ts";
import { fc } from "../../../properties.ts";

const PARAMETER_HEX = `000000c8 00000064 000003e8 00000002 bfbeeca283684aad 3fef9cee57c58bff bfbeeca28367fe9d
  3fef9cee57c584de 4093480000000000`;

const parameter: FractalParameter = {
  type: "parameter",
  width: 200,
  height: 100,
  maxIterations: 1000,
  algorithm: 2,
  n: 1234,
  ...corners(),
};

/** The corners of RSPLIB's sample, which have no short decimal text. */
function corners(): Pick<FractalParameter, "c1Real" | "c1Imag" | "c2Real" | "c2Imag"> {
  const view = new DataView(
    fromHex("bfbeeca283684aad 3fef9cee57c58bff bfbeeca28367fe9d 3fef9cee57c584de").buffer,
  );
  return {
    c1Real: view.getFloat64(0),
    c1Imag: view.getFloat64(8),
    c2Real: view.getFloat64(16),
    c2Imag: view.getFloat64(24),
  };
}

const messages = { name: "readFractal", read: readFractal, write: writeFractal };
const cookies = { name: "readFractalCookie", read: readFractalCookie, write: writeFractalCookie };

testSamples<FractalMessage>(messages, [
  { name: "a Parameter message", hex: `0100003c ${PARAMETER_HEX}`, value: parameter },
  {
    name: "a Data message",
    hex: "0200001c 00000005 00000007 00000003 00000001 000003e8 ffffffff",
    value: { type: "data", startX: 5, startY: 7, values: Uint32Array.of(1, 1000, 0xffffffff) },
  },
  { name: "an end marker", hex: "02000010 ffffffff ffffffff 00000000", value: { type: "end" } },
]);

testSamples<FractalCookie>(cookies, [
  {
    name: "RSPLIB's cookie",
    hex: `3c46472d5444313e 01000004 ${PARAMETER_HEX} 00000000 00000000`,
    value: { parameter, currentX: 0, currentY: 0 },
  },
  {
    name: "a cookie of the last pixel",
    hex: `3c46472d5444313e 01000004 ${PARAMETER_HEX} 000000c7 00000063`,
    value: { parameter, currentX: 199, currentY: 99 },
  },
]);

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyParameter: fc.Arbitrary<FractalParameter> = fc.record({
  type: fc.constant("parameter" as const),
  width: fc.integer({ min: 1, max: MAX_FRACTAL_SIZE }),
  height: fc.integer({ min: 1, max: MAX_FRACTAL_SIZE }),
  maxIterations: fc.nat(MAX_FRACTAL_ITERATIONS),
  algorithm: fc.nat(0xffffffff),
  c1Real: number,
  c1Imag: number,
  c2Real: number,
  c2Imag: number,
  n: number,
}, PLAIN);
const anyData = fc.record({
  type: fc.constant("data" as const),
  startX: fc.nat(0xfffffffe),
  startY: fc.nat(0xfffffffe),
  values: fc.uint32Array({ maxLength: MAX_DATA_POINTS }),
}, PLAIN);
testHostile<FractalMessage>(messages, fc.oneof(anyParameter, anyData, fc.constant({ type: "end" as const })));
testHostile<FractalCookie>(
  cookies,
  fc.tuple(anyParameter, fc.nat(0xffffffff), fc.nat(0xffffffff)).map(([parameter, x, y]) => ({
    parameter,
    currentX: x % parameter.width,
    currentY: y % parameter.height,
  })),
);

Deno.test("a full Data message has 324 points and 1312 octets", () => {
  const values = new Uint32Array(MAX_DATA_POINTS).fill(7);
  const octets = writeFractal({ type: "data", startX: 0, startY: 0, values });
  assert.equal(octets.length, 1312);
  assert.equal(octets.subarray(0, 16).toHex(), "02000520000000000000000000000144");
  assert.deepEqual(readFractal(octets), { type: "data", startX: 0, startY: 0, values });
  const tooMany = new Uint32Array(MAX_DATA_POINTS + 1);
  assert.throws(() => writeFractal({ type: "data", startX: 0, startY: 0, values: tooMany }), StateError);
});

/** Changes 32 bits of a Parameter message. */
function changed(offset: number, value: number): Uint8Array {
  const octets = writeFractal(parameter);
  new DataView(octets.buffer).setUint32(offset, value);
  return octets;
}

const REFUSED: readonly (readonly [string, Uint8Array])[] = [
  ["a width of 0", changed(4, 0)],
  ["a width beyond 65536", changed(4, MAX_FRACTAL_SIZE + 1)],
  ["a height of 0", changed(8, 0)],
  ["a height beyond 65536", changed(8, MAX_FRACTAL_SIZE + 1)],
  ["more than 1000000 iterations", changed(12, MAX_FRACTAL_ITERATIONS + 1)],
  ["a corner that is not a number", changed(20, 0x7ff80000)],
  ["an infinite corner", changed(20, 0x7ff00000).fill(0, 24, 28)],
  ["an unknown type", fromHex("03000004")],
  ["a length field that is not the message's", fromHex("02000014 ffffffff ffffffff 00000000")],
  ["fewer points than said", fromHex("02000014 00000000 00000000 00000002 00000000")],
  ["more points than said", fromHex("02000018 00000000 00000000 00000001 00000000 00000000")],
  ["more points than a message holds", fromHex("02000010 00000000 00000000 ffffffff")],
];
for (const [what, octets] of REFUSED) {
  Deno.test(`readFractal() refuses ${what}`, () => {
    assert.throws(() => readFractal(octets), DecodeError);
  });
}

Deno.test("readFractal() takes the limits themselves, any algorithm and any flags", () => {
  const octets = writeFractal({
    ...parameter,
    width: MAX_FRACTAL_SIZE,
    height: MAX_FRACTAL_SIZE,
    maxIterations: MAX_FRACTAL_ITERATIONS,
    algorithm: 99,
  });
  octets[1] = 0xff;
  const message = readFractal(octets);
  assert.ok(message.type === "parameter" && message.algorithm === 99 && message.width === MAX_FRACTAL_SIZE);
});

Deno.test("readFractalCookie() takes any length field of the message within, as RSPLIB does", () => {
  const octets = writeFractalCookie({ parameter, currentX: 1, currentY: 2 });
  octets[11] = 60;
  assert.deepEqual(readFractalCookie(octets), { parameter, currentX: 1, currentY: 2 });
});

Deno.test("readFractalCookie() refuses a foreign cookie, a foreign message and a position outside the image", () => {
  const good = writeFractalCookie({ parameter, currentX: 0, currentY: 0 });
  const foreignCookie = good.with(1, 0x50), foreignMessage = good.with(8, 2), outside = good.with(71, 200);
  for (const octets of [foreignCookie, foreignMessage, outside]) {
    assert.throws(() => readFractalCookie(octets), DecodeError);
  }
});
