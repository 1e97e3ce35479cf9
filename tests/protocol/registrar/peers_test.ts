/** The registrar among registrars: who is a peer, how it is reached, what is believed, and how much. */
import assert from "node:assert/strict";
import { writeEnrp } from "../../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../../protocol/enrp/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { ConnectCommand, IpAddress } from "../../../protocol/net.ts";
import {
  MAX_PEER_ADDRESSES,
  reachableAddresses,
  shownAddresses,
} from "../../../protocol/registrar/peer_addresses.ts";
import { MAX_WAITING_MESSAGES } from "../../../protocol/registrar/peer_links.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { checksumOf, FakePeer, ofType, PEER_PORT, types } from "./fake_peer.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness } from "./harness.ts";

type Options = ConstructorParameters<typeof RegistrarHarness>[0];

/** A registrar in service, and a peer that it knows. */
function acquainted(options: Options = {}): { harness: RegistrarHarness; peer: FakePeer } {
  const harness = new RegistrarHarness(options);
  const peer = new FakePeer(harness, 0x11).connect();
  peer.greet();
  peer.list([]);
  harness.run(0);
  return { harness, peer };
}

function peerIds({ registrar }: RegistrarHarness): number[] {
  return [...registrar.peers].map(({ registrarId }) => registrarId).sort((a, b) => a - b);
}

function homeOf({ registrar }: RegistrarHarness, elementId: number): number | undefined {
  return registrar.handlespace.find(POOL, elementId)?.homeRegistrarId;
}

/** How many connects were asked for. */
function connects({ commands }: RegistrarHarness): number {
  return commands.filter(({ type }) => type === "connect").length;
}

// ------------------------------------------------------------------------------------------------------ who is a peer

Deno.test("Registrar answers who only asks, and makes no peer of it", () => {
  const harness = new RegistrarHarness();
  harness.register(harness.up(), element(1));
  for (const registrarId of [0x77, 0]) {
    const reader = new FakePeer(harness, registrarId).connect();

    const list = reader.say({ type: "listRequest" }, 0);
    const table = reader.say({ type: "handleTableRequest", ownChildrenOnly: false }, 0);

    assert.deepEqual(types([...list, ...table]), ["listResponse", "handleTableResponse"]);
    assert.equal(ofType(table, "handleTableResponse")[0]?.pools[0]?.elements.length, 1);
  }
  assert.deepEqual(peerIds(harness), []);
});

Deno.test("Registrar ignores its own presences, tells of another registrar with its ID, and makes no peer of it", () => {
  const harness = new RegistrarHarness();
  const twin = new FakePeer(harness, REGISTRAR_ID).connect();
  const own = { address: "10.1.1.254", port: 3863 };
  const data = writeEnrp({
    type: "presence",
    senderId: REGISTRAR_ID,
    receiverId: 0,
    replyRequired: true,
    checksum: 0xffff,
  });
  harness.input({ type: "datagram", channel: "enrp-presence", source: own, data });
  assert.equal(harness.reportsOf("offence").length, 0);

  twin.announce();
  twin.greet();

  assert.equal(harness.reportsOf("offence").length, 2);
  assert.deepEqual(peerIds(harness), []);
  assert.deepEqual(twin.heard(), []);
});

Deno.test("Registrar knows its own presence when the host sent it from an address that ENRP is not bound to", () => {
  const harness = new RegistrarHarness();
  harness.input({ type: "endpointOpened", endpoint: "enrp", port: PEER_PORT, addresses: ["10.1.0.2"] });
  const data = writeEnrp({
    type: "presence",
    senderId: REGISTRAR_ID,
    receiverId: 0,
    replyRequired: false,
    checksum: 0xffff,
    serverInformation: {
      registrarId: REGISTRAR_ID,
      transport: { protocol: "sctp", port: PEER_PORT, use: "data", addresses: ["10.1.0.2"] },
    },
  });

  const source = { address: "10.1.0.1", port: PEER_PORT };
  harness.input({ type: "datagram", channel: "enrp-presence", source, data });

  assert.equal(harness.reportsOf("offence").length, 0);
  assert.deepEqual(peerIds(harness), []);
});

Deno.test("Registrar reaches a registrar at the addresses that it names, when the group heard it from another one", () => {
  for (const [named, expected] of [[["10.1.0.2"], ["10.1.0.2"]], [["10.1.0.2", "10.1.0.1"], ["10.1.0.1"]]]) {
    const harness = new RegistrarHarness();
    const data = writeEnrp({
      type: "presence",
      senderId: 0x11,
      receiverId: 0,
      replyRequired: false,
      checksum: 0xffff,
      serverInformation: {
        registrarId: 0x11,
        transport: { protocol: "sctp", port: PEER_PORT, use: "data", addresses: named ?? [] },
      },
    });

    const source = { address: "10.1.0.1", port: PEER_PORT };
    harness.input({ type: "datagram", channel: "enrp-presence", source, data });

    assert.deepEqual(harness.registrar.peers.find(0x11)?.addresses, expected);
  }
});

