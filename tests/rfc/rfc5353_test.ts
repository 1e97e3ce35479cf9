/**
 * RFC 5353: ENRP, all but the takeover (§2.7–2.9, §3.5), which has a file of its own. Each test: init, act, check. "We"
 * are the registrar under test, "server" is the RFC's word for a registrar.
 */
import assert from "node:assert/strict";
import { readEnrp, writeEnrp } from "../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../protocol/enrp/mod.ts";
import { CauseCode } from "../../protocol/param/mod.ts";
import { Registrar, RFC_TIMES } from "../../protocol/registrar/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { checksumOf, FakePeer, ofType, PEER_PORT, types } from "../protocol/registrar/fake_peer.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness } from "../protocol/registrar/harness.ts";
import { message, tlv, u16, u32 } from "./asap_bench.ts";

/** A registrar in service, and a peer that it knows. */
function acquainted(options: ConstructorParameters<typeof RegistrarHarness>[0] = {}): {
  harness: RegistrarHarness;
  peer: FakePeer;
} {
  const harness = new RegistrarHarness(options);
  const peer = new FakePeer(harness, 0x11).connect();
  peer.greet();
  peer.list([]);
  harness.run(0);
  return { harness, peer };
}

/** A registrar that looks for a mentor. */
function starting(options: ConstructorParameters<typeof RegistrarHarness>[0] = {}): RegistrarHarness {
  return new RegistrarHarness({ mentorDiscoveryTimeoutMs: 5000, ...options });
}

/** The peers' IDs as the registrar has them. */
function peerIds({ registrar }: RegistrarHarness): number[] {
  return [...registrar.peers.identified()].map(({ registrarId }) => registrarId).sort((a, b) => a - b);
}

/** The elements of the pool as the registrar has them. */
function elementIds({ registrar }: RegistrarHarness): number[] {
  return [...registrar.handlespace.pool(POOL)?.elements.keys() ?? []].sort((a, b) => a - b);
}

// ------------------------------------------------------------------------------------------------------- §2: messages

const ELEMENT = "000a003811223344c281812800015f9000040010a7e00001000100080a01010100080008000000010004001" +
  "0ace10000000100080a010101";
const WIRE_ELEMENT = element(0x11223344, {
  homeRegistrarId: 0xc2818128,
  userTransport: { protocol: "sctp", port: 0xa7e0, use: "data+control", addresses: ["10.1.1.1"] },
  asapTransport: { protocol: "sctp", port: 0xace1, use: "data", addresses: ["10.1.1.1"] },
});
const SERVER = {
  registrarId: 0x3333,
  transport: { protocol: "sctp", port: 0x138b, use: "data", addresses: ["10.1.1.1"] },
} as const;
const IDS = { senderId: 0x3333, receiverId: 0x1111 } as const;

const FORMATS: { section: string; sentence: string; hex: string; message: EnrpMessage }[] = [
  {
    section: "§2.1",
    sentence: "a presence has the PE checksum and the server information",
    hex: "0100002c0000333300001111000f0006ffff0000000b00180000333300040010138b0000000100080a010101",
    message: { type: "presence", ...IDS, replyRequired: false, checksum: 0xffff, serverInformation: SERVER },
  },
  {
    section: "§2.1",
    sentence: "the R flag asks for a reply",
    hex: "010100140000333300001111000f0006ffff0000",
    message: { type: "presence", ...IDS, replyRequired: true, checksum: 0xffff },
  },
  {
    section: "§2.2",
    sentence: "the W flag asks for the receiver's own children only",
    hex: "0201000c0000333300001111",
    message: { type: "handleTableRequest", ...IDS, ownChildrenOnly: true },
  },
  {
    section: "§2.3",
    sentence: "a handle table is pool entries: a handle and its elements, with the M flag when there is more",
    hex: `030200500000333300001111${"0009000c4563686f506f6f6c"}${ELEMENT}`,
    message: {
      type: "handleTableResponse",
      ...IDS,
      rejected: false,
      more: true,
      pools: [{ poolHandle: POOL, elements: [WIRE_ELEMENT] }],
    },
  },
  {
    section: "§2.3",
    sentence: "the R flag rejects, without pool entries",
    hex: "0301000c0000333300001111",
    message: { type: "handleTableResponse", ...IDS, rejected: true, more: false, pools: [] },
  },
  {
    section: "§2.4",
    sentence: "a handle update has the action, the pool handle and the element",
    hex: `04000054000033330000111100010000${"0009000c4563686f506f6f6c"}${ELEMENT}`,
    message: { type: "handleUpdate", ...IDS, action: "delete", poolHandle: POOL, element: WIRE_ELEMENT },
  },
  {
    section: "§2.5",
    sentence: "a list request has the IDs only",
    hex: "0500000c0000333300001111",
    message: { type: "listRequest", ...IDS },
  },
  {
    section: "§2.6",
    sentence: "a list response has one server information a server",
    hex: "060000240000333300001111000b00180000333300040010138b0000000100080a010101",
    message: { type: "listResponse", ...IDS, rejected: false, servers: [SERVER] },
  },
  {
    section: "§2.10",
    sentence: "an error has an operation error",
    hex: "0a0000140000333300001111000c000800090004",
    message: {
      type: "error",
      ...IDS,
      error: [{ code: CauseCode.unknownPoolHandle, data: new Uint8Array() }],
    },
  },
];

