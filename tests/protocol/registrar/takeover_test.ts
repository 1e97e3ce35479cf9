import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { OBJECTION_MS } from "../../../protocol/registrar/takeover.ts";
import { EXPIRY_MS, Table } from "./takeover_table.ts";
import type { Manner } from "./takeover_table.ts";

/** Registrars 1, 2, … of which the last one is dead; it owned the elements 100 and 101. */
function bereft(count: number, manners: Readonly<Record<number, Manner>> = {}): Table {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const table = new Table(ids, manners);
  for (const elementId of [100, 101]) table.element(elementId, count);
  table.element(200, 1);
  table.kill(count);
  return table;
}

Deno.test("TakeoverService takes over with everybody's agreement, and tells all", () => {
  const table = bereft(4);
  table.begin(2, 4);
  table.run(100);
  const taker = table.seat(2);
  assert.deepEqual(taker.said, [
    ...["initTakeover 4 -> 1", "initTakeover 4 -> 3", "initTakeover 4 -> 4"],
    ...["takeoverServer 4 -> 1", "takeoverServer 4 -> 3"],
  ]);
  assert.deepEqual(taker.stages(), ["started 4 by 2", "completed 4 by 2"]);
  assert.deepEqual(taker.adopted, [100, 101]);
  assert.deepEqual(taker.forgotten, [4]);
  for (const id of [1, 3]) {
    const seat = table.seat(id);
    assert.deepEqual(seat.homes(), { 100: 2, 101: 2, 200: 1 });
    assert.deepEqual(seat.rehomed, [100, 101]);
    assert.deepEqual(seat.forgotten, [4]);
    assert.equal(seat.takeovers.isUnderWay(4), false);
  }
  assert.equal(taker.statistics.takeovers, 1);
  assert.equal(taker.statistics.takeoversCompleted, 1);
});

Deno.test("TakeoverService completes with two registrars, after a time for the target to object", () => {
  const table = bereft(2);
  table.begin(1, 2);
  table.run(OBJECTION_MS - 1);
  assert.deepEqual(table.seat(1).adopted, []);
  table.run(1);
  assert.deepEqual(table.seat(1).adopted, [100, 101]);
  assert.equal(table.seat(1).takeovers.nextTimeout(), undefined);
});

Deno.test("TakeoverService stops when the target objects, with two registrars, too", () => {
  for (const count of [2, 3]) {
    const table = bereft(count);
    table.seat(count).alive = true;
    table.begin(1, count);
    table.run(10 * EXPIRY_MS);
    assert.equal(table.seat(count).presences, 1);
    if (count === 2) assert.deepEqual(table.seat(1).stages(), ["started 2 by 1", "cancelled 2 by 1"]);
    assert.deepEqual(table.seat(count).homes()[100], count, `${count} registrars`);
  }
});

Deno.test("TakeoverService: of two that try at once the one with the greater ID goes on", () => {
  const table = bereft(3);
  table.begin(1, 3);
  table.begin(2, 3);
  table.run(100);
  assert.deepEqual(table.seat(1).stages(), ["started 3 by 1", "given-up 3 by 1", "completed 3 by 2"]);
  assert.deepEqual(table.seat(2).stages(), ["started 3 by 2", "completed 3 by 2"]);
  assert.deepEqual(table.seat(1).homes(), table.seat(2).homes());
  assert.deepEqual(table.seat(1).adopted, []);
});

Deno.test("TakeoverService: of many that try at once one takes everything over", () => {
  for (const count of [4, 7, 20]) {
    const table = bereft(count);
    for (let id = 1; id < count; id++) table.begin(id, count);
    table.run(10 * EXPIRY_MS);
    const takers = [...table.seats.values()].filter(({ adopted }) => adopted.length > 0);
    assert.deepEqual(takers.map(({ registrarId }) => registrarId), [count - 1]);
    for (let id = 1; id < count; id++) assert.equal(table.seat(id).homes()[100], count - 1);
  }
});

