import assert from "node:assert/strict";
import { makeAbort, makeError, numberCause, readCauses, textCause } from "../../../protocol/sctp/causes.ts";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { CLIENT_PORT, connectedPair, message, SERVER_PORT, World } from "./harness.ts";
import { cookieEchoChunk, dataChunk, FakePeer, INIT, readPacket, types } from "./packets.ts";

Deno.test("SctpStack keeps nothing for an INIT", () => {
  const peer = new FakePeer();
  for (let i = 0; i < 50; i++) peer.initAck({ initiateTag: i + 1 });
  assert.equal(peer.server.stack.nextTimeout(), undefined);
  assert.deepEqual(peer.events, []);
});

Deno.test("SctpStack answers a cookie and the DATA behind it in one packet", () => {
  const peer = new FakePeer();
  const { cookie } = peer.initAck();
  const answers = peer.send(peer.serverTag, [cookieEchoChunk(cookie!), dataChunk(1000, message(1, 8))]);
  assert.equal(answers[0]?.chunks[0]?.type, ChunkType.cookieAck);
  assert.equal(answers[0]?.tag, INIT.initiateTag);
  assert.deepEqual(peer.events, ["up", "message"]);
});

Deno.test("SctpStack negotiates streams to what both sides take", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, outboundStreams: 20, maxInboundStreams: 5 });
  peer.connect({ outboundStreams: 8, inboundStreams: 3 });
  const [up] = peer.server.of(1, "up");
  assert.deepEqual([up?.outboundStreams, up?.inboundStreams], [3, 5]);
});

Deno.test("SctpStack rejects cookies that are forged, foreign, or from elsewhere, in silence", () => {
  const peer = new FakePeer();
  const { cookie } = peer.initAck();
  const forged = cookie!.slice();
  forged[20]! ^= 1;
  assert.deepEqual(peer.send(peer.serverTag, [cookieEchoChunk(forged)]), []);
  assert.deepEqual(peer.send(peer.serverTag, [cookieEchoChunk(new Uint8Array(0))]), []);
  assert.deepEqual(peer.send(peer.serverTag + 1, [cookieEchoChunk(cookie!)]), []);
  const elsewhere = { ...peer.meta, source: "10.1.0.66" };
  assert.deepEqual(peer.send(peer.serverTag, [cookieEchoChunk(cookie!)], elsewhere), []);
  assert.deepEqual(peer.events, []);
  assert.equal(peer.server.stack.counters.badCookies, 4);
});

Deno.test("SctpStack answers a stale cookie with ERROR and its staleness", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, cookieLifeMs: 1000 });
  const { cookie } = peer.initAck();
  peer.wait(1500);
  const [answer] = peer.send(peer.serverTag, [cookieEchoChunk(cookie!)]);
  assert.equal(answer?.chunks[0]?.type, ChunkType.error);
  assert.deepEqual(readCauses(answer!.chunks[0]!.octets), [numberCause(3, 500_000)]);
  assert.deepEqual(peer.events, []);
});

Deno.test("SctpStack asks for a longer life when its cookie came too late", () => {
  const world = new World(1, { delayMs: 300 });
  const client = world.host(["10.1.0.1"]), server = world.host(["10.1.0.2"]);
  client.open(1, { port: CLIENT_PORT });
  server.open(1, { port: SERVER_PORT, listen: true, cookieLifeMs: 400 });
  client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(20_000);
  assert.equal(client.of(1, "up").length, 1);
  assert.ok(server.stack.counters.badCookies > 0);
});

Deno.test("SctpStack discards or refuses INITs that the RFC forbids", () => {
  const peer = new FakePeer();
  const init = (change: object) => peer.send(0, [writeInit(ChunkType.init, { ...INIT, ...change })]);
  assert.deepEqual(init({ initiateTag: 0 }), []);
  for (const change of [{ outboundStreams: 0 }, { inboundStreams: 0 }, { receiveWindow: 1499 }]) {
    const [answer] = init(change);
    assert.deepEqual([answer?.tag, answer?.chunks[0]?.type], [INIT.initiateTag, ChunkType.abort]);
  }
  const unreadable = writeInit(ChunkType.init, INIT);
  unreadable[22] = 0xff; // the length of its first parameter
  const [answer] = peer.send(0, [unreadable]);
  assert.deepEqual([answer?.tag, answer?.chunks[0]?.type], [INIT.initiateTag, ChunkType.abort]);
  const alone = writeInit(ChunkType.init, INIT);
  assert.deepEqual(peer.send(0, [alone, dataChunk(1, message(1, 4))]), []);
  assert.deepEqual(peer.send(5, [alone]), []);
  for (const source of ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"]) {
    assert.deepEqual(peer.send(0, [alone], { ...peer.meta, source }), []);
  }
});