for (const { section, sentence, hex, message } of FORMATS) {
  Deno.test(`${section}: ${sentence}`, () => {
    const octets = writeEnrp(message);

    assert.equal(octets.toHex(), hex);
    assert.deepEqual(readEnrp(octets), message);
  });
}

Deno.test("§2.1: a presence carries the sender's ID, the receiver's or 0, and where the sender is reached", () => {
  const { harness, peer } = acquainted();

  harness.run(3000);

  const [toPeer] = ofType(peer.heard(), "presence");
  const [toGroup] = ofType(harness.presences, "presence");
  assert.equal(toPeer?.senderId, REGISTRAR_ID);
  assert.equal(toPeer?.receiverId, 0x11);
  assert.equal(toGroup?.receiverId, 0);
  assert.deepEqual(toGroup?.serverInformation, {
    registrarId: REGISTRAR_ID,
    transport: { protocol: "sctp", port: 3863, use: "data", addresses: ["10.1.1.254"] },
  });
});

// --------------------------------------------------------------------------------------------------- §3.1: two methods

Deno.test("§3.1: point-to-point messages go over an association, announcements to all peers", () => {
  const { harness, peer } = acquainted();
  const other = new FakePeer(harness, 0x12).connect();
  other.greet();

  harness.register(harness.up(), element(1));

  assert.equal(ofType(peer.heard(), "handleUpdate").length, 1);
  assert.equal(ofType(other.heard(), "handleUpdate").length, 1);
});

// -------------------------------------------------------------------------------------------------- §3.2.1: server ID

Deno.test("§3.2.1: a server has a non-zero ID", () => {
  assert.throws(() => new Registrar({ registrarId: 0, seed: 1 }), /ID/);
});

Deno.test("§3.2.1: the server ID stays the same for the lifetime of the server", () => {
  const { harness, peer } = acquainted();

  harness.run(20_000);

  const senders = new Set([...peer.heard(), ...harness.presences].map(({ senderId }) => senderId));
  assert.deepEqual([...senders], [REGISTRAR_ID]);
});

// ----------------------------------------------------------------------------------------- §3.2.2: acquiring the list

Deno.test("§3.2.2.1: a server that is told about a peer uses it as its mentor", () => {
  const harness = starting({ peers: [{ addresses: ["10.1.2.17"], port: PEER_PORT }] });
  const mentor = new FakePeer(harness, 0x11), other = new FakePeer(harness, 0x12);
  other.announce(); // was heard first, but not told about

  mentor.accept();
  mentor.greet();

  assert.equal(ofType(mentor.heard(), "listRequest").length, 1);
  assert.equal(harness.reportsOf("inService").length, 0);
});

Deno.test("§3.2.2.1: of several one is picked, the others are backups", () => {
  const harness = starting({
    peers: [{ addresses: ["10.1.2.17"], port: PEER_PORT }, { addresses: ["10.1.2.18"], port: PEER_PORT }],
  });
  const first = new FakePeer(harness, 0x11).accept(), second = new FakePeer(harness, 0x12).accept();
  first.greet();
  second.greet();
  const before = [first, second].map((peer) => ofType(peer.heard(), "listRequest").length);

  first.list([], true);

  const after = [first, second].map((peer) => ofType(peer.heard(), "listRequest").length);
  assert.deepEqual([before, after], [[1, 0], [1, 1]]);
});

