import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { readCauses } from "../../../protocol/sctp/causes.ts";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { putChecksum } from "../../../protocol/sctp/crc32c.ts";
import { readInit, writeInit } from "../../../protocol/sctp/init_chunk.ts";
import { MAX_CHUNKS_PER_PACKET, MAX_FLIGHT_CHUNKS } from "../../../protocol/sctp/limits.ts";
import { makePacket, readU32 } from "../../../protocol/sctp/packet.ts";
import { connectedPair, message, SERVER_PORT } from "./harness.ts";
import { dataChunk, FakePeer, INIT, sackChunk, types } from "./packets.ts";

const OCTETS = message(1, 8);

/** Cause codes of the ABORTs in packets. */
function abortCauses(packets: ReturnType<FakePeer["answers"]>): number[] {
  return packets.flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.abort)
    .flatMap(({ octets }) => readCauses(octets).map(({ code }) => code));
}

Deno.test("SctpStack aborts with No User Data when a DATA chunk is empty", () => {
  const peer = new FakePeer().connect();
  assert.deepEqual(abortCauses(peer.send(peer.serverTag, [dataChunk(1000, new Uint8Array(0))])), [9]);
});

Deno.test("SctpStack acknowledges DATA of a stream that does not exist, and reports it", () => {
  const peer = new FakePeer().connect({ outboundStreams: 2 });
  const packets = peer.send(peer.serverTag, [
    dataChunk(1000, OCTETS, { stream: 7 }),
    dataChunk(1001, OCTETS),
  ]);
  const chunks = packets.flatMap((packet) => packet.chunks);
  const error = chunks.find(({ type }) => type === ChunkType.error);
  assert.deepEqual(readCauses(error!.octets), [{ code: 1, info: Uint8Array.of(0, 7, 0, 0) }]);
  const sack = chunks.find(({ type }) => type === ChunkType.sack);
  assert.equal(readU32(sack!.octets, 4), 1001);
  assert.equal(peer.server.of(1, "message").length, 1);
});

const CONTRADICTIONS: { name: string; chunks: Uint8Array[] }[] = [
  { name: "a middle fragment without a first one", chunks: [dataChunk(1000, OCTETS, { flags: 0 })] },
  {
    name: "a second first fragment",
    chunks: [dataChunk(1000, OCTETS, { flags: 2 }), dataChunk(1001, OCTETS, { flags: 2 })],
  },
  {
    name: "fragments of two streams in one message",
    chunks: [dataChunk(1000, OCTETS, { flags: 2 }), dataChunk(1001, OCTETS, { flags: 1, stream: 1 })],
  },
  {
    name: "ordered and unordered fragments in one message",
    chunks: [dataChunk(1000, OCTETS, { flags: 2 }), dataChunk(1001, OCTETS, { flags: 5 })],
  },
  { name: "a skipped sequence number", chunks: [dataChunk(1000, OCTETS, { ssn: 1 })] },
  {
    name: "a repeated sequence number",
    chunks: [dataChunk(1000, OCTETS, { ssn: 0 }), dataChunk(1001, OCTETS, { ssn: 0 })],
  },
  {
    name: "a whole message within another one",
    chunks: [
      dataChunk(1000, OCTETS, { flags: 2 }),
      dataChunk(1002, OCTETS),
      dataChunk(1001, OCTETS, { flags: 0 }),
    ],
  },
];

for (const { name, chunks } of CONTRADICTIONS) {
  Deno.test(`SctpStack aborts an association for ${name}`, () => {
    const peer = new FakePeer().connect();
    assert.deepEqual(abortCauses(peer.send(peer.serverTag, chunks)), [13]);
    assert.equal(peer.server.of(1, "down")[0]?.origin, "local");
  });
}

Deno.test("SctpStack aborts an association whose peer acknowledges what was never sent", () => {
  for (const [cumulative, gaps] of [[0, []], [-1, [[2, 2]]], [5000, []]] as [number, [number, number][]][]) {
    const peer = new FakePeer().connect();
    assert.deepEqual(
      abortCauses(peer.send(peer.serverTag, [sackChunk(peer.serverTsn + cumulative, 10_000, gaps)])),
      [13],
    );
  }
  const peer = new FakePeer().connect();
  assert.deepEqual(peer.send(peer.serverTag, [sackChunk(peer.serverTsn - 100, 10_000)]), []);
  assert.equal(peer.server.of(1, "down").length, 0);
});