Deno.test("TakeoverService and one that lets the smaller ID go on agree, whoever is smaller", () => {
  for (const rsplib of [1, 2]) {
    const table = bereft(3, { [rsplib]: "rsplib" });
    table.begin(1, 3);
    table.begin(2, 3);
    table.run(3 * EXPIRY_MS);
    const ours = table.seat(3 - rsplib);
    assert.deepEqual(ours.adopted, [100, 101], `RSPLIB has ID ${rsplib}`);
    assert.deepEqual(table.seat(rsplib).adopted, []);
    assert.deepEqual(table.seat(rsplib).homes(), ours.homes());
  }
});

Deno.test("TakeoverService agrees to one that never says that it took over, and watches the target again", () => {
  const table = bereft(3, { 2: "rsplib" });
  table.begin(2, 3);
  table.run(100);
  assert.deepEqual(table.seat(2).adopted, [100, 101]);
  const seat = table.seat(1);
  assert.equal(seat.takeovers.isUnderWay(3), true);
  table.begin(1, 3); // we find it dead, too: somebody sees to it
  table.run(2 * EXPIRY_MS);
  assert.deepEqual(seat.watched, []);
  table.run(EXPIRY_MS);
  assert.deepEqual(seat.stages(), ["expired 3 by 2"]);
  assert.deepEqual(seat.watched, [3], "its elements may still want a home");
  assert.equal(seat.takeovers.isUnderWay(3), false);
});

Deno.test("TakeoverService does not wait for ever for one that never agrees", () => {
  const table = bereft(4, { 2: "mute" });
  table.run(100);
  table.begin(1, 4);
  table.run(EXPIRY_MS - 1);
  assert.deepEqual(table.seat(1).adopted, []);
  table.run(1);
  assert.deepEqual(table.seat(1).adopted, [100, 101], "it has said nothing at all since the start");
});

Deno.test("TakeoverService asks one that lives and does not agree a second time, and goes on then", () => {
  const table = bereft(4, { 2: "mute" });
  table.begin(1, 4);
  table.run(100);
  table.presence(table.seat(2));
  table.run(EXPIRY_MS);
  const taker = table.seat(1);
  assert.deepEqual(taker.adopted, []);
  assert.equal(taker.said.at(-1), "initTakeover 4 -> 2");
  assert.equal(taker.said.filter((said) => said === "initTakeover 4 -> 3").length, 1, "it has agreed");
  table.run(EXPIRY_MS);
  assert.deepEqual(taker.adopted, [100, 101]);
});

Deno.test("TakeoverService does not wait for one that is found dead meanwhile", () => {
  const table = bereft(4);
  table.element(300, 3);
  table.kill(3);
  table.begin(1, 4);
  table.begin(1, 3);
  table.run(100);
  assert.deepEqual(table.seat(1).adopted, [100, 101, 300]);
  assert.deepEqual(table.seat(2).homes(), { 100: 1, 101: 1, 200: 1, 300: 1 });
});

Deno.test("TakeoverService does not wait for one that is gone", () => {
  const table = bereft(3, { 2: "mute" });
  const seat = table.seat(1);
  table.begin(1, 3);
  table.run(100);
  const gone = seat.peers.find(2)!;
  seat.peers.remove(gone);
  seat.takeovers.peerGone(gone, table.now);
  assert.deepEqual(seat.adopted, [100, 101]);
});

Deno.test("TakeoverService: when a registrar dies in its own takeover the target is watched again", () => {
  const table = bereft(3);
  const seat = table.seat(1);
  table.begin(2, 3);
  table.kill(2);
  table.run(100);
  assert.equal(seat.takeovers.isUnderWay(3), true);
  seat.takeovers.peerGone(seat.peers.find(2)!, table.now);
  assert.deepEqual(seat.watched, [3]);
  table.begin(1, 3);
  seat.peers.remove(seat.peers.find(2)!);
  table.run(EXPIRY_MS);
  assert.deepEqual(seat.adopted, [100, 101]);
});

Deno.test("TakeoverService forgets a dead registrar that owns nothing without a word", () => {
  const table = new Table([1, 2, 3]);
  table.kill(3);
  table.begin(1, 3);
  assert.deepEqual(table.seat(1).forgotten, [3]);
  assert.deepEqual(table.seat(1).said, []);
  assert.deepEqual(table.seat(1).reports, []);
});