Deno.test("§3.2.2.1: without a peer the server is alone, and starts to serve", () => {
  const harness = new RegistrarHarness({ mentorDiscoveryTimeoutMs: 0 });

  assert.deepEqual(harness.reportsOf("inService"), [
    { type: "inService", mentorId: undefined, elementCount: 0 },
  ]);
  assert.equal(harness.announces.length, 1);
});

Deno.test("§3.2.2.1: a server that hears of nobody is alone after the time for discovery, not before", () => {
  const harness = starting();

  harness.run(4999);
  const before = [harness.announces.length, harness.presences.length];
  harness.run(1);

  assert.deepEqual(before, [0, 0]);
  assert.deepEqual([harness.announces.length, harness.presences.length], [1, 1]);
});

Deno.test("§3.2.2.2: the mentor is asked for its list", () => {
  const harness = starting();
  const mentor = new FakePeer(harness, 0x11);

  mentor.announce();
  mentor.accept();

  assert.deepEqual(types(mentor.heard()), ["presence", "listRequest"]);
});

Deno.test("§3.2.2.2: a mentor that does not answer in MAX-TIME-NO-RESPONSE is replaced by a backup", () => {
  const harness = starting({ mentorDiscoveryTimeoutMs: 20_000 });
  const silent = new FakePeer(harness, 0x11).connect(), backup = new FakePeer(harness, 0x12).connect();
  silent.greet();
  backup.greet();

  harness.run(4999);
  const before = ofType(backup.heard(), "listRequest").length;
  silent.greet(); // it lives, but does not answer
  backup.greet();
  harness.run(1);

  assert.equal(before, 0);
  assert.equal(ofType(backup.heard(), "listRequest").length, 1);
});

Deno.test("§3.2.2.2: a list request is answered with all servers known", () => {
  const { harness, peer } = acquainted();
  new FakePeer(harness, 0x12).connect().greet();

  const [list] = ofType(peer.say({ type: "listRequest" }), "listResponse");

  assert.equal(list?.rejected, false);
  assert.deepEqual(list?.servers.map(({ registrarId }) => registrarId), [0x11, 0x12]);
  assert.deepEqual(list?.servers[1]?.transport, {
    protocol: "sctp",
    port: PEER_PORT,
    use: "data",
    addresses: ["10.1.2.18"],
  });
});

Deno.test("§3.2.2.2: the peer list is initialized with the servers of the list", () => {
  const harness = starting();
  const mentor = new FakePeer(harness, 0x11).connect();
  mentor.greet();

  mentor.list([new FakePeer(harness, 0x12), new FakePeer(harness, 0x13)]);

  assert.deepEqual(peerIds(harness), [0x11, 0x12, 0x13]);
});

Deno.test("§3.2.2.2: a server in the process of startup rejects list requests with the R flag, without servers", () => {
  const harness = starting();
  const peer = new FakePeer(harness, 0x11).connect();
  new FakePeer(harness, 0x12).connect().greet();

  const [list] = ofType(peer.say({ type: "listRequest" }), "listResponse");

  assert.deepEqual([list?.rejected, list?.servers], [true, []]);
});

Deno.test("§3.2.2.2: a list request that is rejected is sent again some time later", () => {
  const harness = starting();
  const mentor = new FakePeer(harness, 0x11).connect();
  mentor.greet();

  mentor.list([], true);
  const atOnce = ofType(mentor.heard(), "listRequest").length;
  harness.run(2000);

  assert.equal(atOnce, 1);
  assert.equal(ofType(mentor.heard(), "listRequest").length, 2);
});

// ------------------------------------------------------------------------------------- §3.2.3: acquiring the handlespace

/** A registrar whose mentor has just told its list. */
function downloading(): { harness: RegistrarHarness; mentor: FakePeer } {
  const harness = starting({ mentorDiscoveryTimeoutMs: 20_000 });
  const mentor = new FakePeer(harness, 0x11).connect();
  mentor.greet();
  mentor.list([]);
  return { harness, mentor };
}

Deno.test("§3.2.3 step 1: the whole handlespace is asked for, W flag 0, after the list", () => {
  const { mentor } = downloading();

  assert.deepEqual(types(mentor.heard()).slice(-2), ["listRequest", "handleTableRequest"]);
  assert.equal(ofType(mentor.heard(), "handleTableRequest")[0]?.ownChildrenOnly, false);
});

