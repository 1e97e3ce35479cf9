import assert from "node:assert/strict";
import { HeldChunks } from "../../../protocol/sctp/held_chunks.ts";
import { MAX_IDLE_HELD_SLOTS } from "../../../protocol/sctp/limits.ts";

/** Holds a chunk so far ahead of TSN 0, removes it, and says how many slots are kept. */
function slotsAfter(ahead: number): number {
  const held = new HeldChunks();
  held.reserve(0, ahead);
  held.put(ahead, 3, 0, 0, 0, new Uint8Array(4));
  held.release();
  assert.ok(held.has(ahead), "what holds a chunk stays");
  held.remove(ahead);
  held.release();
  return held.mask + 1;
}

Deno.test("HeldChunks keeps MAX_IDLE_HELD_SLOTS slots without a chunk, and no more", () => {
  assert.equal(slotsAfter(MAX_IDLE_HELD_SLOTS - 1), MAX_IDLE_HELD_SLOTS);
  assert.equal(slotsAfter(MAX_IDLE_HELD_SLOTS), 0);
});

Deno.test("HeldChunks takes chunks again after its slots have gone", () => {
  const held = new HeldChunks();
  held.reserve(0, 5000);
  held.put(5000, 3, 0, 0, 0, new Uint8Array(4));
  held.remove(5000);
  held.release();
  assert.equal(held.has(5000), false);
  held.reserve(5000, 2);
  held.put(5002, 3, 1, 7, 9, new Uint8Array(4));
  assert.deepEqual([held.has(5001), held.has(5002), held.count, held.octets], [false, true, 1, 4]);
});