Deno.test("SctpStack takes gap ack blocks in any order and takes reneging calmly", () => {
  const peer = new FakePeer().connect();
  const association = peer.server.of(1, "up")[0]!.association;
  for (let i = 0; i < 3; i++) {
    peer.server.execute(1, { type: "send", association, data: message(i, 1000), ppid: 0 });
  }
  peer.wait(1);
  const before = peer.serverTsn - 1;
  for (const gaps of [[[3, 3], [2, 2]], [[2, 3], [1, 3]], [], [[2, 2]], [[0, 0], [3, 2]], [[2, 3]]]) {
    peer.send(peer.serverTag, [sackChunk(before, 50_000, gaps as [number, number][])]);
  }
  assert.equal(peer.server.of(1, "down").length, 0);
  const again = peer.wait(5000).flatMap(({ chunks }) => chunks).filter(({ type }) => type === 0);
  assert.ok(again.some(({ octets }) => readU32(octets, 4) === peer.serverTsn));
  peer.send(peer.serverTag, [sackChunk(before + 3, 50_000)]);
  assert.equal(peer.server.stack.status(association)?.queuedOctets, 0);
});

Deno.test("SctpStack keeps no more behind a gap than its buffer has room for", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, receiveBuffer: 10_000 }).connect();
  for (let i = 1; i <= 40; i++) {
    peer.send(peer.serverTag, [dataChunk(1000 + i, message(i, 1000), { ssn: i })]);
  }
  peer.send(peer.serverTag, [dataChunk(1000 + 40_000, OCTETS)]);
  assert.equal(peer.server.stack.counters.limited, 31);
  const [sack] = peer.send(peer.serverTag, [dataChunk(1000, message(0, 1000))]);
  assert.equal(readU32(sack!.chunks[0]!.octets, 4), 1010);
  assert.equal(peer.server.of(1, "message").length, 11);
});

Deno.test("SctpStack counts tiny chunks behind a gap for what they cost", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, receiveBuffer: 10_000 }).connect();
  peer.world.checking = false;
  for (let i = 1; i <= 1000; i++) {
    peer.send(peer.serverTag, [dataChunk(1000 + i, Uint8Array.of(1), { ssn: i })]);
  }
  peer.server.stack.checkInvariants();
  const kept = 1000 - peer.server.stack.counters.limited;
  assert.ok(kept < 320, `${kept} chunks were kept`);
});

Deno.test("SctpStack reports duplicates, a few of them", () => {
  const peer = new FakePeer().connect();
  peer.send(peer.serverTag, [dataChunk(1000, OCTETS)]);
  const copies = Array.from({ length: 60 }, () => dataChunk(1000, OCTETS));
  const [answer] = peer.send(peer.serverTag, copies);
  assert.deepEqual(types([answer!]), [[ChunkType.sack]]);
  assert.equal(readU32(answer!.chunks[0]!.octets, 12), 32);
  assert.equal(peer.server.of(1, "message").length, 1);
  assert.equal(peer.server.stack.counters.duplicateChunks, 60);
});

Deno.test("SctpStack follows the action bits of unknown chunks", () => {
  for (const [type, reported, readOn] of [[0x3f, 0, 0], [0x7f, 1, 0], [0xbf, 0, 1], [0xff, 1, 1]] as const) {
    const peer = new FakePeer().connect();
    const packets = peer.send(peer.serverTag, [makeChunk(type, 0, (w) => w.u32(7)), dataChunk(1000, OCTETS)]);
    const errors = packets.flatMap(({ chunks }) => chunks).filter((chunk) => chunk.type === ChunkType.error);
    assert.deepEqual(
      errors.flatMap(({ octets }) => readCauses(octets)),
      reported ? [{ code: 6, info: Uint8Array.of(type, 0, 0, 8, 0, 0, 0, 7) }] : [],
    );
    assert.equal(peer.server.of(1, "message").length, readOn);
  }
});

Deno.test("SctpStack sends only so many ERRORs in a second", () => {
  const peer = new FakePeer().connect();
  let errors = 0;
  for (let i = 0; i < 100; i++) errors += peer.send(peer.serverTag, [makeChunk(0xff, 0)]).length;
  assert.equal(errors, 10);
  peer.wait(1000);
  assert.equal(peer.send(peer.serverTag, [makeChunk(0xff, 0)]).length, 1);
});