Deno.test("§3.2.3 step 2: the mentor sends the table in parts, M flag 1 in all but the last, and ends the session", () => {
  const { harness, peer } = acquainted({ maxElementsPerTableResponse: 2 });
  const association = harness.up();
  for (let elementId = 1; elementId <= 5; elementId++) harness.register(association, element(elementId));
  const ask = () =>
    ofType(peer.say({ type: "handleTableRequest", ownChildrenOnly: false }), "handleTableResponse")[0]!;

  const parts = [ask(), ask(), ask(), ask()];

  const ids = parts.map(({ pools }) =>
    pools.flatMap(({ elements }) => elements.map(({ elementId }) => elementId))
  );
  assert.deepEqual(ids, [[1, 2], [3, 4], [5], [1, 2]], "the fourth begins anew");
  assert.deepEqual(parts.map(({ more }) => more), [true, true, false, true]);
});

Deno.test("§3.2.3 step 3: every part is transferred into the handlespace, and the next one asked for while M is 1", () => {
  const { harness, mentor } = downloading();

  const next = mentor.table([1, 2], { more: true });

  assert.deepEqual(elementIds(harness), [1, 2]);
  assert.deepEqual(types(next), ["handleTableRequest"]);
  assert.equal(ofType(next, "handleTableRequest")[0]?.ownChildrenOnly, false);
});

Deno.test("§3.2.3 step 4: pools are created with the policy of their first element, elements added or replaced", () => {
  const { harness, mentor } = downloading();
  const policy = { name: "Priority", type: 5, priority: 3 } as const;
  const pools = [
    { poolHandle: encodeText("Other"), elements: [mentor.element(9, { policy })] },
    { poolHandle: POOL, elements: [mentor.element(1)] },
  ];

  mentor.say({ type: "handleTableResponse", rejected: false, more: true, pools });
  mentor.say({
    type: "handleTableResponse",
    rejected: false,
    more: true,
    pools: [{
      poolHandle: POOL,
      elements: [mentor.element(1, { registrationLifeMs: 7000 }), mentor.element(2)],
    }],
  });

  const { handlespace } = harness.registrar;
  assert.deepEqual(handlespace.pool(encodeText("Other"))?.policyParameter, policy);
  assert.deepEqual(elementIds(harness), [1, 2]);
  assert.equal(handlespace.find(POOL, 1)?.element.registrationLifeMs, 7000);
});

Deno.test("§3.2.3 step 5: with the last part the initialization is completed, and the server provides its services", () => {
  const { harness, mentor } = downloading();
  mentor.table([1], { more: true });
  const before = harness.announces.length;

  mentor.table([2]);

  assert.equal(before, 0);
  assert.equal(harness.announces.length, 1);
  assert.equal(harness.presences.length, 1);
  assert.deepEqual(harness.reportsOf("inService"), [
    { type: "inService", mentorId: 0x11, elementCount: 2 },
  ]);
});

Deno.test("§3.2.3: a server that initializes rejects table requests with the R flag, without pool entries", () => {
  const harness = starting();
  harness.register(harness.up(), element(1));
  const peer = new FakePeer(harness, 0x11).connect();

  // Its own elements, too: with its old ID others may have them still, and would drop what it does not know yet.
  for (const ownChildrenOnly of [false, true]) {
    const [table] = ofType(peer.say({ type: "handleTableRequest", ownChildrenOnly }), "handleTableResponse");

    assert.deepEqual([table?.rejected, table?.more, table?.pools], [true, false, []]);
  }
});

Deno.test("§3.2.3: when the mentor rejects, a backup is asked, or the mentor again after some time", () => {
  const { harness, mentor } = downloading();

  mentor.table([], { rejected: true });
  const atOnce = ofType(mentor.heard(), "listRequest").length;
  harness.run(1500);
  const later = ofType(mentor.heard(), "listRequest").length;
  mentor.list([]);
  mentor.table([1]);

  assert.deepEqual([atOnce, later], [1, 2]);
  assert.equal(harness.reportsOf("inService")[0]?.mentorId, 0x11);
});

Deno.test("§3.2.3: a download that is interrupted is started again with a backup mentor", () => {
  const { harness, mentor } = downloading();
  const backup = new FakePeer(harness, 0x12).connect();
  backup.greet();
  mentor.table([1], { more: true });

  harness.run(5000);
  backup.list([]);
  backup.table([2]);

  assert.deepEqual(harness.reportsOf("inService"), [
    { type: "inService", mentorId: 0x12, elementCount: 2 },
  ]);
});

