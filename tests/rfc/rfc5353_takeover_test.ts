/** RFC 5353 §2.7–2.9 and §3.5: taking over a failed registrar ("peer server"). Each test: init, act, check. */
import assert from "node:assert/strict";
import { readEnrp, writeEnrp } from "../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../protocol/enrp/mod.ts";
import { OBJECTION_MS } from "../../protocol/registrar/takeover.ts";
import { EXPIRY_MS, Table } from "../protocol/registrar/takeover_table.ts";

/** Registrars 1 to 4; 4 owned the elements 100 and 101, and is dead. */
function failed(): Table {
  const table = new Table([1, 2, 3, 4]);
  for (const elementId of [100, 101]) table.element(elementId, 4);
  table.element(200, 2);
  table.kill(4);
  return table;
}

/** What a registrar said of this type. */
function said(table: Table, registrarId: number, type: EnrpMessage["type"]): string[] {
  return table.seat(registrarId).said.filter((sentence) => sentence.startsWith(`${type} `));
}

const MESSAGES = [
  { section: "§2.7", type: "initTakeover", hex: "07000010000000010000000200000003" },
  { section: "§2.8", type: "initTakeoverAck", hex: "08000010000000010000000200000003" },
  { section: "§2.9", type: "takeoverServer", hex: "09000010000000010000000200000003" },
] as const;

for (const { section, type, hex } of MESSAGES) {
  Deno.test(`${section}: ${type} has the IDs of sender, receiver and target, in this order`, () => {
    const message = { type, senderId: 1, receiverId: 2, targetId: 3 };

    const octets = writeEnrp(message);

    assert.equal(octets.toHex(), hex);
    assert.deepEqual(readEnrp(octets), message);
  });
}

// -------------------------------------------------------------------------------------------------------- arbitration

Deno.test("§3.5.1: ENRP_INIT_TAKEOVER goes to all peers, the target included, with sender's and target's ID", () => {
  const table = failed();

  table.begin(1, 4);

  assert.deepEqual(said(table, 1, "initTakeover"), [2, 3, 4].map((to) => `initTakeover 4 -> ${to}`));
});

Deno.test("§3.5.1: an acknowledgement is waited for from each peer except the target", () => {
  const table = failed();
  const seat = table.seat(1);
  table.begin(1, 4);
  const ack = (senderId: number) => {
    const message = { type: "initTakeoverAck", senderId, receiverId: 1, targetId: 4 } as const;
    seat.takeovers.acknowledged(seat.peers.find(senderId)!, message, 0);
  };

  ack(2);
  const early = [...seat.adopted];
  ack(2);
  const again = [...seat.adopted];
  ack(3);

  assert.deepEqual([early, again], [[], []]);
  assert.deepEqual(seat.adopted, [100, 101]);
});

Deno.test("§3.5.1 rule 1: the target announces its presence to all its peers at once", () => {
  const table = failed();
  const target = table.seat(4);
  const message = { type: "initTakeover", senderId: 1, receiverId: 4, targetId: 4 } as const;

  target.takeovers.initTakeover(target.peers.find(1)!, message, 0);

  assert.equal(target.presences, 1);
  assert.deepEqual(target.said, [1, 2, 3].map((to) => `presence -> ${to}`));
});

Deno.test("§3.5.1 rule 1: the initiating server stops, and takes no further takeover actions", () => {
  const table = failed();
  table.seat(4).alive = true;
  table.kill(3); // so that not all agree before the target objects

  table.begin(1, 4);
  table.run(10 * EXPIRY_MS);

  assert.deepEqual(table.seat(1).stages(), ["started 4 by 1", "cancelled 4 by 1"]);
  assert.deepEqual(said(table, 1, "takeoverServer"), []);
  assert.equal(table.seat(1).takeovers.isUnderWay(4), false);
  assert.ok(table.seat(1).peers.find(4));
});

Deno.test("§3.5.1 rule 2A: the one with the smaller ID aborts its own attempt, acknowledges, and watches no more", () => {
  const table = failed();
  const seat = table.seat(1);
  table.begin(1, 4);

  const message = { type: "initTakeover", senderId: 2, receiverId: 1, targetId: 4 } as const;
  seat.takeovers.initTakeover(seat.peers.find(2)!, message, 0);

  assert.deepEqual(said(table, 1, "initTakeoverAck"), ["initTakeoverAck 4 -> 2"]);
  assert.deepEqual(seat.stages(), ["started 4 by 1", "given-up 4 by 1"]);
  assert.deepEqual(seat.adopted, []);
  assert.equal(seat.takeovers.isUnderWay(4), true, "not active");
});