Deno.test("SctpStack follows the action bits of unknown parameters in an INIT", () => {
  const peer = new FakePeer();
  const parameter = (type: number) => Uint8Array.of(type >> 8, type & 255, 0, 6, 0xca, 0xfe, 0, 0);
  const chunk = writeInit(ChunkType.init, INIT);
  const tail = [parameter(0x8001), parameter(0xc001), parameter(0x4001), parameter(0xc002)];
  const octets = new Uint8Array(chunk.length + 32);
  octets.set(chunk);
  tail.forEach((part, i) => octets.set(part, chunk.length + 8 * i));
  octets[3] = octets.length - 2;
  const [answer] = peer.send(0, [octets]);
  const reported = answer!.chunks[0]!.octets.toHex();
  assert.ok(!reported.includes("80010006"), "10: skipped in silence");
  assert.ok(reported.includes("0008000ac0010006cafe"), "11: skipped and reported");
  assert.ok(reported.includes("0008000a40010006cafe"), "01: reported");
  assert.ok(!reported.includes("c0020006"), "… and what follows is not read");
});

Deno.test("SctpStack refuses an INIT when nobody listens, and a full endpoint says nothing else", () => {
  const peer = new FakePeer({ port: SERVER_PORT });
  const [answer] = peer.send(0, [writeInit(ChunkType.init, INIT)]);
  assert.deepEqual([answer?.tag, answer?.chunks[0]?.type], [INIT.initiateTag, ChunkType.abort]);
});

Deno.test("SctpStack lists its addresses by scope and does not believe foreign loopback addresses", () => {
  const addresses = ["127.0.0.1", "10.1.0.2", "169.254.3.3", "fe80::1%2", "8.8.1.1"];
  const peer = new FakePeer(undefined, addresses);
  assert.deepEqual(peer.initAck().addresses, ["10.1.0.2", "8.8.1.1"]);
  const global = { ...peer.meta, source: "9.9.9.9" };
  const [answer] = peer.send(0, [writeInit(ChunkType.init, INIT)], global);
  assert.deepEqual(readInit(answer!.chunks[0]!.octets).addresses, ["8.8.1.1"]);
  const local = { source: "127.0.0.1", destination: "127.0.0.1", udpPort: 0 };
  const [here] = peer.send(0, [writeInit(ChunkType.init, INIT)], local);
  assert.deepEqual(readInit(here!.chunks[0]!.octets).addresses, ["127.0.0.1", "10.1.0.2", "8.8.1.1"]);
  peer.connect({ addresses: ["127.0.0.1", "224.0.0.1", "10.7.0.1", "169.254.1.1", "fe80::7", "10.1.0.1"] });
  assert.deepEqual(peer.server.of(1, "up")[0]?.peerAddresses, ["10.1.0.1", "10.7.0.1"]);
});

Deno.test("SctpStack keeps at most 16 addresses of a peer", () => {
  const peer = new FakePeer();
  peer.connect({ addresses: Array.from({ length: 60 }, (_, i) => `10.3.0.${i + 1}`) });
  assert.equal(peer.server.of(1, "up")[0]?.peerAddresses.length, 16);
});

Deno.test("SctpStack sends no data to an address that has not echoed a nonce", () => {
  const peer = new FakePeer();
  peer.connect({ addresses: ["10.1.0.77"] });
  const association = peer.server.of(1, "up")[0]!.association;
  peer.wait(10);
  for (let i = 0; i < 20; i++) {
    peer.server.execute(1, { type: "send", association, data: message(i, 100), ppid: 0 });
    const sent = peer.wait(1000);
    for (const packet of sent.filter(({ destination }) => destination === "10.1.0.77")) {
      assert.ok(packet.chunks.every(({ type }) => type === ChunkType.heartbeat));
    }
  }
  const wrong = makeChunk(ChunkType.heartbeatAck, 0, (w) =>
    w.tlv(1, (info) => {
      info.u32(1);
      info.bytes(new Uint8Array(8));
    }));
  peer.send(peer.serverTag, [wrong]);
  assert.equal(peer.server.of(1, "path").length, 0);
});

// ------------------------------------------------------------------------------------- out of the blue, tags (§8.4, §8.5)