Deno.test("Registrar ignores messages without a sender ID", () => {
  const harness = new RegistrarHarness();
  const nobody = new FakePeer(harness, 0).connect();

  nobody.greet();
  nobody.update(7);
  nobody.announce();

  assert.deepEqual(peerIds(harness), []);
  assert.equal(harness.registrar.handlespace.elementCount, 0);
});

Deno.test("Registrar does not believe a stranger that uses a living peer's ID", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  const impostor = new FakePeer(harness, 0x11);
  impostor.association = harness.up(["10.66.6.6"], "enrp", { peerPort: PEER_PORT });

  impostor.update(7, "delete");
  impostor.update(8);

  assert.equal(homeOf(harness, 7), 0x11);
  assert.equal(homeOf(harness, 8), undefined);
  assert.equal(harness.registrar.peers.find(0x11)?.addresses[0], peer.address);
  assert.match(harness.reportsOf("offence")[0]?.reason ?? "", /elsewhere/);
});

Deno.test("Registrar asks the peer itself when somebody else in the group uses its ID", () => {
  const { harness, peer } = acquainted();
  const before = harness.enrp.length;
  const data = writeEnrp({
    type: "presence",
    senderId: 0x11,
    receiverId: 0,
    replyRequired: false,
    checksum: 1,
    serverInformation: {
      registrarId: 0x11,
      transport: { protocol: "sctp", port: 1234, use: "data", addresses: ["10.66.6.6"] },
    },
  });

  harness.run(1000);
  harness.input({
    type: "datagram",
    channel: "enrp-presence",
    source: { address: "10.66.6.6", port: 1 },
    data,
  });
  harness.run(0);

  assert.equal(ofType(peer.heard(before), "presence").at(-1)?.replyRequired, true);
  assert.equal(harness.registrar.peers.find(0x11)?.lastHeardAt, 0, "that was no sign of life");
});

Deno.test("Registrar takes a peer for dead when another registrar speaks at its place", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  peer.leave();
  const successor = new FakePeer(harness, 0x12);

  successor.association = harness.up([peer.address], "enrp", { peerPort: PEER_PORT });
  successor.greet();

  assert.equal(harness.reportsOf("takeover")[0]?.targetId, 0x11);
  assert.ok(peerIds(harness).includes(0x12));
});