Deno.test("§3.5.1 rule 2B: the one with the greater ID ignores the message", () => {
  const table = failed();
  const seat = table.seat(2);
  table.begin(2, 4);

  const message = { type: "initTakeover", senderId: 1, receiverId: 2, targetId: 4 } as const;
  seat.takeovers.initTakeover(seat.peers.find(1)!, message, 0);

  assert.deepEqual(said(table, 2, "initTakeoverAck"), []);
  assert.deepEqual(seat.stages(), ["started 4 by 2"]);
});

Deno.test("§3.5.1 rule 2: IDs are compared as numbers without a sign", () => {
  const great = 0xffff_fff0;
  const table = new Table([1, great, 4]);
  table.element(100, 4);
  table.kill(4);

  table.begin(1, 4);
  table.begin(great, 4);
  table.run(100);

  assert.deepEqual(table.seat(great).adopted, [100]);
  assert.deepEqual(table.seat(1).adopted, []);
});

Deno.test("§3.5.1 rule 3: any other peer marks the target as not active, and acknowledges", () => {
  const table = failed();
  const seat = table.seat(3);
  const message = { type: "initTakeover", senderId: 1, receiverId: 3, targetId: 4 } as const;

  seat.takeovers.initTakeover(seat.peers.find(1)!, message, 0);

  assert.deepEqual(seat.said, ["initTakeoverAck 4 -> 1"]);
  assert.equal(seat.takeovers.isUnderWay(4), true);
});

Deno.test("§3.5.1 rule 3: a target that is not known is agreed to", () => {
  const table = failed();
  const seat = table.seat(3);
  const message = { type: "initTakeover", senderId: 1, receiverId: 3, targetId: 77 } as const;

  seat.takeovers.initTakeover(seat.peers.find(1)!, message, 0);

  assert.deepEqual(seat.said, ["initTakeoverAck 77 -> 1"]);
});

Deno.test("§3.5.1: with all acknowledgements the arbitration is won, and the takeover completed", () => {
  const table = failed();

  table.begin(1, 4);
  table.run(10);

  assert.deepEqual(table.seat(1).stages(), ["started 4 by 1", "completed 4 by 1"]);
});

Deno.test("§3.5.1: without other peers there is nobody to wait for, but the target may still object", () => {
  const table = new Table([1, 4]);
  table.element(100, 4);
  table.kill(4);

  table.begin(1, 4);
  table.run(OBJECTION_MS);

  assert.deepEqual(table.seat(1).adopted, [100]);
});

Deno.test("§3.5.1: a presence of the target at any point of the arbitration stops the takeover", () => {
  const table = failed();
  const seat = table.seat(1);
  table.begin(1, 4);

  seat.takeovers.heard(4);
  table.run(10 * EXPIRY_MS);

  assert.deepEqual(seat.stages(), ["started 4 by 1", "cancelled 4 by 1"]);
  assert.deepEqual(seat.adopted, []);
  assert.equal(seat.takeovers.isUnderWay(4), false);
});

// ----------------------------------------------------------------------------------------------------------- takeover

Deno.test("§3.5.2: ENRP_TAKEOVER_SERVER goes to all active peers first, with the target's ID", () => {
  const table = failed();

  table.begin(1, 4);
  table.run(10);

  assert.deepEqual(said(table, 1, "takeoverServer"), ["takeoverServer 4 -> 2", "takeoverServer 4 -> 3"]);
});

Deno.test("§3.5.2: the initiating server removes the target from its peer list", () => {
  const table = failed();

  table.begin(1, 4);
  table.run(10);

  assert.equal(table.seat(1).peers.find(4), undefined);
});

Deno.test("§3.5.2 steps 1, 2: the initiating server is the home of the target's elements, and tells each of them", () => {
  const table = failed();

  table.begin(1, 4);
  table.run(10);

  assert.deepEqual(table.seat(1).homes(), { 100: 1, 101: 1, 200: 2 });
  assert.deepEqual(table.seat(1).adopted, [100, 101]);
});

Deno.test("§3.5.2: a peer removes the target from its list, and updates the home of its elements to the sender", () => {
  const table = failed();

  table.begin(1, 4);
  table.run(10);

  for (const id of [2, 3]) {
    assert.equal(table.seat(id).peers.find(4), undefined);
    assert.deepEqual(table.seat(id).homes(), { 100: 1, 101: 1, 200: 2 });
  }
});

Deno.test("§3.5.2: who was about to take over the same target stops when another one has", () => {
  const table = failed();
  const seat = table.seat(2);
  table.begin(2, 4);

  const message = { type: "takeoverServer", senderId: 1, receiverId: 2, targetId: 4 } as const;
  seat.takeovers.takenOver(seat.peers.find(1)!, message, 0);
  table.run(10 * EXPIRY_MS);

  assert.deepEqual(seat.stages(), ["started 4 by 2", "given-up 4 by 2", "completed 4 by 1"]);
  assert.deepEqual(seat.adopted, []);
  assert.equal(seat.homes()[100], 1);
});
