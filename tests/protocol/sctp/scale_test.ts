import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { MAX_ASSOCIATIONS, MAX_STATELESS_REPLIES } from "../../../protocol/sctp/limits.ts";
import { makePacket } from "../../../protocol/sctp/packet.ts";
import { SctpStack } from "../../../protocol/sctp/mod.ts";
import { fillAtRandom, mac } from "./harness.ts";
import { cookieEchoChunk, INIT, readPacket } from "./packets.ts";
import { Pipe } from "./pipe.ts";

Deno.test("SctpStack sets up and tears down 2000 associations and keeps nothing of them", () => {
  const pipe = new Pipe(1500);
  const [a, b] = pipe.ends;
  b.stack.open(1, { port: 3863, listen: true }, 0);
  let downs = 0;
  for (let i = 0; i < 2000; i++) {
    a.stack.open(i, { port: 20_000 + i }, pipe.now);
    a.stack.execute(i, { type: "connect", request: i, addresses: [b.address], port: 3863 }, pipe.now);
    pipe.flush();
    let association = 0;
    for (const { event } of a.stack.drain()) if (event.type === "up") association = event.association;
    b.stack.drain();
    a.stack.execute(i, { type: "shutdown", association }, pipe.now);
    a.stack.close(i, 100, pipe.now);
    pipe.flush();
    a.stack.tick(pipe.now);
    for (const { event } of a.stack.drain()) if (event.type === "down") downs++;
    assert.deepEqual(b.stack.drain().map(({ event }) => event.type), ["peerShutdown", "down"]);
  }
  assert.equal(downs, 2000);
  for (const { stack } of pipe.ends) {
    stack.tick(pipe.now + 1e6);
    stack.checkInvariants();
    assert.equal(stack.nextTimeout(), undefined);
  }
});

Deno.test("SctpStack.close() tells every peer, though there are more of them than packets may wait at once", () => {
  const pipe = new Pipe(1500);
  const [a, b] = pipe.ends;
  const peers = MAX_STATELESS_REPLIES + 50;
  b.stack.open(1, { port: 3863, listen: true }, 0);
  for (let i = 0; i < peers; i++) {
    a.stack.open(i, { port: 20_000 + i }, pipe.now);
    a.stack.execute(i, { type: "connect", request: i, addresses: [b.address], port: 3863 }, pipe.now);
    pipe.flush();
  }
  for (const { stack } of pipe.ends) stack.drain();

  b.stack.close(1, 0, pipe.now);
  for (let i = 0; i < 10; i++) {
    b.stack.tick(pipe.now);
    b.stack.checkInvariants();
    pipe.flush();
    pipe.now++;
  }

  const downs = a.stack.drain().filter(({ event }) => event.type === "down");
  assert.equal(downs.length, peers);
  const told = b.stack.drain().map(({ event }) => event.type);
  assert.equal(told.indexOf("closed"), peers, "behind the ends of all associations");
});

Deno.test("SctpStack takes MAX_ASSOCIATIONS associations and aborts the next", () => {
  const prng = new Prng(1);
  const stack = new SctpStack({
    random: (octets) => fillAtRandom(octets, prng),
    mac,
    raw: true,
    localAddresses: () => ["10.1.0.2"],
    route: () => undefined,
  });
  stack.open(1, { port: 3863, listen: true }, 0);
  const buffer = new Uint8Array(65_535);
  const transmit = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };
  const meta = { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 0 };
  const answer = (peer: number, tag: number, chunk: Uint8Array) => {
    meta.source = `10.1.${peer >> 14}.1`;
    stack.receive(makePacket(1 + (peer & 0x3fff), 3863, tag, [chunk]), meta, 0);
    assert.ok(stack.pollTransmit(buffer, transmit, 0));
    return readPacket(buffer.slice(0, transmit.length));
  };
  const init = writeInit(ChunkType.init, INIT);
  for (let peer = 0; peer < MAX_ASSOCIATIONS; peer++) {
    const initAck = readInit(answer(peer, 0, init).chunks[0]!.octets);
    answer(peer, initAck.initiateTag, cookieEchoChunk(initAck.cookie!));
    while (stack.pollTransmit(buffer, transmit, 0));
  }
  assert.equal(stack.counters.associationsUp, MAX_ASSOCIATIONS);
  assert.equal(answer(MAX_ASSOCIATIONS, 0, init).chunks[0]?.type, ChunkType.abort);
  assert.equal(answer(0, 0, init).chunks[0]?.type, ChunkType.initAck);
  stack.drain();
  const due = stack.nextTimeout();
  assert.ok(due !== undefined && due > 29_000);
});