Deno.test("§3.2.3: the mentor forgets a session that is not continued", () => {
  const { harness, peer } = acquainted({ maxElementsPerTableResponse: 1 });
  const association = harness.up();
  for (const elementId of [1, 2]) harness.register(association, element(elementId));
  const ask = () =>
    ofType(peer.say({ type: "handleTableRequest", ownChildrenOnly: false }), "handleTableResponse")[0]?.pools
      .flatMap(({ elements }) => elements.map(({ elementId }) => elementId));

  const first = ask();
  for (let i = 0; i < 3; i++) {
    harness.run(2000);
    harness.say(association, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 1 });
    harness.say(association, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: 2 });
  }

  assert.deepEqual([first, ask()], [[1], [1]]);
});

// ---------------------------------------------------------------------------------------------------- §3.3: updates

Deno.test("§3.3.1: a (re-)registration is announced to all peers: ADD_PE, all of element and pool, receiver ID 0", () => {
  const { harness, peer } = acquainted();
  const association = harness.up(["10.1.1.1"]);

  harness.register(association, element(1));
  harness.register(association, element(1, { registrationLifeMs: 1234 }));

  const updates = ofType(peer.heard(), "handleUpdate");
  assert.deepEqual(updates.map(({ action }) => action), ["add", "add"]);
  assert.deepEqual(updates.map(({ senderId, receiverId }) => [senderId, receiverId]), [
    [REGISTRAR_ID, 0],
    [REGISTRAR_ID, 0],
  ]);
  assert.deepEqual(updates[1]?.poolHandle, POOL);
  assert.deepEqual(updates[1]?.element, {
    ...element(1),
    homeRegistrarId: REGISTRAR_ID,
    registrationLifeMs: 1234,
    asapTransport: { protocol: "sctp", port: 40000 + association, use: "data", addresses: ["10.1.1.1"] },
  });
});

Deno.test("§3.3.1 rule 1: an unknown pool is created, with the policy of the element, all attributes copied", () => {
  const { harness, peer } = acquainted();
  const policy = { name: "Priority", type: 5, priority: 3 } as const;

  peer.update(7, "add", { policy });

  const pool = harness.registrar.handlespace.pool(POOL);
  assert.deepEqual(pool?.policyParameter, policy);
  assert.deepEqual(pool?.elements.get(7)?.element, peer.element(7, { policy }));
});

Deno.test("§3.3.1 rule 2: an unknown element is added to its pool", () => {
  const { harness, peer } = acquainted();
  peer.update(7);

  peer.update(8);

  assert.deepEqual(elementIds(harness), [7, 8]);
});

Deno.test("§3.3.1 rule 3: the attributes of a known element are replaced", () => {
  const { harness, peer } = acquainted();
  peer.update(7);

  peer.update(7, "add", { registrationLifeMs: 4321 });

  assert.equal(harness.registrar.handlespace.find(POOL, 7)?.element.registrationLifeMs, 4321);
});

Deno.test("§3.3.2: every removal is announced to all peers: DEL_PE, all of element and pool, receiver ID 0", () => {
  const { harness, peer } = acquainted();
  const association = harness.up();
  for (const elementId of [1, 2, 3]) harness.register(association, element(elementId));
  const before = harness.enrp.length;

  harness.say(association, { type: "deregistration", poolHandle: POOL, elementId: 1 });
  for (let i = 0; i < 3; i++) {
    harness.say(association, { type: "endpointUnreachable", poolHandle: POOL, elementId: 2 });
  }
  harness.down(association);

  const updates = ofType(peer.heard(before), "handleUpdate");
  assert.deepEqual(updates.map(({ action, element }) => [action, element.elementId]), [
    ["delete", 1],
    ["delete", 2],
    ["delete", 3],
  ]);
  assert.ok(updates.every(({ senderId, receiverId }) => senderId === REGISTRAR_ID && receiverId === 0));
  assert.equal(updates[0]?.element.asapTransport?.port, 40000 + association);
});

Deno.test("§3.3.2: the element is removed, with the last one the pool", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  peer.update(8);

  peer.update(7, "delete");
  const one = elementIds(harness);
  peer.update(8, "delete");

  assert.deepEqual(one, [8]);
  assert.equal(harness.registrar.handlespace.poolCount, 0);
});