Deno.test("SctpStack answers packets out of the blue as §8.4 says", () => {
  const peer = new FakePeer();
  const one = (chunks: Uint8Array[], meta = peer.meta) => peer.send(99, chunks, meta);
  const [abort] = one([dataChunk(1, message(1, 4))]);
  assert.deepEqual([abort?.tag, abort?.chunks[0]?.type, abort?.chunks[0]?.flags], [99, ChunkType.abort, 1]);
  const [complete] = one([makeChunk(ChunkType.shutdownAck, 0)]);
  assert.deepEqual([complete?.tag, complete?.chunks[0]?.type, complete?.chunks[0]?.flags], [99, 14, 1]);
  const data = dataChunk(1, message(1, 4)),
    stale = makeError(numberCause(3, 1)),
    odd = makeError(numberCause(6, 1));
  for (const type of [ChunkType.shutdownComplete, ChunkType.cookieAck, ChunkType.abort]) {
    assert.deepEqual(one([makeChunk(type, 0)]), []);
    assert.deepEqual(one([data, makeChunk(type, 0)]), [], "wherever the chunk stands");
  }
  assert.deepEqual(one([stale]), []);
  assert.deepEqual(types(one([odd])), [[ChunkType.abort]]);
  assert.deepEqual(types(one([odd, makeChunk(ChunkType.shutdownAck, 0)])), [[ChunkType.shutdownComplete]]);
  assert.deepEqual(one([data], { ...peer.meta, destination: "224.0.0.1" }), []);
});

Deno.test("SctpStack leaves ports alone that it does not have", () => {
  const peer = new FakePeer();
  peer.server.sent.length = 0;
  peer.world.inject(peer.server, makePacket(1, 4444, 5, [dataChunk(1, message(1, 4))]), peer.meta);
  assert.deepEqual(peer.answers(), []);
  assert.equal(peer.server.stack.counters.foreignPort, 1);
});

Deno.test("SctpStack discards packets of an association with a wrong tag", () => {
  const peer = new FakePeer().connect();
  for (const chunk of [dataChunk(1000, message(1, 4)), makeAbort(0), makeChunk(ChunkType.shutdownAck, 0)]) {
    assert.deepEqual(peer.send(peer.serverTag ^ 1, [chunk]), []);
  }
  assert.deepEqual(peer.events, ["up"]);
  assert.equal(peer.server.stack.counters.wrongTag, 3);
});

Deno.test("SctpStack takes an ABORT with its own tag, or with the peer's and the T bit", () => {
  for (
    const [tag, flags, ends] of [["own", 0, true], ["peer", 1, true], ["peer", 0, false], ["own", 1, false]]
  ) {
    const peer = new FakePeer().connect();
    peer.send(tag === "own" ? peer.serverTag : INIT.initiateTag, [makeAbort(flags as number)]);
    assert.equal(peer.server.of(1, "down").length === 1, ends, `tag ${tag}, T ${flags}`);
  }
});

Deno.test("SctpStack discards an ABORT whose causes cannot be read", () => {
  const peer = new FakePeer().connect();
  peer.send(peer.serverTag, [makeChunk(ChunkType.abort, 0, (w) => w.u32(0x000c_00ff))]);
  assert.deepEqual(peer.events, ["up"]);
});

Deno.test("SctpStack ignores SHUTDOWN COMPLETE unless it waits for it", () => {
  const peer = new FakePeer().connect();
  peer.send(peer.serverTag, [makeChunk(ChunkType.shutdownComplete, 0)]);
  assert.equal(peer.server.of(1, "down").length, 0);
});

// ------------------------------------------------------------------------------- collision, duplicates, restart (§5.2)

Deno.test("SctpStack answers an INIT for a living association and changes nothing", () => {
  const peer = new FakePeer().connect();
  const tag = peer.serverTag;
  for (let i = 0; i < 5; i++) {
    const [answer] = peer.send(0, [writeInit(ChunkType.init, { ...INIT, initiateTag: 77 + i })]);
    assert.equal(answer?.chunks[0]?.type, ChunkType.initAck);
    assert.notEqual(readInit(answer!.chunks[0]!.octets).initiateTag, tag);
  }
  peer.send(tag, [dataChunk(1000, message(1, 8))]);
  assert.deepEqual(peer.events, ["up", "message"]);
});

Deno.test("SctpStack refuses a restart that adds addresses", () => {
  const peer = new FakePeer().connect();
  const [answer] = peer.send(0, [
    writeInit(ChunkType.init, { ...INIT, initiateTag: 5, addresses: ["10.1.0.99"] }),
  ]);
  assert.equal(answer?.chunks[0]?.type, ChunkType.abort);
  assert.equal(readCauses(answer!.chunks[0]!.octets)[0]?.code, 11);
});