Deno.test("Registrar forgets a dead peer that owns nothing, and knows it again when it comes back", () => {
  const { harness, peer } = acquainted();
  harness.run(10_000);
  assert.deepEqual(harness.reportsOf("peerDown"), [{
    type: "peerDown",
    registrarId: 0x11,
    reason: "silent",
  }]);
  assert.deepEqual(peerIds(harness), []);
  assert.ok(harness.aborted(peer.association), "its association hangs");

  peer.connect().greet();

  assert.deepEqual(peerIds(harness), [0x11]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar never heard of those in a list: it asks them, and forgets those that do not answer", () => {
  const { harness, peer } = acquainted();
  const dead = new FakePeer(harness, 0x12), alive = new FakePeer(harness, 0x13);
  const other = new FakePeer(harness, 0x14).connect();
  other.greet();
  other.list([dead, alive, peer]);
  assert.equal(ofType(alive.accept().heard(), "presence")[0]?.replyRequired, true);
  alive.greet();

  const [list] = ofType(peer.say({ type: "listRequest" }), "listResponse");
  harness.run(4000);
  for (const living of [peer, other, alive]) living.greet();
  harness.run(1000);

  assert.deepEqual(
    list?.servers.map(({ registrarId }) => registrarId),
    [0x11, 0x14, 0x13],
    "no dead ones travel",
  );
  assert.deepEqual(peerIds(harness), [0x11, 0x13, 0x14]);
});

// ------------------------------------------------------------------------------------------------------- static peers

Deno.test("Registrar learns a static peer's ID, keeps its place when it dies, and finds what comes there later", () => {
  const harness = new RegistrarHarness({ peers: [{ addresses: ["10.1.2.17"], port: PEER_PORT }] });
  const peer = new FakePeer(harness, 0x11).accept();
  peer.greet();
  assert.deepEqual(peerIds(harness), [0x11]);

  peer.leave();
  peer.refuse();
  harness.run(0);
  assert.deepEqual(peerIds(harness), [0]);
  const before = connects(harness);
  harness.run(60_000);
  const tries = connects(harness) - before;
  const successor = new FakePeer(harness, 0x12);
  successor.association = harness.up(["10.1.2.17"], "enrp", { peerPort: PEER_PORT });
  successor.greet();

  assert.deepEqual(peerIds(harness), [0x12]);
  assert.equal(tries, 1, "one connect is under way");
});

Deno.test("Registrar gives the place of a static peer that it takes over to the registrar that came there meanwhile", () => {
  const harness = new RegistrarHarness({ peers: [{ addresses: ["10.1.2.17"], port: PEER_PORT }] });
  const peer = new FakePeer(harness, 0x11).accept();
  peer.greet();
  peer.update(7);
  peer.leave();
  const successor = new FakePeer(harness, 0x12);
  successor.association = harness.up([peer.address], "enrp", { peerPort: PEER_PORT });

  successor.greet();
  harness.run(1000);

  assert.deepEqual([...harness.registrar.peers].map(({ registrarId, isStatic }) => [registrarId, isStatic]), [
    [0x12, true],
  ]);
  assert.equal(homeOf(harness, 7), REGISTRAR_ID);
});

Deno.test("Registrar skips itself among static peers, and finds a static peer in the group", () => {
  const harness = new RegistrarHarness({
    peers: [{ addresses: ["10.1.1.254"], port: 3863 }, { addresses: ["10.1.2.17"], port: PEER_PORT }],
  });
  assert.deepEqual(peerIds(harness), [0]);

  new FakePeer(harness, 0x11).announce();

  assert.deepEqual(peerIds(harness), [0x11]);
  assert.equal([...harness.registrar.peers][0]?.isStatic, true);
});

Deno.test("Registrar makes one peer of a static one and the same registrar heard by another address", () => {
  const harness = new RegistrarHarness({ peers: [{ addresses: ["10.7.7.7"], port: PEER_PORT }] });
  const peer = new FakePeer(harness, 0x11);
  peer.announce();
  assert.deepEqual(peerIds(harness), [0, 0x11]);

  peer.association = harness.up([peer.address, "10.7.7.7"], "enrp", { peerPort: PEER_PORT });
  peer.greet();

  const [only] = harness.registrar.peers;
  assert.deepEqual(peerIds(harness), [0x11]);
  assert.deepEqual([only?.isStatic, only?.addresses, only?.association], [
    true,
    ["10.7.7.7"],
    peer.association,
  ]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar tells a static peer what waited for the same registrar by another address", () => {
  const harness = new RegistrarHarness({
    peers: [{ addresses: ["10.7.7.7"], port: PEER_PORT }],
    mentorDiscoveryTimeoutMs: 5000,
  });
  harness.run(0);
  const request = harness.commands.findLast((command) => command.type === "connect")?.request;
  const peer = new FakePeer(harness, 0x11);
  harness.run(4000);
  peer.announce(); // nobody else came: it is our mentor, and asked as soon as there is an association

  peer.association = harness.up(["10.7.7.7"], "enrp", { peerPort: PEER_PORT, ...(request && { request }) });
  peer.greet();

  assert.deepEqual(peerIds(harness), [0x11]);
  assert.ok(types(peer.heard()).includes("listRequest"), types(peer.heard()).join());
  harness.registrar.checkInvariants();
});

// ------------------------------------------------------------------------------------------------------- associations

Deno.test("Registrar tries again to reach a peer after 250 ms, then half a second, and so on up to 10 s", () => {
  const harness = new RegistrarHarness({ peers: [{ addresses: ["10.1.2.17"], port: PEER_PORT }] });
  const peer = new FakePeer(harness, 0x11);
  const at: number[] = [];
  for (let i = 0; i < 9; i++) {
    const before = connects(harness);
    while (connects(harness) === before && harness.now < 100_000) harness.run(10);
    at.push(harness.now);
    peer.refuse("timeout");
  }
  const pauses = at.slice(1).map((time, i) => time - at[i]!);
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

Deno.test("Registrar finds a peer that shut down and is gone dead at once, and one that is still there not", () => {
  for (const gone of [true, false]) {
    const { harness, peer } = acquainted();
    peer.update(7);
    peer.leave();

    if (gone) peer.refuse();
    else peer.accept().greet();
    harness.run(0);

    assert.equal(harness.reportsOf("takeover").length, gone ? 1 : 0);
    harness.registrar.checkInvariants();
  }
});

Deno.test("Registrar finds a peer that refuses associations while it stops, and is gone then, soon dead", () => {
  const { harness, peer } = acquainted();
  peer.update(7);
  peer.leave();
  for (let i = 0; i < 2; i++) {
    const before = connects(harness);
    while (connects(harness) === before && harness.now < 5000) harness.run(10);
    peer.accept().leave(); // it aborts what comes up while it stops
  }
  const before = connects(harness);
  while (connects(harness) === before && harness.now < 5000) harness.run(10);
  peer.refuse();
  harness.run(0);

  assert.equal(harness.reportsOf("takeover").length, 1);
  assert.ok(harness.now < 2000, `${harness.now}`);
});

Deno.test("Registrar uses the association that a peer set up while its own connect was under way", () => {
  const harness = new RegistrarHarness();
  const peer = new FakePeer(harness, 0x11);
  peer.announce();
  harness.run(0);
  assert.equal(connects(harness), 1);

  peer.connect(); // the peer's own INIT was first
  peer.refuse("aborted"); // the transport says that there is an association already

  assert.equal(ofType(peer.heard(), "presence")[0]?.replyRequired, true);
  assert.equal(harness.reportsOf("peerDown").length, 0);
});

Deno.test("Registrar finds an association again whose peer it had forgotten while it was set up", () => {
  const { harness, peer } = acquainted();
  peer.leave();
  harness.run(0);
  const request = peer.asked()?.request;
  harness.run(20_000);
  assert.deepEqual(peerIds(harness), []);
  peer.connect(request);

  const before = connects(harness);
  peer.announce();
  harness.run(0);

  assert.equal(connects(harness), before);
  assert.equal(ofType(peer.heard(), "presence").at(-1)?.replyRequired, true);
});

Deno.test("Registrar says nothing to a peer that takes nothing, and its checksum as soon as it does", () => {
  const { harness, peer } = acquainted();
  harness.event(peer.association, "blocked", "enrp");
  const before = harness.enrp.length;
  harness.register(harness.up(), element(1));
  peer.greet({ replyRequired: true });
  const meanwhile = harness.enrp.length;

  harness.event(peer.association, "writable", "enrp");

  assert.equal(meanwhile, before);
  assert.equal(ofType(peer.heard(before), "presence")[0]?.checksum, checksumOf(1));
});

Deno.test("Registrar lets some messages wait for an association, the newest ones, and no updates", () => {
  const harness = new RegistrarHarness();
  const peer = new FakePeer(harness, 0x11), other = new FakePeer(harness, 0x12).connect();
  other.greet();
  peer.announce();
  for (let targetId = 1; targetId <= 3 * MAX_WAITING_MESSAGES; targetId++) {
    other.say({ type: "initTakeover", targetId });
  }
  harness.register(harness.up(), element(1));
  harness.registrar.checkInvariants();

  peer.accept();

  assert.deepEqual(ofType(peer.heard(), "handleUpdate"), []);
  assert.ok(peer.heard().length <= MAX_WAITING_MESSAGES + 1);
  assert.equal(ofType(peer.heard(), "presence")[0]?.checksum, checksumOf(1));
});

Deno.test("Registrar asks a peer whose process began anew", () => {
  const { harness, peer } = acquainted();
  const before = harness.enrp.length;

  harness.input({
    type: "transport",
    endpoint: "enrp",
    event: { type: "restarted", association: peer.association },
  });
  harness.run(0);

  assert.equal(ofType(peer.heard(before), "presence")[0]?.replyRequired, true);
});

// ----------------------------------------------------------------------------------------------------------- elements

Deno.test("Registrar believes updates from an element's home only", () => {
  const { harness, peer } = acquainted();
  const other = new FakePeer(harness, 0x12).connect();
  other.greet();
  peer.update(7);

  other.update(7, "delete");
  other.update(8, "add", { homeRegistrarId: 0x11 });
  other.update(9, "add", { homeRegistrarId: REGISTRAR_ID });

  assert.deepEqual([7, 8, 9].map((elementId) => homeOf(harness, elementId)), [0x11, undefined, undefined]);
  other.update(7); // it has moved
  peer.update(7, "delete"); // so says its old home
  assert.equal(homeOf(harness, 7), 0x12);
});

Deno.test("Registrar gives an element away that registered with a peer, and takes it back when it registers here", () => {
  const { harness, peer } = acquainted();
  const association = harness.up();
  harness.register(association, element(1));

  peer.update(1);
  harness.registrar.checkInvariants();
  harness.run(6000); // no keep-alive is due for it any more
  const keepAlives = harness.answers.filter(({ message }) => message.type === "endpointKeepAlive").length;
  const away = homeOf(harness, 1);
  harness.register(association, element(1));
  harness.registrar.checkInvariants();

  assert.deepEqual([away, homeOf(harness, 1), keepAlives], [0x11, REGISTRAR_ID, 0]);
});

Deno.test("Registrar lets nobody but its own host have another registrar's element, which may be taken over or not", () => {
  for (const takenOver of [false, true]) {
    const { harness, peer } = acquainted();
    const asapTransport = { protocol: "sctp", port: 30000, use: "data", addresses: ["10.1.1.1", "10.2.1.1"] };
    peer.update(7, "add", { asapTransport } as Partial<PoolElement>);
    if (takenOver) peer.leave();
    if (takenOver) peer.refuse();
    harness.run(takenOver ? 600 : 0);
    const home = takenOver ? REGISTRAR_ID : 0x11;
    const thief = harness.up(["10.1.1.66"]);

    const userTransport = { ...element(7).userTransport, addresses: ["10.1.1.66"] } as const;
    const refusal = harness.register(thief, element(7, { userTransport }));
    const [answer] = harness.say(thief, { type: "deregistration", poolHandle: POOL, elementId: 7 });

    assert.equal("error" in refusal && refusal.error?.[0]?.code, 4);
    assert.equal(answer && "error" in answer && answer.error?.[0]?.code, 10);
    assert.deepEqual([homeOf(harness, 7), harness.resolve(thief)], [home, [7]]);

    // The element itself, which comes from another one of its addresses.
    const moved = { ...element(7).userTransport, addresses: ["10.2.1.1"] } as const;
    harness.register(harness.up(["10.2.1.1"]), element(7, { userTransport: moved }));
    assert.equal(homeOf(harness, 7), REGISTRAR_ID);
    assert.deepEqual(harness.registrar.handlespace.find(POOL, 7)?.element.userTransport.addresses, [
      "10.2.1.1",
    ]);
    harness.registrar.checkInvariants();
  }
});

Deno.test("Registrar lets an element move here of which its old home knows loopback addresses only", () => {
  const { harness, peer } = acquainted();
  const asapTransport = { protocol: "sctp", port: 30000, use: "data", addresses: ["127.0.0.1"] } as const;
  peer.update(7, "add", {
    asapTransport,
    userTransport: { ...asapTransport, use: "data+control" },
  });

  harness.register(harness.up(), element(7));

  assert.equal(homeOf(harness, 7), REGISTRAR_ID);
});

Deno.test("Registrar knows a peer's elements by the addresses that mean the same here", () => {
  const addresses = ["127.0.0.1", "169.254.1.1", "10.1.2.3"];
  const asapTransport = { protocol: "sctp", port: 30000, use: "data", addresses } as const;
  const userTransport = { ...asapTransport, use: "data+control" } as const;
  const seen = (peerAddress: string, how: "update" | "table") => {
    const harness = new RegistrarHarness();
    const peer = new FakePeer(harness, 0x11);
    peer.association = harness.up([peerAddress], "enrp", { peerPort: PEER_PORT });
    peer.greet({ checksum: how === "table" ? 1 : 0xffff });
    const told = peer.element(7, { userTransport, asapTransport });
    if (how === "update") peer.update(7, "add", told);
    else {
      const pools = [{ poolHandle: POOL, elements: [told] }];
      peer.say({ type: "handleTableResponse", rejected: false, more: false, pools });
    }
    const { element } = harness.registrar.handlespace.find(POOL, 7)!;
    return [element.userTransport.addresses, element.asapTransport?.addresses];
  };

  for (const how of ["update", "table"] as const) {
    assert.deepEqual(seen("10.1.2.17", how), [["10.1.2.3"], ["10.1.2.3"]], how);
    const overLoopback = ["127.0.0.1", "10.1.2.3"];
    assert.deepEqual(seen("127.0.0.1", how), [overLoopback, overLoopback], how);
  }
});

Deno.test("Registrar keeps its own element when a peer's table has it as the peer's: tables are old news", () => {
  const { harness, peer } = acquainted();
  harness.register(harness.up(), element(1));
  peer.greet({ checksum: checksumOf(1) });

  peer.table([1]);

  assert.equal(homeOf(harness, 1), REGISTRAR_ID);
});

Deno.test("Registrar takes of a table of own children only those of the peer, and tables that it asked for only", () => {
  const { harness, peer } = acquainted();
  peer.table([9]);
  assert.equal(homeOf(harness, 9), undefined);
  peer.greet({ checksum: checksumOf(7) });

  peer.say({
    type: "handleTableResponse",
    rejected: false,
    more: false,
    pools: [{ poolHandle: POOL, elements: [peer.element(7), peer.element(8, { homeRegistrarId: 0x99 })] }],
  });

  assert.deepEqual([7, 8].map((elementId) => homeOf(harness, elementId)), [0x11, undefined]);
});

Deno.test("Registrar drops no element that moved, or was told of, while a table was under way", () => {
  const { harness, peer } = acquainted();
  for (const elementId of [7, 8, 9]) peer.update(elementId);
  peer.greet({ checksum: 1 });
  peer.table([7], { more: true });

  harness.register(harness.up(), element(8)); // it has moved to us
  peer.update(9); // it was registered anew, at a place of the table that was told already
  peer.table([]);

  assert.deepEqual([7, 8, 9].map((elementId) => homeOf(harness, elementId)), [0x11, REGISTRAR_ID, 0x11]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar asks less and less often for a table that it cannot take", () => {
  const { harness, peer } = acquainted({ maxElements: 1 });
  peer.update(6);
  let asked = 0;
  for (let second = 0; second < 600; second++) {
    if (ofType(peer.greet({ checksum: checksumOf(6, 7) }), "handleTableRequest").length > 0) {
      asked++;
      peer.table([6, 7]);
    }
    harness.run(1000);
  }

  assert.ok(asked >= 5 && asked <= 12, `${asked}`);
  assert.deepEqual([6, 7].map((elementId) => homeOf(harness, elementId)), [0x11, undefined]);
});

Deno.test("Registrar keeps an element whose life is over as long as its home lives and has it", () => {
  const { harness, peer } = acquainted();
  peer.update(7, "add", { registrationLifeMs: 20_000 });
  peer.update(8, "add", { registrationLifeMs: -1 });
  harness.registrar.checkInvariants();

  for (let time = 0; time < 70_000; time += 3000) {
    harness.run(3000);
    peer.greet({ checksum: checksumOf(7, 8) });
  }

  assert.deepEqual([7, 8].map((elementId) => homeOf(harness, elementId)), [0x11, 0x11]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar lets elements expire whose home is not known", () => {
  const harness = new RegistrarHarness({ mentorDiscoveryTimeoutMs: 5000 });
  const mentor = new FakePeer(harness, 0x11).connect();
  mentor.greet();
  mentor.list([]);
  const orphan = mentor.element(7, { homeRegistrarId: 0x99, registrationLifeMs: 20_000 });
  mentor.say({
    type: "handleTableResponse",
    rejected: false,
    more: false,
    pools: [{ poolHandle: POOL, elements: [orphan] }],
  });
  assert.equal(homeOf(harness, 7), 0x99);

  for (let time = 0; time < 21_000; time += 3000) {
    harness.run(3000);
    mentor.greet();
  }

  assert.equal(homeOf(harness, 7), undefined);
  assert.equal(harness.reportsOf("removed")[0]?.reason, "registration expired");
});

/** A registrar that has its old elements from its mentor, and what it connects to. */
function begunAnew(): { harness: RegistrarHarness; mentor: FakePeer; connect: ConnectCommand } {
  const harness = new RegistrarHarness({ mentorDiscoveryTimeoutMs: 5000 });
  const mentor = new FakePeer(harness, 0x11).connect();
  mentor.greet();
  mentor.list([]);
  const ours = [7, 8].map((elementId) => mentor.element(elementId, { homeRegistrarId: REGISTRAR_ID }));
  const pools = [{ poolHandle: POOL, elements: [...ours, mentor.element(9)] }];
  mentor.say({ type: "handleTableResponse", rejected: false, more: false, pools });
  harness.run(0);
  const connect = harness.commands.findLast((command) => command.type === "connect");
  assert.ok(connect !== undefined, "the registrar connects to its elements");
  return { harness, mentor, connect };
}

Deno.test("Registrar that begins anew with its old ID has its old elements, and asks them by the H bit", () => {
  const { harness, mentor, connect } = begunAnew();
  assert.deepEqual([7, 8, 9].map((elementId) => homeOf(harness, elementId)), [
    REGISTRAR_ID,
    REGISTRAR_ID,
    0x11,
  ]);
  assert.equal(harness.registrar.handlespace.checksum(REGISTRAR_ID), checksumOf(7, 8));
  assert.deepEqual(ofType(mentor.heard(), "handleUpdate"), [], "nobody is told what everybody has");

  const association = harness.up(connect.addresses, "asap", { request: connect.request });

  const asked = harness.answers.filter((answer) => answer.association === association)
    .map(({ message }) => message);
  assert.deepEqual(
    asked.map((message) => message.type === "endpointKeepAlive" && [message.home, message.elementId]),
    [[true, 7], [true, 8]],
  );
  for (const elementId of [7, 8]) {
    harness.say(association, { type: "endpointKeepAliveAck", poolHandle: POOL, elementId });
  }
  harness.run(4000);
  assert.deepEqual(harness.resolve(association, 3).sort(), [7, 8, 9]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar that begins anew with its old ID tells the others of old elements that it does not reach", () => {
  const { harness, mentor } = begunAnew();
  for (let time = 0; time < 6000; time += 1000) {
    harness.run(1000);
    mentor.greet({ checksum: checksumOf(9) });
  }

  assert.deepEqual(
    ofType(mentor.heard(), "handleUpdate").map((update) => [update.action, update.element.elementId]),
    [["delete", 7], ["delete", 8]],
  );
  assert.deepEqual([7, 8, 9].map((elementId) => homeOf(harness, elementId)), [undefined, undefined, 0x11]);
  harness.registrar.checkInvariants();
});

Deno.test("Registrar that stops tells no peer that its elements are gone: they live, and want a new home", () => {
  const { harness, peer } = acquainted();
  harness.register(harness.up(), element(1));
  const before = harness.enrp.length;

  harness.input({ type: "stop" });

  assert.deepEqual(peer.heard(before), []);
  assert.equal(harness.stopped, true);
  assert.deepEqual([harness.reportsOf("removed"), harness.registrar.statistics.removals], [[], 0]);
});

Deno.test("Registrar that stops does not ask peers, however long its associations linger", () => {
  const { harness, peer } = acquainted({ keepAliveIntervalMs: 300 });
  harness.register(harness.up(), element(1));
  harness.registrar.handle({ type: "stop" }, harness.now);
  const shutDown = harness.registrar.drain(); // the element's association does not end, the peer's does
  peer.leave();

  harness.run(900);

  assert.equal(shutDown.filter((effect) => effect.type === "transport").length, 2);
  assert.deepEqual([connects(harness), harness.stopped], [0, false]);
  harness.run(100);
  assert.equal(harness.stopped, true);
});

Deno.test("Registrar serves elements and users while it looks for a mentor", () => {
  const harness = new RegistrarHarness({ mentorDiscoveryTimeoutMs: 5000 });
  const association = harness.up();

  harness.register(association, element(1));

  assert.deepEqual(harness.resolve(association), [1]);
  assert.equal(harness.announces.length, 0);
});

// ------------------------------------------------------------------------------------------------------------- limits

Deno.test("Registrar knows so many peers at most, wherever they come from", () => {
  const { harness, peer } = acquainted({ maxPeers: 4 });

  for (let id = 0x20; id < 0x30; id++) new FakePeer(harness, id).announce();
  peer.say({ type: "listRequest" });
  for (let id = 0x30; id < 0x40; id++) new FakePeer(harness, id).connect().greet();

  assert.equal(harness.registrar.peers.size, 4);
  assert.ok(harness.reportsOf("limit").length > 0);
  assert.ok(peerIds(harness).includes(0x11));
  harness.registrar.checkInvariants();
});

Deno.test("Registrar takes associations of 64 strangers, and of its peers however many strangers there are", () => {
  const { harness, peer } = acquainted();
  const strangers: number[] = [];
  for (let i = 0; i < 100; i++) strangers.push(harness.up([`10.9.0.${i}`], "enrp"));
  const kept = strangers.filter((association) => !harness.aborted(association)).length;

  peer.leave();
  peer.connect();

  assert.equal(kept, 64);
  assert.equal(harness.aborted(peer.association), false);
});

Deno.test("Registrar fills a handle table response up to 1400 octets, and sends a larger element alone", () => {
  const { harness, peer } = acquainted();
  const addresses = Array.from({ length: 64 }, (_, i): IpAddress => `fd00::${(i + 1).toString(16)}`);
  const asapTransport = { protocol: "sctp", port: 1, use: "data", addresses } as const;
  const userTransport = { ...asapTransport, use: "data+control" } as const;
  peer.update(0x100, "add", { asapTransport, userTransport });
  const association = harness.up();
  for (let elementId = 1; elementId <= 60; elementId++) harness.register(association, element(elementId));
  const sizes: number[] = [], counts: number[] = [];
  for (let more = true; more;) {
    const before = harness.enrp.length;
    const [table] = ofType(
      peer.say({ type: "handleTableRequest", ownChildrenOnly: false }),
      "handleTableResponse",
    );
    assert.ok(table !== undefined && sizes.length < 100);
    sizes.push(harness.enrp[before]!.octets.length);
    counts.push(table.pools.reduce((sum, { elements }) => sum + elements.length, 0));
    more = table.more;
  }

  assert.equal(counts.reduce((sum, count) => sum + count), 61);
  const last = sizes.pop()!;
  assert.ok(last > 1400 && counts.at(-1) === 1);
  assert.ok(
    sizes.every((size, i) => size <= 1400 && (i === sizes.length - 1 || size > 1400 - 80)),
    `${sizes}`,
  );
});

Deno.test("Registrar ends a table that has no end", () => {
  for (const endless of ["elements", "nothing"]) {
    const { harness, peer } = acquainted({ maxElements: 50 });
    peer.greet({ checksum: 1 });
    let asked = 0;
    for (let elementId = 1; elementId <= 500; elementId += 10) {
      const ids = Array.from({ length: 10 }, (_, i) => elementId + i);
      if (peer.table(endless === "elements" ? ids : [], { more: true }).length > 0) asked++;
    }
    assert.ok(asked <= 5, `${endless}: ${asked}`);
    assert.equal(harness.reportsOf("synchronized").length, 0);
  }
});

Deno.test("reachableAddresses() leaves out what is not reached from here", () => {
  const named = [
    "127.0.0.1",
    "0.0.0.0",
    "239.0.0.51",
    "255.255.255.255",
    "fe80::1",
    "ff02::1",
    "::",
    "10.1.1.1",
    "::1",
  ];
  assert.deepEqual(reachableAddresses(named, false), ["10.1.1.1"]);
  assert.deepEqual(reachableAddresses(named, true), ["127.0.0.1", "10.1.1.1", "::1"]);
  const many = Array.from({ length: 64 }, (_, i) => `10.1.1.${i + 1}`);
  assert.equal(reachableAddresses(many, false).length, MAX_PEER_ADDRESSES);
});

Deno.test("shownAddresses() hides loopback and link-local addresses unless there is nothing else", () => {
  assert.deepEqual(shownAddresses(["127.0.0.1", "fe80::1%2", "10.1.1.1"], false), ["10.1.1.1"]);
  assert.deepEqual(shownAddresses(["127.0.0.1", "fe80::1%2", "10.1.1.1"], true), [
    "127.0.0.1",
    "fe80::1",
    "10.1.1.1",
  ]);
  assert.deepEqual(shownAddresses(["127.0.0.1", "fe80::1%2"], false), ["127.0.0.1", "fe80::1"]);
});

// ------------------------------------------------------------------------------------------------------------ hostile

const OTHER = encodeText("Other");

/** Messages of every type, for peers and impostors. */
function messages(peer: FakePeer, random: Prng): EnrpMessage[] {
  const base = {
    senderId: random.below(4) === 0 ? random.below(0x20) : peer.registrarId,
    receiverId: REGISTRAR_ID,
  };
  const elementId = 1 + random.below(10);
  const poolHandle = random.chance(0.5) ? POOL : OTHER;
  const told = peer.element(elementId, {
    homeRegistrarId: random.chance(0.8) ? peer.registrarId : random.below(0x20),
  });
  const transport = {
    protocol: "sctp",
    port: PEER_PORT,
    use: "data",
    addresses: [`10.1.2.${random.below(40)}`],
  } as const;
  const servers = [{ registrarId: random.below(0x40), transport }];
  const targetId = random.below(0x20);
  return [
    { type: "presence", ...base, replyRequired: random.chance(0.3), checksum: random.below(0x10000) },
    { type: "handleTableRequest", ...base, ownChildrenOnly: random.chance(0.5) },
    {
      type: "handleTableResponse",
      ...base,
      rejected: random.chance(0.1),
      more: random.chance(0.5),
      pools: [{ poolHandle, elements: [told] }],
    },
    {
      type: "handleUpdate",
      ...base,
      action: random.chance(0.7) ? "add" : "delete",
      poolHandle,
      element: told,
    },
    { type: "listRequest", ...base },
    { type: "listResponse", ...base, rejected: random.chance(0.1), servers },
    { type: "initTakeover", ...base, targetId },
    { type: "initTakeoverAck", ...base, targetId },
    { type: "takeoverServer", ...base, targetId },
    { type: "error", ...base, error: [{ code: 3, data: new Uint8Array(random.below(8)) }] },
  ];
}

Deno.test("Registrar survives whatever registrars say, with its state consistent and within its limits", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = new Prng(seed);
    const harness = new RegistrarHarness({ maxPeers: 8, maxElements: 15, maxPools: 2 });
    const own = harness.up();
    harness.register(own, element(1));
    const peers = Array.from({ length: 5 }, (_, i) => new FakePeer(harness, 0x11 + i).connect());
    for (let round = 0; round < 400; round++) {
      const peer = peers[random.below(peers.length)]!;
      const said = messages(peer, random);
      const octets = writeEnrp(said[random.below(said.length)]!);
      for (let n = random.below(4); n > 2; n--) octets[random.below(octets.length)] = random.u32() & 255;
      if (random.chance(0.05)) peer.leave();
      if (random.chance(0.05)) peer.announce();
      if (harness.aborted(peer.association) || random.chance(0.02)) peer.connect();
      peer.octets(random.chance(0.05) ? octets.subarray(0, random.below(octets.length)) : octets);
      if (random.chance(0.2)) harness.run(random.below(3000));
      harness.registrar.checkInvariants();
      assert.ok(harness.registrar.peers.size <= 8);
      assert.ok(harness.registrar.handlespace.elementCount <= 15);
    }
  }
});
