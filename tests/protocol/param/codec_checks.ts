/**
 * What every codec of this project must stand, as tests: a table of samples both ways, every truncation, every bit
 * flip.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DecodeError } from "../../../protocol/wire/errors.ts";

/** A reader and the writer that belongs to it. */
export interface Codec<Value> {
  /** Name of the reader, for test names. */
  readonly name: string;
  readonly read: (octets: Uint8Array) => Value;
  readonly write: (value: Value) => Uint8Array;
}

/** A value and its octets. */
export interface Sample<Value> {
  readonly name: string;
  /** Hex digits; spaces are for the reader. */
  readonly hex: string;
  readonly value: Value;
}

/** Octets of hex digits with spaces. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
}

/** Defines the tests of a table of samples. */
export function testSamples<Value>(codec: Codec<Value>, samples: readonly Sample<Value>[]): void {
  for (const { name, hex, value } of samples) {
    const octets = fromHex(hex);

    Deno.test(`${codec.name}() reads ${name}, and it is written back`, () => {
      assert.deepEqual(codec.read(octets), value);
      assert.equal(codec.write(value).toHex(), octets.toHex());
    });

    Deno.test(`${codec.name}() refuses every truncation of ${name}`, () => {
      for (let length = 0; length < octets.length; length++) {
        assert.throws(() => codec.read(octets.subarray(0, length)), DecodeError, `${length} octets`);
      }
    });

    Deno.test(`${codec.name}() refuses or understands ${name} with any bit flipped`, () => {
      for (let bit = 0; bit < 8 * octets.length; bit++) {
        const flipped = octets.slice();
        flipped[bit >> 3]! ^= 0x80 >> (bit & 7);
        checkHostile(codec, flipped);
      }
    });
  }
}

/**
 * Reads octets of whatever kind: the result is a DecodeError with a sane offset, or a value that can be written and
 * means the same when it is read again.
 *
 * @returns the value, if there was one
 */
export function checkHostile<Value>(codec: Codec<Value>, octets: Uint8Array): Value | undefined {
  let value: Value;
  try {
    value = codec.read(octets);
  } catch (error) {
    assert.ok(error instanceof DecodeError, `${octets.toHex()} gives ${error}`);
    assert.ok(
      error.offset >= 0 && error.offset <= octets.length,
      `offset ${error.offset} of ${octets.toHex()}`,
    );
    return undefined;
  }
  assert.deepEqual(codec.read(codec.write(value)), value, octets.toHex());
  return value;
}