Deno.test("SctpStack restarts with a peer that has lost its memory and keeps the ID", () => {
  const peer = new FakePeer().connect();
  const association = peer.server.of(1, "up")[0]!.association;
  peer.server.execute(1, { type: "send", association, data: message(9, 100), ppid: 0 });
  peer.connect({ initiateTag: 0xabcd, initialTsn: 5 });
  assert.deepEqual(peer.events, ["up", "restarted", "sendFailed"]);
  peer.send(peer.serverTag, [dataChunk(5, message(2, 8))]);
  assert.equal(peer.server.of(1, "message")[0]?.association, association);
  peer.server.execute(1, { type: "send", association, data: message(3, 100), ppid: 0 });
  assert.ok(
    peer.wait(500).some((packet) => packet.tag === 0xabcd && packet.chunks.some(({ type }) => type === 0)),
  );
});

Deno.test("SctpStack says writable after a restart when it had said blocked before", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, sendBuffer: 50 }).connect();
  const association = peer.server.of(1, "up")[0]!.association;
  peer.server.execute(1, { type: "send", association, data: message(9, 100), ppid: 0 });
  peer.connect({ initiateTag: 0xabcd, initialTsn: 5 });
  assert.deepEqual(peer.events, ["up", "blocked", "restarted", "sendFailed", "writable"]);
});

Deno.test("SctpStack acknowledges a repeated cookie, even a stale one, without a second association", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, cookieLifeMs: 1000 });
  const { cookie } = peer.initAck();
  for (let i = 0; i < 3; i++) {
    const answers = peer.send(peer.serverTag, [cookieEchoChunk(cookie!)]);
    assert.ok(answers.some(({ chunks }) => chunks.some(({ type }) => type === ChunkType.cookieAck)));
    peer.wait(800);
  }
  assert.equal(peer.server.of(1, "up").length, 1);
});

Deno.test("SctpStack makes one association of two INITs that cross", () => {
  for (const delay of [0, 3, 7, 11, 16]) {
    const world = new World(1);
    const a = world.host(["10.1.0.1"]), b = world.host(["10.1.0.2"]);
    a.open(1, { port: 5000, listen: true });
    b.open(1, { port: 5000, listen: true });
    a.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: 5000 });
    world.pass(delay);
    b.execute(1, { type: "connect", request: 2, addresses: ["10.1.0.1"], port: 5000 });
    world.pass(3000);
    for (const host of [a, b]) {
      assert.equal(host.of(1, "up").length, 1, `delay ${delay}`);
      const { association } = host.of(1, "up")[0]!;
      host.execute(1, { type: "send", association, data: message(4, 100), ppid: 0 });
    }
    world.pass(1000);
    assert.equal(a.of(1, "message").length, 1);
    assert.equal(b.of(1, "message").length, 1);
  }
});

