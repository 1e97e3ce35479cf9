import assert from "node:assert/strict";
import { checkHostile, type Codec } from "./codec_checks.ts";
import { fc } from "../../properties.ts";

/** How often each property is tried; bounded so that the whole suite stays quick. */
const RUNS = 300;

/** Defines the property tests of a codec: messages come back; damaged messages and noise do no harm. */
export function testHostile<Value>(codec: Codec<Value>, message: fc.Arbitrary<Value>): void {
  Deno.test(`${codec.name}() gives back any message that was written`, () => {
    fc.assert(
      fc.property(message, (value) => assert.deepEqual(codec.read(codec.write(value)), value)),
      { numRuns: 2 * RUNS },
    );
  });

  Deno.test(`${codec.name}() refuses or understands any message that was damaged`, () => {
    const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
      maxLength: 8,
    });
    const length = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(message, damage, length, (value, changes, part) => {
        const whole = codec.write(value);
        const octets = whole.slice(0, Math.ceil(part * whole.length));
        for (const [where, octet] of changes) octets[Math.floor(where * octets.length)] = octet;
        checkHostile(codec, octets);
      }),
      { numRuns: 2 * RUNS },
    );
  });

  Deno.test(`${codec.name}() refuses or understands noise with a right header`, () => {
    fc.assert(
      fc.property(fc.nat(16), fc.uint8Array({ maxLength: 64 }), (type, body) => {
        checkHostile(codec, Uint8Array.of(type, 0, 0, 4 + body.length, ...body));
      }),
      { numRuns: RUNS },
    );
  });
}
