import assert from "node:assert/strict";
import { DecodeError, StateError } from "../../../protocol/wire/errors.ts";
import { Reader } from "../../../protocol/wire/reader.ts";
import { Writer } from "../../../protocol/wire/writer.ts";
import { fc } from "../../properties.ts";

Deno.test("Writer and Reader agree on every kind of field", () => {
  fc.assert(fc.property(
    fc.nat(0xff),
    fc.nat(0xffff),
    fc.nat(0xffffffff),
    fc.integer(),
    fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
    fc.double({ noNaN: true }),
    fc.uint8Array({ maxLength: 700 }),
    (a, b, c, signed, d, e, octets) => {
      const writer = new Writer(1);
      writer.u8(a);
      writer.u16(b);
      writer.u32(c);
      writer.i32(signed);
      writer.u64(d);
      writer.f64(e);
      writer.bytes(octets);
      const reader = new Reader(writer.finish());
      assert.deepEqual(
        [
          reader.u8("a"),
          reader.u16("b"),
          reader.u32("c"),
          reader.i32("signed"),
          reader.u64("d"),
          reader.f64("e"),
        ],
        [a, b, c, signed, d, e],
      );
      assert.deepEqual(reader.bytes(octets.length, "octets"), octets);
      assert.equal(reader.remaining, 0);
    },
  ));
});

Deno.test("Writer refuses a number that its field cannot hold, and writes nothing of it", () => {
  const writer = new Writer();
  const refused: Record<"u8" | "u16" | "u32" | "i32", readonly number[]> = {
    u8: [-1, 0x100, 1.5, NaN, Infinity],
    u16: [-1, 0x10000, 0.5, NaN, -Infinity],
    u32: [-1, 0x1_0000_0000, 2.5, NaN, Infinity],
    i32: [-0x8000_0001, 0x8000_0000, 0.5, NaN, Infinity],
  };
  for (const field of ["u8", "u16", "u32", "i32"] as const) {
    for (const value of refused[field]) {
      assert.throws(
        () => writer[field](value),
        (error) =>
          error instanceof StateError &&
          error.message === `${value} does not fit into a field of type ${field}`,
      );
    }
  }
  for (const value of [-1n, 1n << 64n]) assert.throws(() => writer.u64(value), StateError);
  assert.equal(writer.length, 0);
});

Deno.test("Writer takes the least and the greatest number of each field", () => {
  const writer = new Writer();
  for (const value of [0, 0xff]) writer.u8(value);
  for (const value of [0, 0xffff]) writer.u16(value);
  for (const value of [0, 0xffffffff]) writer.u32(value);
  for (const value of [-0x80000000, -1, 0x7fffffff]) writer.i32(value);
  assert.equal(
    writer.finish().toHex(),
    "00ff" + "0000ffff" + "00000000ffffffff" + "80000000ffffffff7fffffff",
  );
});

Deno.test("Writer.tlv() refuses a value that the length field cannot count", () => {
  const longest = 0xffff - 4;
  const writer = new Writer();
  writer.tlv(1, (value) => value.bytes(new Uint8Array(longest)));
  assert.equal(writer.length, 0x10000);
  assert.throws(() => writer.tlv(1, (value) => value.bytes(new Uint8Array(longest + 1))), StateError);
});

Deno.test("Writer.tlv() counts the padding of inner TLVs but not its own", () => {
  const writer = new Writer();
  writer.tlv(1, (outer) => {
    outer.tlv(2, (inner) => inner.u8(0xaa));
    outer.u8(0xbb);
  });
  assert.equal(writer.finish().toHex(), "0001000d00020005aa000000bb000000");
});

Deno.test("Writer.patchU16() refuses to write past the end", () => {
  const writer = new Writer();
  writer.u8(1);
  assert.throws(() => writer.patchU16(0, 7), /invariant broken/);
});

Deno.test("Reader names what it could not read, and where", () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3), 10);
  reader.u16("length");
  assert.throws(
    () => reader.u32("server ID"),
    (error) =>
      error instanceof DecodeError && error.reason === "truncated" && error.offset === 12 &&
      error.message === "server ID needs 4 octets at offset 12, but 1 are left",
  );
});

Deno.test("Reader.sub() keeps offsets of the outer message and leaves nothing behind", () => {
  const reader = new Reader(Uint8Array.of(0, 1, 2, 3, 4, 5));
  reader.u8("first");
  const sub = reader.sub(3, "middle");
  assert.equal(sub.offset, 1);
  assert.equal(sub.remaining, 3);
  assert.equal(reader.u16("rest"), 0x0405);
});

Deno.test("Reader.bytes() is a copy, Reader.view() is not", () => {
  const octets = Uint8Array.of(1, 2, 3, 4);
  const copy = new Reader(octets).bytes(4, "copy");
  const view = new Reader(octets).view(4, "view");
  octets[0] = 9;
  assert.equal(copy[0], 1);
  assert.equal(view[0], 9);
});

Deno.test("Reader.skipPadding() stops at the end when padding is missing", () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3, 4, 5));
  reader.skip(5, "all");
  reader.skipPadding();
  assert.equal(reader.remaining, 0);
});