Deno.test("TakeoverService: one that is taken over although it lives gives its elements away, and says that it lives", () => {
  const table = bereft(3);
  const target = table.seat(3);
  target.alive = true;
  const peer = target.peers.find(1)!;
  target.takeovers.takenOver(peer, { type: "takeoverServer", senderId: 1, receiverId: 3, targetId: 3 }, 0);
  assert.deepEqual(target.homes(), { 100: 1, 101: 1, 200: 1 });
  assert.deepEqual(target.rehomed, [100, 101]);
  assert.equal(target.presences, 1);
  assert.deepEqual(target.forgotten, []);
});

Deno.test("TakeoverService keeps nothing of takeovers of whom it does not know, and no self-takeovers", () => {
  const table = bereft(3);
  const seat = table.seat(1);
  const peer = seat.peers.find(2)!;
  for (let targetId = 1000; targetId < 3000; targetId++) {
    const message = { senderId: 2, receiverId: 1, targetId };
    seat.takeovers.initTakeover(peer, { type: "initTakeover", ...message }, 0);
    seat.takeovers.acknowledged(peer, { type: "initTakeoverAck", ...message }, 0);
    assert.equal(seat.takeovers.isUnderWay(targetId), false);
  }
  assert.equal(seat.said.length, 2000, "each is agreed to");
  assert.equal(seat.takeovers.nextTimeout(), undefined);
  const self = { senderId: 2, receiverId: 1, targetId: 2 };
  seat.takeovers.initTakeover(peer, { type: "initTakeover", ...self }, 0);
  seat.takeovers.takenOver(peer, { type: "takeoverServer", ...self }, 0);
  assert.equal(seat.said.length, 2000);
  assert.deepEqual(seat.forgotten, []);
});

Deno.test("TakeoverService objects to a flood of takeovers with few presences, and says nothing of unknown ones", () => {
  const table = bereft(3);
  const seat = table.seat(1);
  const peer = seat.peers.find(2)!;
  for (let now = 0; now < 1000; now++) {
    seat.takeovers.initTakeover(peer, { type: "initTakeover", senderId: 2, receiverId: 1, targetId: 1 }, now);
    const unknown = { type: "takeoverServer", senderId: 2, receiverId: 1, targetId: 1000 + now } as const;
    seat.takeovers.takenOver(peer, unknown, now);
  }
  assert.equal(seat.presences, 10);
  assert.deepEqual(seat.reports, []);
});

Deno.test("TakeoverService: whoever tries when, and in whatever manner, exactly one takes everything over", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = new Prng(seed);
    const count = 3 + random.below(5);
    const manners: Record<number, Manner> = {};
    for (let id = 1; id < count; id++) if (random.chance(0.3)) manners[id] = "rsplib";
    const ours = 1 + random.below(count - 1); // so that one of ours tries
    delete manners[ours];
    const table = bereft(count, manners);
    const starts = Array.from({ length: count - 1 }, (_, index) => ({
      id: index + 1,
      at: random.chance(0.5) ? random.below(10) : random.below(8000),
    })).filter(({ id }) => id === ours || random.chance(0.7)).sort((a, b) => a.at - b.at);
    for (const { id, at } of starts) {
      table.run(at - table.now);
      table.begin(id, count);
    }
    table.run(20 * EXPIRY_MS);
    const takers = [...table.seats.values()].filter(({ adopted }) => adopted.length > 0);
    assert.equal(takers.length, 1, `seed ${seed}: ${takers.map(({ registrarId }) => registrarId)} took over`);
    assert.deepEqual(takers[0]!.adopted, [100, 101], `seed ${seed}`);
  }
});

Deno.test("TakeoverService takes tens of thousands of elements over", () => {
  const table = new Table([1, 2, 3]);
  for (let elementId = 1; elementId <= 20_000; elementId++) table.element(elementId, 3);
  table.kill(3);
  table.begin(1, 3);
  table.run(100);
  assert.equal(table.seat(1).adopted.length, 20_000);
  assert.equal(table.seat(2).handlespace.ownedCount(1), 20_000);
  assert.equal(table.seat(1).handlespace.checksum(1), table.seat(2).handlespace.checksum(1));
});