Deno.test("SctpStack keeps a bounded number of answers when nobody fetches them", () => {
  const peer = new FakePeer().connect();
  const { stack } = peer.server;
  peer.world.checking = false;
  const packet = Uint8Array.from(peer.world.hosts[0]!.sent[0]!.packet);
  packet.set([0x4e, 0x21, 0x0f, 0x17, 0, 0, 0, 9]);
  putChecksum(new DataView(packet.buffer), 0, packet.length);
  packet[12] = ChunkType.shutdownAck;
  putChecksum(new DataView(packet.buffer), 0, packet.length);
  for (let i = 0; i < 1000; i++) stack.receive(packet, { ...peer.meta, source: "10.1.0.200" }, 0);
  assert.equal(stack.counters.limited, 1000 - 256);
  const heartbeat = makeChunk(ChunkType.heartbeat, 0, (w) => w.tlv(1, (info) => info.u32(1)));
  const many = peer.send(peer.serverTag, Array.from({ length: 200 }, () => heartbeat));
  const echoed = many.flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.heartbeatAck);
  assert.equal(echoed.length, 64);
});

Deno.test("SctpStack tells the user of a peer's ERROR", () => {
  const peer = new FakePeer().connect();
  peer.send(peer.serverTag, [Uint8Array.fromHex("0900000c000100080005" + "0000")]);
  assert.deepEqual(peer.server.of(1, "remoteError")[0]?.cause, { code: 1, info: Uint8Array.of(0, 5, 0, 0) });
});

Deno.test("SctpStack gives a peer that never ends a message up at maxMessage", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, maxMessage: 20_000 }).connect();
  let causes: number[] = [];
  for (let i = 0; i < 30 && causes.length === 0; i++) {
    causes = abortCauses(
      peer.send(peer.serverTag, [dataChunk(1000 + i, message(1, 1000), { flags: i === 0 ? 2 : 0 })]),
    );
  }
  assert.deepEqual(causes, [4]);
});

/** Changes some octets, the length, or the order of a packet; the checksum is right again afterwards. */
function mutate(packet: Uint8Array, prng: Prng): Uint8Array {
  let octets = packet.slice(
    0,
    prng.chance(0.2) ? Math.max(16, prng.below(packet.length + 1)) : packet.length,
  );
  if (prng.chance(0.2)) {
    const longer = new Uint8Array(octets.length + 4 * prng.below(20));
    longer.set(octets);
    octets = longer;
  }
  for (let changes = prng.below(4); changes > 0; changes--) {
    const at = prng.chance(0.5)
      ? 12 + prng.below(Math.min(32, octets.length - 12))
      : prng.below(octets.length);
    octets[at] = prng.chance(0.5) ? octets[at]! ^ 1 << prng.below(8) : prng.below(256);
  }
  if (prng.chance(0.9)) octets.set(packet.subarray(0, 8)); // ports and tag
  putChecksum(new DataView(octets.buffer), 0, octets.length);
  return octets;
}

Deno.test("SctpStack keeps its invariants when mutated packets come in mid-life", () => {
  let downs = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(seed);
    const pair = connectedPair({ seed, networks: 1 + seed % 2 });
    const { world, client, server, a, b } = pair;
    client.record = server.record = true;
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 3; i++) {
        client.execute(1, { type: "send", association: a, data: message(i, prng.below(4000)), ppid: 0 });
        server.execute(1, { type: "send", association: b, data: message(i, prng.below(4000)), ppid: 0 });
      }
      if (round === 10) client.execute(1, { type: "shutdown", association: a });
      world.pass(prng.below(30));
      for (const [from, to] of [[client, server], [server, client]] as const) {
        const sample = from.sent[prng.below(from.sent.length)];
        if (sample === undefined) continue;
        const { packet, transmit } = sample;
        world.inject(to, mutate(packet, prng), {
          source: prng.chance(0.9) ? from.addresses[0]! : "10.1.0.99",
          destination: transmit.destination,
          udpPort: transmit.udpPort,
        });
      }
    }
    world.pass(400_000);
    downs += client.of(1, "down").length + server.of(1, "down").length;
    for (const host of [client, server]) host.stack.checkInvariants();
  }
  assert.equal(downs, 120, "every association has ended, well or badly");
});