Deno.test("§3.3.2: the removal of an element or pool that is not found is no reason for anything", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  const before = harness.enrp.length;

  peer.update(8, "delete");
  peer.say({
    type: "handleUpdate",
    action: "delete",
    poolHandle: encodeText("Nope"),
    element: peer.element(7),
  }, 0);

  assert.deepEqual(elementIds(harness), [7]);
  assert.equal(harness.enrp.length, before);
});

// ------------------------------------------------------------------------------------------------- §3.4: the peer list

Deno.test("§3.4: the server keeps a record of each of its peers", () => {
  const { harness } = acquainted();

  harness.run(1000);

  const [peer] = harness.registrar.peers;
  assert.deepEqual([peer?.registrarId, peer?.addresses, peer?.port], [0x11, ["10.1.2.17"], PEER_PORT]);
});

Deno.test("§3.4.1: who sends a message is a peer, and is sent a presence with the R flag", () => {
  const cases: ((peer: FakePeer) => unknown)[] = [
    (peer) => peer.greet(),
    (peer) => peer.update(7),
    (peer) => peer.say({ type: "initTakeover", targetId: 0x99 }),
  ];
  for (const act of cases) {
    const harness = new RegistrarHarness();
    const peer = new FakePeer(harness, 0x11).connect();

    act(peer);

    assert.deepEqual(peerIds(harness), [0x11]);
    assert.equal(ofType(peer.heard(), "presence")[0]?.replyRequired, true);
  }
});

Deno.test("§3.4.1: who is heard in the group is sent a presence with the R flag to its source address", () => {
  const harness = new RegistrarHarness();
  const peer = new FakePeer(harness, 0x11);

  peer.announce();
  peer.accept();

  assert.deepEqual(peerIds(harness), [0x11]);
  assert.deepEqual(peer.asked()?.addresses, ["10.1.2.17"]);
  assert.equal(ofType(peer.heard(), "presence")[0]?.replyRequired, true);
});

Deno.test("§3.4.1, §2.1: a presence with the R flag is answered by one without, with the server information", () => {
  const { peer } = acquainted();

  const answers = peer.greet({ replyRequired: true });

  const [presence] = ofType(answers, "presence");
  assert.equal(presence?.replyRequired, false);
  assert.equal(presence?.serverInformation?.registrarId, REGISTRAR_ID);
});

Deno.test("§3.4.2: every PEER-HEARTBEAT-CYCLE all peers are sent a presence without the R flag", () => {
  const { harness, peer } = acquainted({ presenceIntervalMs: 2000 });
  const before = harness.enrp.length;

  for (let second = 0; second < 40; second++) {
    harness.run(1000);
    peer.greet();
  }

  const presences = ofType(peer.heard(before), "presence");
  assert.ok(presences.length >= 17 && presences.length <= 23, `${presences.length}`);
  assert.ok(presences.every(({ replyRequired }) => !replyRequired));
});

Deno.test("§3.4.3: every message of a peer counts as a sign of life", () => {
  const signs: ((peer: FakePeer) => unknown)[] = [
    (peer) => peer.greet(),
    (peer) => peer.announce(),
    (peer) => peer.update(7),
    (peer) => peer.say({ type: "listRequest" }),
    (peer) => peer.say({ type: "handleTableRequest", ownChildrenOnly: true }),
  ];
  for (const sign of signs) {
    const { harness, peer } = acquainted();
    harness.run(3000);

    sign(peer);

    assert.equal([...harness.registrar.peers][0]?.lastHeardAt, 3000);
  }
});

Deno.test("§3.4.3: a peer not heard for MAX-TIME-LAST-HEARD is sent a presence with the R flag", () => {
  const { harness, peer } = acquainted();
  const asked = () => ofType(peer.heard(), "presence").filter(({ replyRequired }) => replyRequired).length;
  const atFirst = asked();

  harness.run(4999);
  const before = asked();
  harness.run(1);

  assert.equal(before, atFirst);
  assert.equal(asked(), atFirst + 1);
});

Deno.test("§3.4.3: a peer that does not reply within MAX-TIME-NO-RESPONSE is dead", () => {
  const { harness, peer } = acquainted();
  peer.update(7); // so that there is something to take over

  harness.run(9999);
  const before = harness.reportsOf("takeover").length;
  harness.run(1);

  assert.equal(before, 0);
  assert.equal(harness.reportsOf("takeover")[0]?.stage, "started");
});

Deno.test("§3.4.3: a peer that replies is not dead", () => {
  const { harness, peer } = acquainted();

  for (let time = 0; time < 60_000; time += 6000) {
    harness.run(6000); // longer than MAX-TIME-LAST-HEARD: it is asked
    peer.greet();
  }

  assert.deepEqual(peerIds(harness), [0x11]);
});

