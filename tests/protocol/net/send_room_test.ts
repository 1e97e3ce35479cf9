import assert from "node:assert/strict";
import { MIN_SEND_ROOM, SendRoom } from "../../../protocol/net/send_room.ts";

const MAX = 2 * 1024 * 1024;
const DRAIN_MS = 2000;

/** Lets half of the room drain again and again at a speed, as the embedded stack tells it. */
function drainHalves(room: SendRoom, octetsPerMs: number, times: number): number[] {
  return Array.from({ length: times }, () => {
    const octets = room.octets / 2;
    room.drained(octets, octets / octetsPerMs);
    return room.octets;
  });
}

Deno.test("SendRoom begins small and doubles up to its limit where what waits goes quickly", () => {
  const room = new SendRoom(DRAIN_MS, MAX);
  assert.equal(room.octets, MIN_SEND_ROOM);
  assert.deepEqual(drainHalves(room, 100_000, 7).map((octets) => octets / MIN_SEND_ROOM), [
    ...[2, 4, 8, 16, 32, 64, 64],
  ]);
});

Deno.test("SendRoom takes octets that went in no time for a fast way", () => {
  const room = new SendRoom(DRAIN_MS, MAX);
  assert.ok(room.drained(MIN_SEND_ROOM, 0));
  assert.equal(room.octets, 2 * MIN_SEND_ROOM);
});

Deno.test("SendRoom is what drains within its time, and follows a way that becomes slow or fast", () => {
  const room = new SendRoom(DRAIN_MS, MAX);
  assert.deepEqual(drainHalves(room, 100, 4).slice(-2), [200_000, 200_000]);
  assert.deepEqual(drainHalves(room, 30, 2), [60_000, 60_000]);
  assert.deepEqual(drainHalves(room, 1, 2), [MIN_SEND_ROOM, MIN_SEND_ROOM]);
  assert.equal(drainHalves(room, 500, 6).at(-1), 1_000_000);
});

Deno.test("SendRoom does not judge by a message or two, but does not wait for ever for more of them", () => {
  const room = new SendRoom(DRAIN_MS, MAX);
  drainHalves(room, 100_000, 6);
  assert.ok(!room.drained(16_000, 500), "this process may have stood still");
  assert.equal(room.octets, MAX);
  assert.ok(room.drained(14_000, 500));
  assert.equal(room.octets, 60_000);
  assert.ok(room.drained(0, 5000));
  assert.equal(room.octets, MIN_SEND_ROOM);
});

Deno.test("SendRoom never is larger than its limit, however small that is", () => {
  const room = new SendRoom(DRAIN_MS, 10_000);
  assert.equal(room.octets, 10_000);
  assert.deepEqual(drainHalves(room, 100_000, 2), [10_000, 10_000]);
  assert.deepEqual(drainHalves(room, 0.1, 2), [10_000, 10_000]);
});
