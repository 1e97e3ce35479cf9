import assert from "node:assert/strict";
import { FullBuffer } from "../../ffi/full_buffer.ts";
import { MIN_SEND_ROOM, SendRoom } from "../../protocol/net/send_room.ts";

const MAX = 1024 * 1024;

/** A buffer whose sizes are written down. */
class Bench {
  readonly sizes: number[] = [];
  readonly #socket = { setSendBuffer: (octets: number) => void this.sizes.push(octets) };
  readonly buffer: FullBuffer = new FullBuffer(new SendRoom(2000, MAX));

  full(now: number): void {
    this.buffer.full(this.#socket, now);
  }

  emptied(now: number): void {
    this.buffer.emptied(this.#socket, now);
  }
}

Deno.test("FullBuffer goes by what the kernel takes while its buffer is full, and by nothing before", () => {
  const bench = new Bench();
  bench.buffer.taken(40_000);
  bench.full(5000);
  assert.deepEqual(bench.sizes, [], "nobody knows how long that took");
  bench.buffer.taken(25_000);
  bench.full(5500);
  bench.buffer.taken(25_000);
  bench.full(6000);
  assert.deepEqual(bench.sizes, [2 * MIN_SEND_ROOM, 100_000]);
});

Deno.test("FullBuffer does not count the time in which it was not full", () => {
  const bench = new Bench();
  bench.full(0);
  bench.buffer.taken(20_000);
  bench.emptied(100);
  bench.buffer.taken(500_000);
  bench.full(60_000);
  bench.buffer.taken(20_000);
  bench.full(60_100);
  assert.deepEqual(bench.sizes, [2 * MIN_SEND_ROOM, 4 * MIN_SEND_ROOM]);
});

Deno.test("FullBuffer makes the buffer small when nothing goes any more", () => {
  const bench = new Bench();
  bench.full(0);
  bench.buffer.taken(16_000);
  bench.full(10);
  bench.full(5010);
  assert.deepEqual(bench.sizes, [2 * MIN_SEND_ROOM, MIN_SEND_ROOM]);
});