Deno.test("§3.4.3: a peer to which the presence cannot be sent is dead", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  peer.leave();

  peer.refuse();
  harness.run(0);

  assert.equal(harness.now, 0);
  assert.equal(harness.reportsOf("takeover")[0]?.stage, "started");
});

// ---------------------------------------------------------------------------------- §3.6: auditing, resynchronization

Deno.test("§3.6.1 step 2: every presence has the checksum of the elements that the sender owns", () => {
  const { harness, peer } = acquainted();
  peer.update(7); // not ours
  const association = harness.up();
  harness.register(association, element(1));
  harness.register(association, element(2));
  const before = harness.enrp.length;

  harness.run(3000);

  assert.equal(ofType(peer.heard(before), "presence")[0]?.checksum, checksumOf(1, 2));
  assert.equal(ofType(harness.presences, "presence").at(-1)?.checksum, checksumOf(1, 2));
});

Deno.test("§3.6.1 step 4: a checksum that matches is no reason for anything", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  const before = harness.enrp.length;

  peer.greet({ checksum: checksumOf(7) });

  assert.equal(harness.enrp.length, before);
});

Deno.test("§3.6.1 step 5: a checksum that does not match starts a resynchronization at once", () => {
  const { peer } = acquainted();

  const answers = peer.greet({ checksum: checksumOf(7) });

  assert.deepEqual(types(answers), ["handleTableRequest"]);
});

Deno.test("§3.6.2: the checksum is the Internet checksum over pool handle and element ID of each element", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();

  harness.register(association, element(0x11223344), encodeText("EchoPool"));
  const one = harness.registrar.handlespace.checksum(REGISTRAR_ID);
  harness.register(association, element(0xe2675f6b), encodeText("DaytimePool"));
  harness.register(association, element(0xfc5c564e), encodeText("PingPongPool"));

  // Verified with RSPLIB: reference/rsplib.md §3.7. The handle of 11 octets is padded with zeros.
  assert.equal(one, 0x4deb);
  assert.equal(harness.registrar.handlespace.checksum(REGISTRAR_ID), 0x13e6);
});

Deno.test("§3.6.2: the checksum of a peer follows every change at once", () => {
  const { harness, peer } = acquainted();
  const { handlespace } = harness.registrar;
  const seen: number[] = [];

  for (const act of [() => peer.update(7), () => peer.update(8), () => peer.update(7, "delete")]) {
    act();
    seen.push(handlespace.checksum(0x11));
  }

  assert.deepEqual(seen, [checksumOf(7), checksumOf(7, 8), checksumOf(8)]);
});

Deno.test("§3.6.3 step 2: the peer is asked for all elements that it owns, with the W flag", () => {
  const { peer } = acquainted();

  const [request] = ofType(peer.greet({ checksum: 1 }), "handleTableRequest");

  assert.equal(request?.ownChildrenOnly, true);
});

Deno.test("§3.6.3 step 3: such a request is answered with the elements that we own, and no others", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  harness.register(harness.up(), element(1));

  const answers = peer.say({ type: "handleTableRequest", ownChildrenOnly: true });

  const [table] = ofType(answers, "handleTableResponse");
  assert.deepEqual(table?.pools.map(({ elements }) => elements.map(({ elementId }) => elementId)), [[1]]);
  assert.deepEqual([table?.rejected, table?.more, table?.receiverId], [false, false, 0x11]);
});

Deno.test("§3.6.3 steps 1, 4, 5: what is in the table is taken, what is not in it is removed silently", () => {
  const { harness, peer } = acquainted();
  for (const elementId of [7, 8]) peer.update(elementId);
  harness.register(harness.up(), element(1));
  peer.greet({ checksum: checksumOf(8, 9) });
  const before = harness.enrp.length;

  peer.table([8], { more: true });
  const during = elementIds(harness);
  peer.table([9]);

  assert.deepEqual(during, [1, 7, 8]);
  assert.deepEqual(elementIds(harness), [1, 8, 9]);
  assert.deepEqual(ofType(peer.heard(before), "handleUpdate"), []);
  assert.deepEqual(harness.reportsOf("synchronized"), [
    { type: "synchronized", registrarId: 0x11, cause: "checksum", elementCount: 2, purgedCount: 1 },
  ]);
});

