import assert from "node:assert/strict";
import { readAsap } from "../../../protocol/asap/read.ts";
import { writeAsap } from "../../../protocol/asap/write.ts";
import { DecodeError, StateError } from "../../../protocol/wire/errors.ts";

Deno.test("a message has at most 65535 octets", () => {
  const cookie = new Uint8Array(65524).fill(7);
  const octets = writeAsap({ type: "cookie", cookie });
  assert.equal(octets.length, 65532);
  assert.deepEqual(readAsap(octets), { type: "cookie", cookie });
  assert.throws(() => writeAsap({ type: "cookie", cookie: new Uint8Array(65528) }), StateError);
  assert.throws(() => writeAsap({ type: "cookie", cookie: new Uint8Array(200000) }), StateError);
});

Deno.test("a pool handle is not empty", () => {
  const poolHandle = new Uint8Array();
  assert.throws(() => writeAsap({ type: "handleResolution", poolHandle }), StateError);
});

Deno.test("a message of nothing but unknown parameters is read in no time", () => {
  const octets = new Uint8Array(65532);
  octets.set([0x05, 0, 0xff, 0xfc]);
  for (let at = 4; at < octets.length; at += 4) octets.set([0xc0, 0x99, 0, 4], at);
  const unrecognized: Uint8Array[] = [];
  assert.throws(() => readAsap(octets, unrecognized), DecodeError);
  assert.ok(unrecognized.length <= 16382);
});
