import assert from "node:assert/strict";
import { MAX_SCRIPTING_DATA } from "../../../../protocol/app/scripting/messages.ts";
import { FILE_CHUNK } from "../../../../protocol/app/scripting/patience.ts";
import { PieceLength } from "../../../../protocol/app/scripting/piece_length.ts";

/** The next pieces, in messages. */
function next(pieces: PieceLength, count: number): number[] {
  return Array.from({ length: count }, () => pieces.next() / MAX_SCRIPTING_DATA);
}

Deno.test("PieceLength begins with a message and grows up to its limit", () => {
  const pieces = new PieceLength();
  assert.deepEqual(next(pieces, 3), [1, 2, 3]);
  assert.deepEqual(next(pieces, 31).slice(-3), [32, 32, 32]);
  assert.equal(pieces.next(), FILE_CHUNK);
});

Deno.test("PieceLength begins anew on a way that shows that it is slow, and on no other", () => {
  const pieces = new PieceLength();
  next(pieces, 3);
  pieces.blocked(1000);
  pieces.writable(1100);
  assert.deepEqual(next(pieces, 2), [4, 5]);
  pieces.blocked(2000);
  pieces.writable(2250);
  assert.deepEqual(next(pieces, 2), [1, 2]);
  pieces.writable(9000);
  assert.deepEqual(next(pieces, 1), [3], "nothing was blocked");
});