Deno.test("§3.6.3: a request that is rejected is repeated after a later presence", () => {
  const { harness, peer } = acquainted();
  peer.greet({ checksum: checksumOf(9) });

  peer.table([], { rejected: true });
  const again = peer.greet({ checksum: checksumOf(9) });
  peer.table([9]);

  assert.deepEqual(types(again), ["handleTableRequest"]);
  assert.deepEqual(elementIds(harness), [9]);
});

// --------------------------------------------------------------------------- §3.7: unrecognized messages and parameters

Deno.test("§3.7: a message of unknown type that wants to be reported is reported by an ENRP_ERROR to its sender", () => {
  const { peer } = acquainted();
  const unknown = message(0x77, 0, [u32(0x11), u32(REGISTRAR_ID)]);

  const [error] = ofType(peer.octets(unknown), "error");

  assert.deepEqual([error?.senderId, error?.receiverId], [REGISTRAR_ID, 0x11]);
  assert.deepEqual(error?.error, [{ code: CauseCode.unrecognizedMessage, data: unknown }]);
});

Deno.test("§3.7: an unknown parameter is handled as its action bits say", () => {
  const checksum = tlv(0x000f, u16(0xffff));
  const cases = [
    { type: 0x0077, answer: "nothing", taken: false },
    { type: 0x4077, answer: "error", taken: false },
    { type: 0x8077, answer: "nothing", taken: true },
    { type: 0xc077, answer: "error", taken: true },
  ];
  for (const { type, answer, taken } of cases) {
    const { harness, peer } = acquainted();
    const octets = message(1, 0, [u32(0x11), u32(REGISTRAR_ID), tlv(type, [1, 2, 3, 4]), checksum]);
    harness.run(1000);

    const [error] = ofType(peer.octets(octets), "error");

    assert.equal(error === undefined ? "nothing" : "error", answer, type.toString(16));
    if (error !== undefined) assert.equal(error.error[0]?.code, CauseCode.unrecognizedParameter);
    assert.equal([...harness.registrar.peers][0]?.lastHeardAt === 1000, taken, type.toString(16));
  }
});

Deno.test("§3.7: an error is never answered by an error", () => {
  const { peer } = acquainted();

  const answers = [
    ...peer.octets(message(0x0a, 0, [u32(0x11), u32(REGISTRAR_ID)])),
    ...peer.octets(
      message(0x0a, 0, [u32(0x11), u32(REGISTRAR_ID), tlv(0xc077, []), tlv(0x000c, [0, 1, 0, 4])]),
    ),
  ];

  assert.deepEqual(answers, []);
});

// -------------------------------------------------------------------------------------------------- §4, §5: numbers

Deno.test("§4.2: the RFC's thresholds are a preset", () => {
  assert.equal(RFC_TIMES.presenceIntervalMs, 30_000);
  assert.equal(RFC_TIMES.maxTimeLastHeardMs, 61_000);
  assert.equal(RFC_TIMES.maxTimeNoResponseMs, 5000);
});

Deno.test("§5.4: ENRP has payload protocol identifier 12", () => {
  const { harness } = acquainted();

  const sends: number[] = [];
  harness.registrar.handle({ type: "datagram", ...heardOf(0x33) }, 0);
  harness.registrar.tick(0);
  const connect = harness.registrar.drain().find((effect) =>
    effect.type === "transport" && effect.command.type === "connect"
  );
  assert.ok(connect?.type === "transport" && connect.command.type === "connect");
  const { request } = connect.command;
  harness.registrar.handle({
    type: "transport",
    endpoint: "enrp",
    event: {
      type: "up",
      association: 99,
      request,
      peerAddresses: ["10.1.2.51"],
      peerPort: PEER_PORT,
      outboundStreams: 1,
      inboundStreams: 1,
    },
  }, 0);
  for (const effect of harness.registrar.drain()) {
    if (effect.type === "transport" && effect.command.type === "send") sends.push(effect.command.ppid);
  }

  assert.deepEqual(sends, [12]);
});

/** A presence in the group. */
function heardOf(
  registrarId: number,
): { channel: string; source: { address: string; port: number }; data: Uint8Array } {
  const data = writeEnrp({
    type: "presence",
    senderId: registrarId,
    receiverId: 0,
    replyRequired: false,
    checksum: 1,
  });
  return {
    channel: "enrp-presence",
    source: { address: `10.1.2.${registrarId}`, port: PEER_PORT },
    data,
  };
}