Deno.test("connect to a peer that there is an association with fails without harming it", () => {
  const { world, client, server, a } = connectedPair();
  client.execute(1, { type: "connect", request: 8, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(1000);
  assert.equal(client.of(1, "down")[0]?.request, 8);
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.pass(100);
  assert.equal(server.of(1, "message").length, 1);
});

// ------------------------------------------------------------------------------------------------------ loss, silence

Deno.test("SctpStack sets up an association although any one packet of the handshake is lost", () => {
  for (const type of [ChunkType.init, ChunkType.initAck, ChunkType.cookieEcho, ChunkType.cookieAck]) {
    const world = new World(1);
    const client = world.host(["10.1.0.1"], false), server = world.host(["10.1.0.2"], false);
    client.open(1, { port: CLIENT_PORT });
    server.open(1, { port: SERVER_PORT, listen: true });
    let lost = 0;
    world.filter = (packet) => packet[12] !== type || lost++ > 0;
    client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
    world.pass(5000);
    assert.equal(client.of(1, "up").length, 1, `type ${type}`);
    assert.equal(server.of(1, "up").length, 1);
  }
});

Deno.test("connect times out after the last INIT", () => {
  const world = new World(1);
  const client = world.host(["10.1.0.1"], false);
  client.open(1, {
    port: CLIENT_PORT,
    maxInitRetransmissions: 2,
    rto: { initialMs: 100, minMs: 100, maxMs: 200 },
  });
  client.record = true;
  client.execute(1, { type: "connect", request: 3, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(499);
  assert.equal(client.of(1, "down").length, 0);
  world.pass(2);
  assert.deepEqual(client.of(1, "down").map(({ request, reason }) => [request, reason]), [[3, "timeout"]]);
  assert.equal(client.sent.length, 3);
});

Deno.test("SctpStack ends an attempt whose INIT ACK is unacceptable", () => {
  for (const change of [{ outboundStreams: 0 }, { receiveWindow: 10 }, { cookie: undefined }]) {
    const world = new World(1);
    const client = world.host(["10.1.0.1"]);
    client.open(1, { port: CLIENT_PORT });
    client.record = true;
    client.execute(1, { type: "connect", request: 3, addresses: ["10.1.0.2"], port: SERVER_PORT });
    world.flush();
    const init = readInit(readPacket(client.sent[0]!.packet).chunks[0]!.octets);
    const initAck = writeInit(ChunkType.initAck, { ...INIT, cookie: new Uint8Array(40), ...change });
    world.inject(client, makePacket(SERVER_PORT, CLIENT_PORT, init.initiateTag, [initAck]), {
      source: "10.1.0.2",
      destination: "10.1.0.1",
      udpPort: 0,
    });
    assert.equal(client.of(1, "down")[0]?.reason, "refused");
    const answer = readPacket(client.sent.at(-1)!.packet);
    assert.deepEqual([answer.tag, answer.chunks[0]?.type], [INIT.initiateTag, ChunkType.abort]);
  }
});

Deno.test("SctpStack ends an attempt whose INIT ACK has no tag, and says nothing", () => {
  const world = new World(1);
  const client = world.host(["10.1.0.1"]);
  client.open(1, { port: CLIENT_PORT });
  client.record = true;
  client.execute(1, { type: "connect", request: 3, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.flush();
  const init = readInit(readPacket(client.sent[0]!.packet).chunks[0]!.octets);
  const initAck = writeInit(ChunkType.initAck, { ...INIT, initiateTag: 0, cookie: new Uint8Array(40) });
  const meta = { source: "10.1.0.2", destination: "10.1.0.1", udpPort: 0 };
  world.inject(client, makePacket(SERVER_PORT, CLIENT_PORT, init.initiateTag, [initAck]), meta);
  assert.equal(client.of(1, "down")[0]?.reason, "refused");
  assert.equal(client.sent.length, 1);
});

Deno.test("readCauses() gives the text of a cause", () => {
  const cause = textCause(12, "bye");
  assert.deepEqual(readCauses(makeAbort(0, cause)), [cause]);
  assert.deepEqual(types([readPacket(makePacket(1, 2, 3, [makeAbort(0, cause)]))]), [[6]]);
});

Deno.test("SctpStack is deaf at addresses that its endpoint is not bound to", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, addresses: ["10.1.0.2"] }, [
    "10.1.0.2",
    "10.2.0.2",
  ]);
  const init = writeInit(ChunkType.init, INIT);
  assert.deepEqual(peer.send(0, [init], { ...peer.meta, destination: "10.2.0.2" }), []);
  assert.deepEqual(
    peer.send(9, [dataChunk(1, message(1, 4))], { ...peer.meta, destination: "10.2.0.2" }),
    [],
  );
  assert.deepEqual(peer.initAck().addresses, ["10.1.0.2"]);
});

Deno.test("connect to the endpoint itself fails", () => {
  const world = new World(1);
  const host = world.host(["127.0.0.1", "10.1.0.1"]);
  host.open(1, { port: 5000, listen: true });
  for (const address of ["10.1.0.1", "127.0.0.1"]) {
    host.execute(1, { type: "connect", request: 1, addresses: [address], port: 5000 });
  }
  world.pass(1000);
  assert.deepEqual(host.events.get(1)?.map(({ type }) => type), ["down", "down"]);
});

Deno.test("two endpoints of one stack talk to each other", () => {
  const world = new World(1);
  const host = world.host(["127.0.0.1"]);
  host.open(1, { port: 5000, listen: true });
  host.open(2, { port: 5001 });
  host.execute(2, { type: "connect", request: 1, addresses: ["127.0.0.1"], port: 5000 });
  world.pass(100);
  const { association } = host.of(2, "up")[0]!;
  host.execute(2, { type: "send", association, data: message(3, 3000), ppid: 0 });
  world.pass(100);
  assert.equal(host.of(1, "message").length, 1);
  host.execute(2, { type: "shutdown", association });
  world.pass(1000);
  assert.equal(host.of(1, "down")[0]?.reason, "shutdown");
});