Deno.test("SctpStack survives random chunks from a peer that knows the tag", () => {
  const prng = new Prng(99);
  let packets = 0;
  for (let seed = 0; seed < 40; seed++) {
    const peer = new FakePeer({ port: SERVER_PORT, listen: true, receiveBuffer: 5000, maxMessage: 4000 });
    peer.connect({ initialTsn: 0xfffffff0 });
    const association = peer.server.of(1, "up")[0]!.association;
    for (let round = 0; round < 60; round++) {
      peer.server.execute(1, { type: "send", association, data: message(round, 700), ppid: 0 });
      const chunks = Array.from({ length: 1 + prng.below(4) }, () => {
        const kind = prng.below(10);
        const tsn = 0xfffffff0 + prng.below(40);
        if (kind < 5) {
          const flags = prng.below(16), stream = prng.below(3), ssn = prng.below(6);
          return dataChunk(tsn, message(1, 4 + prng.below(900)), {
            flags: flags | (prng.chance(0.7) ? 7 : 0),
            stream,
            ssn,
          });
        }
        if (kind < 8) {
          const from = 1 + prng.below(6);
          return sackChunk(peer.serverTsn + prng.below(12) - 6, prng.below(5000), [[
            from,
            from + prng.below(4),
          ]]);
        }
        return makeChunk(prng.below(256), prng.below(256), (w) => w.bytes(new Uint8Array(prng.below(40))));
      });
      peer.send(peer.serverTag, chunks);
      packets++;
      if (prng.chance(0.2)) peer.wait(prng.below(2000));
      if (peer.server.of(1, "down").length > 0) break;
    }
    peer.wait(100);
  }
  assert.ok(packets > 100);
});

Deno.test("SctpStack fits its chunks to a driver whose buffers are smaller than the path MTU", () => {
  const { world, client, server, a } = connectedPair({ link: { mtu: 65_535 } });
  client.execute(1, { type: "send", association: a, data: message(1, 50_000), ppid: 0 });
  const buffer = new Uint8Array(9000);
  const transmit = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };
  for (let i = 0; i < 20; i++) {
    while (client.stack.pollTransmit(buffer, transmit, world.now)) {
      const meta = { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 0 };
      server.stack.receive(buffer.slice(0, transmit.length), meta, world.now);
    }
    while (server.stack.pollTransmit(buffer, transmit, world.now)) {
      const meta = { source: "10.1.0.2", destination: "10.1.0.1", udpPort: 0 };
      client.stack.receive(buffer.slice(0, transmit.length), meta, world.now);
    }
  }
  server.collect();
  assert.equal(server.of(1, "message")[0]?.data.length, 50_000);
});

Deno.test("SctpStack drops a cookie that its driver's buffer cannot hold", () => {
  const peer = new FakePeer({ port: SERVER_PORT });
  const { server, world } = peer;
  server.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.1"], port: 20_001 });
  world.flush();
  const init = readInit(peer.answers()[0]!.chunks[0]!.octets);
  const initAck = writeInit(ChunkType.initAck, { ...INIT, cookie: new Uint8Array(8000) });
  const packet = makePacket(20_001, SERVER_PORT, init.initiateTag, [initAck]);
  server.stack.receive(packet, peer.meta, world.now);
  const transmit = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };
  assert.equal(server.stack.pollTransmit(new Uint8Array(1500), transmit, world.now), false);
  assert.equal(server.stack.counters.limited, 1);
});

Deno.test("SctpStack keeps at most MAX_FLIGHT_CHUNKS chunks in flight", () => {
  const peer = new FakePeer().connect({ receiveWindow: 0x7fff_ffff });
  const { server, world } = peer;
  world.checking = false;
  const association = server.of(1, "up")[0]!.association;
  for (let i = 0; i < 2 * MAX_FLIGHT_CHUNKS; i++) {
    server.execute(1, { type: "send", association, data: Uint8Array.of(1), ppid: 0 });
  }
  // All but the first chunk are acknowledged by gap blocks, so that cwnd never is what stops it.
  for (let i = 0; i < 3000; i++) {
    world.flush();
    const sent = server.stack.counters.dataChunksSent - server.stack.counters.retransmissions;
    if (sent >= MAX_FLIGHT_CHUNKS) break;
    peer.send(peer.serverTag, [sackChunk(peer.serverTsn - 1, 0x7fff_ffff, [[2, sent]])]);
  }
  const sent = server.stack.counters.dataChunksSent - server.stack.counters.retransmissions;
  assert.equal(sent, MAX_FLIGHT_CHUNKS);
  server.stack.checkInvariants();
  peer.send(peer.serverTag, [sackChunk(peer.serverTsn + sent - 1, 0x7fff_ffff)]);
  assert.ok(server.stack.counters.dataChunksSent > sent);
  server.stack.checkInvariants();
});

Deno.test("SctpStack reads at most so many chunks of one packet", () => {
  const peer = new FakePeer().connect();
  const empty = Array.from({ length: MAX_CHUNKS_PER_PACKET }, () => makeChunk(0x80, 0));
  peer.send(peer.serverTag, [...empty, dataChunk(1000, OCTETS)]);
  assert.equal(peer.server.of(1, "message").length, 0);
  peer.send(peer.serverTag, [...empty.slice(1), dataChunk(1000, OCTETS)]);
  assert.equal(peer.server.of(1, "message").length, 1);
});
