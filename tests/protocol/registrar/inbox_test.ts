import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { AssociationRecord } from "../../../protocol/registrar/associations.ts";
import { Inbox } from "../../../protocol/registrar/inbox.ts";
import { Lane } from "../../../protocol/registrar/lane.ts";

const NO_LIMITS = { maxOctetsPerAssociation: Infinity, maxOctets: Infinity };

function record(association: number): AssociationRecord {
  return new AssociationRecord("asap", {
    type: "up",
    association,
    request: undefined,
    peerAddresses: ["10.1.1.1"],
    peerPort: 40_000,
    outboundStreams: 10,
    inboundStreams: 10,
  });
}

/** Whose messages the next ones are; undefined = there are none. */
function served(inbox: Inbox, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => inbox.take()?.record.association);
}

function fill(inbox: Inbox, one: AssociationRecord, count: number, length = 20): void {
  for (let n = 0; n < count; n++) assert.equal(inbox.put(one, 11, new Uint8Array(length)), undefined);
}

Deno.test("Lane gives messages as they were put in, whatever their sizes", () => {
  const random = new Prng(1);
  const lane = new Lane();
  const expected: { readonly ppid: number; readonly data: Uint8Array }[] = [];
  let octets = 0;
  for (let step = 0; step < 5000; step++) {
    if (expected.length > 0 && random.chance(step < 2500 ? 0.4 : 0.6)) {
      const { ppid, data } = lane.shift();
      const wanted = expected.shift()!;
      assert.deepEqual({ ppid, data: data.slice() }, wanted);
      octets -= 8 + data.length;
    } else {
      const data = new Uint8Array(random.below(random.chance(0.01) ? 70_000 : 60)).fill(step);
      lane.push(step, data);
      expected.push({ ppid: step, data });
      octets += 8 + data.length;
    }
    assert.equal(lane.octets, octets);
  }
});

Deno.test("Inbox gives the messages of an association in their order", () => {
  const inbox = new Inbox(NO_LIMITS);
  const one = record(1), other = record(2);
  for (let n = 0; n < 50; n++) {
    inbox.put(one, 11, Uint8Array.of(n));
    inbox.put(other, 11, Uint8Array.of(n));
  }
  const orders = new Map<number, number[]>([[1, []], [2, []]]);
  for (let turn = inbox.take(); turn !== undefined; turn = inbox.take()) {
    orders.get(turn.record.association)!.push(turn.data[0]!);
  }
  const inOrder = Array.from({ length: 50 }, (_, n) => n);
  assert.deepEqual([...orders.values()], [inOrder, inOrder]);
  assert.deepEqual([inbox.octets, inbox.hasTurns], [0, false]);
});

Deno.test("Inbox lets somebody who asks once overtake a thousand backlogs", () => {
  const inbox = new Inbox(NO_LIMITS);
  for (let n = 1; n <= 1000; n++) fill(inbox, record(n), 50);
  served(inbox, 10_000); // now all of them have had their first turns
  const honest = record(0xaaaa);
  for (let request = 0; request < 100; request++) {
    fill(inbox, honest, 1);
    assert.ok(served(inbox, 4).includes(0xaaaa), `request ${request}`);
  }
});

Deno.test("Inbox starves nobody, however many ask once at a time", () => {
  const inbox = new Inbox(NO_LIMITS);
  const busy = record(1), sparse = Array.from({ length: 100 }, (_, n) => record(n + 2));
  fill(inbox, busy, 2000);
  const counts = new Map<number, number>();
  for (let turn = 0; turn < 4000; turn++) {
    for (const one of sparse) if (one.lane.octets === 0) fill(inbox, one, 1);
    const [association] = served(inbox, 1);
    counts.set(association!, (counts.get(association!) ?? 0) + 1);
  }
  const ofSparse = sparse.map(({ association }) => counts.get(association) ?? 0);
  assert.ok(counts.get(1)! >= 1000 && counts.get(1)! < 1100, `${counts.get(1)}`);
  assert.ok(Math.max(...ofSparse) - Math.min(...ofSparse) <= 1);
});

Deno.test("Inbox gives equal work, not equal numbers: long messages cost more", () => {
  const inbox = new Inbox(NO_LIMITS);
  const long = record(1), short = record(2);
  fill(inbox, long, 100, 5000);
  fill(inbox, short, 2000, 20);
  const some = served(inbox, 1000);
  const work = (association: number, length: number) =>
    some.filter((one) => one === association).length * (256 + length);
  const ratio = work(1, 5000) / work(2, 20);
  assert.ok(ratio > 0.9 && ratio < 1.1, `${ratio}`);
});

Deno.test("Inbox gives no turns to those that are held, and goes on with them when they are released", () => {
  const inbox = new Inbox(NO_LIMITS);
  const held = record(1), other = record(2);
  fill(inbox, held, 2);
  fill(inbox, other, 1);
  inbox.hold(held);
  fill(inbox, held, 1);
  assert.deepEqual(served(inbox, 2), [2, undefined]);
  assert.ok(!inbox.hasTurns);
  inbox.release(held);
  assert.deepEqual(served(inbox, 4), [1, 1, 1, undefined]);
});

Deno.test("Inbox names who has too much waiting", () => {
  const inbox = new Inbox({ maxOctetsPerAssociation: 200, maxOctets: 400 });
  const [one, two, three, four] = [1, 2, 3, 4].map(record) as [
    AssociationRecord,
    AssociationRecord,
    AssociationRecord,
    AssociationRecord,
  ];
  fill(inbox, one, 7); // 28 octets each
  assert.equal(inbox.put(one, 11, new Uint8Array(20)), one);
  inbox.drop(one);
  inbox.hold(two);
  fill(inbox, two, 7);
  fill(inbox, three, 5);
  fill(inbox, four, 2);
  assert.equal(inbox.put(four, 11, new Uint8Array(20)), two, "the fullest, though it is held");
  inbox.drop(two);
  inbox.checkInvariants([one, two, three, four]);
});

Deno.test("Inbox keeps its count and its rows whatever happens", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Prng(seed);
    const inbox = new Inbox({ maxOctetsPerAssociation: 3000, maxOctets: 10_000 });
    const records = Array.from({ length: 12 }, (_, n) => record(n + 1));
    for (let step = 0; step < 1000; step++) {
      const one = records[random.below(records.length)]!;
      const action = random.below(10);
      if (action < 5) {
        const full = inbox.put(one, 11, new Uint8Array(random.below(500)));
        if (full !== undefined) inbox.drop(full);
      } else if (action < 8) inbox.take();
      else if (action === 8) inbox.hold(one);
      else inbox.release(one);
      inbox.checkInvariants(records);
      assert.ok(inbox.octets <= 10_000);
    }
    for (const one of records) inbox.release(one);
    while (inbox.take() !== undefined);
    assert.equal(inbox.octets, 0);
  }
});
