import assert from "node:assert/strict";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { MAX_SPENT_TAGS } from "../../../protocol/sctp/limits.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { SpentTags } from "../../../protocol/sctp/spent_tags.ts";
import { CLIENT_PORT, SERVER_PORT, World } from "./harness.ts";
import { cookieEchoChunk, FakePeer, INIT, readPacket } from "./packets.ts";

Deno.test("two INITs that cross make one association although each side knows another address of the other", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World(seed, { delayMs: 20, jitterMs: 15 });
    const one = world.host(["10.1.0.1", "10.2.0.1"]), other = world.host(["10.1.0.2", "10.2.0.2"]);
    one.open(1, { port: 9901, listen: true });
    other.open(1, { port: 9901, listen: true });
    one.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: 9901 });
    other.execute(1, { type: "connect", request: 2, addresses: ["10.2.0.1"], port: 9901 });
    world.pass(30_000);
    for (const host of [one, other]) {
      assert.equal(host.of(1, "up").length, 1, `seed ${seed}`);
      assert.equal(host.of(1, "down").length + host.of(1, "restarted").length, 0, `seed ${seed}`);
    }
    assert.equal(one.of(1, "up")[0]?.request, 1);
    assert.equal(other.of(1, "up")[0]?.request, 2);
  }
});

Deno.test("an INIT that lists the address of our attempt is answered there, so a stranger does not hear our tag", () => {
  const world = new World(1);
  const host = world.host(["10.1.0.1"]);
  host.open(1, { port: SERVER_PORT, listen: true });
  host.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: CLIENT_PORT });
  host.record = true;
  world.flush();
  const [sent] = host.sent.splice(0).map(({ packet }) => readPacket(packet));
  const ownTag = readInit(sent!.chunks[0]!.octets).initiateTag;
  const init = makePacket(CLIENT_PORT, SERVER_PORT, 0, [
    writeInit(ChunkType.init, { ...INIT, addresses: ["10.1.0.2"] }),
  ]);
  world.inject(host, init, { source: "10.1.0.66", destination: "10.1.0.1", udpPort: 0 });
  const answers = host.sent.map(({ packet, transmit }) => readPacket(packet, transmit.destination));
  assert.deepEqual(answers.map(({ destination }) => destination), ["10.1.0.2"]);
  assert.equal(readInit(answers[0]!.chunks[0]!.octets).initiateTag, ownTag);
});

Deno.test("a cookie does not make its association a second time", () => {
  const peer = new FakePeer();
  const { cookie } = peer.initAck();
  peer.send(peer.serverTag, [cookieEchoChunk(cookie!)]);
  peer.send(peer.serverTag, [makeChunk(ChunkType.abort, 0)]);
  assert.deepEqual(peer.events, ["up", "down"]);
  const [answer] = peer.send(peer.serverTag, [cookieEchoChunk(cookie!)]);
  assert.deepEqual([answer?.tag, answer?.chunks[0]?.type], [INIT.initiateTag, ChunkType.abort]);
  assert.deepEqual(peer.events, ["up", "down"]);
});

Deno.test("SpentTags forgets tags whose cookies are too old, and the oldest of too many", () => {
  const tags = new SpentTags();
  tags.add(1, 100, 0);
  tags.add(2, 200, 0);
  tags.add(3, 300, 150);
  assert.deepEqual([1, 2, 3].map((tag) => tags.has(tag)), [false, true, true]);
  for (let tag = 4; tag < 4 + MAX_SPENT_TAGS; tag++) tags.add(tag, 400, 160);
  assert.deepEqual([2, 3, 4].map((tag) => tags.has(tag)), [false, false, true]);
});

Deno.test("a HEARTBEAT is answered while the COOKIE ACK is missing", () => {
  const world = new World(1);
  const client = world.host(["10.1.0.1"]), server = world.host(["10.1.0.2"]);
  client.open(1, { port: CLIENT_PORT });
  server.open(1, { port: SERVER_PORT, listen: true, heartbeatIntervalMs: 0 });
  world.filter = (packet) => packet[12] !== ChunkType.cookieAck;
  client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(100);
  client.record = true;
  server.execute(1, { type: "heartbeat", association: server.of(1, "up")[0]!.association });
  world.pass(100);
  assert.deepEqual(client.of(1, "up"), []);
  assert.equal(client.sent.filter(({ packet }) => packet[12] === ChunkType.heartbeatAck).length, 1);
});
