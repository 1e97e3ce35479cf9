import assert from "node:assert/strict";
import { connectedPair, message } from "./harness.ts";
import { dataChunk, FakePeer, sackChunk } from "./packets.ts";

const TEN = new Uint8Array(10);

Deno.test("statistics() counts what was sent and received, as each side sees it", () => {
  const { world, client, server, a, b } = connectedPair();
  const before = client.stack.statistics(a)!;
  for (let i = 0; i < 5; i++) client.execute(1, { type: "send", association: a, data: TEN, ppid: 0 });
  client.execute(1, { type: "send", association: a, data: TEN, ppid: 0, unordered: true });
  world.pass(1000);
  const sender = client.stack.statistics(a)!, receiver = server.stack.statistics(b)!;
  assert.deepEqual([sender.orderedChunksSent, sender.unorderedChunksSent], [5, 1]);
  assert.deepEqual([receiver.orderedChunksReceived, receiver.unorderedChunksReceived], [5, 1]);
  assert.equal(sender.sacksReceived, receiver.sacksSent);
  assert.ok(receiver.sacksSent >= 1);
  assert.equal(sender.packetsSent, receiver.packetsReceived);
  assert.equal(receiver.packetsSent, sender.packetsReceived);
  assert.ok(sender.packetsSent > before.packetsSent);
  assert.equal(sender.controlChunksReceived, receiver.controlChunksSent);
  assert.equal(sender.retransmittedChunks, 0);
});

Deno.test("statistics() tells of losses: retransmissions, gaps, what came out of sequence and twice", () => {
  const { world, client, server, a, b } = connectedPair({ seed: 7, link: { loss: 0.1, duplicate: 0.1 } });
  for (let i = 0; i < 200; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1200), ppid: 0 });
  }
  world.pass(300_000);
  assert.equal(server.of(1, "message").length, 200);
  const sender = client.stack.statistics(a)!, receiver = server.stack.statistics(b)!;
  assert.ok(sender.retransmittedChunks > 0 && sender.gapAcksReceived > 0);
  assert.ok(receiver.outOfSequenceTsns > 0 && receiver.duplicateChunks > 0);
  assert.equal(sender.orderedChunksSent, 200);
  assert.equal(receiver.orderedChunksReceived, 200);
});

Deno.test("statistics() counts chunk by chunk", () => {
  const peer = new FakePeer().connect();
  const id = peer.server.of(1, "up")[0]!.association;
  peer.send(peer.serverTag, [dataChunk(1001, TEN)]); // behind a gap
  peer.send(peer.serverTag, [dataChunk(1001, TEN)]); // once more
  peer.send(peer.serverTag, [dataChunk(1000, TEN, { flags: 7 })]);
  peer.server.execute(1, { type: "send", association: id, data: TEN, ppid: 0 });
  peer.wait(1);
  peer.send(peer.serverTag, [sackChunk(peer.serverTsn, 100_000)]);
  const counted = peer.server.stack.statistics(id)!;
  assert.deepEqual([counted.outOfSequenceTsns, counted.duplicateChunks], [1, 1]);
  assert.deepEqual([counted.orderedChunksReceived, counted.unorderedChunksReceived], [1, 1]);
  assert.deepEqual([counted.orderedChunksSent, counted.sacksReceived], [1, 1]);
});

Deno.test("statistics() gives the longest RTO of each period and where it was seen", () => {
  const { world, client, a } = connectedPair({
    client: { rto: { initialMs: 500, minMs: 100, maxMs: 4000 } },
  });
  const first = client.stack.statistics(a)!;
  assert.deepEqual([first.maxRtoMs, first.maxRtoAddress], [500, "10.1.0.2"]);
  world.down.add("10.1");
  client.execute(1, { type: "send", association: a, data: TEN, ppid: 0 });
  world.pass(10_000);
  world.down.clear();
  const second = client.stack.statistics(a)!;
  assert.equal(second.maxRtoMs, 4000);
  world.pass(20_000);
  client.execute(1, { type: "send", association: a, data: TEN, ppid: 0 });
  world.pass(1000);
  client.stack.statistics(a);
  assert.ok(client.stack.statistics(a)!.maxRtoMs < 4000, "a new period has begun");
});

Deno.test("statistics() of an association that is gone is undefined, and of an attempt all zero", () => {
  const { client } = connectedPair();
  assert.equal(client.stack.statistics(999), undefined);
  client.execute(1, { type: "connect", request: 9, addresses: ["10.1.0.9"], port: 5 });
  const attempts = [1, 2, 3].map((id) => client.stack.statistics(id)).filter((counted) =>
    counted !== undefined && counted.packetsSent === 0
  );
  assert.equal(attempts.length, 1);
});

Deno.test("status() tells of tags, extensions, chunks under way and the state of the paths", () => {
  const { world, client, server, a, b } = connectedPair();
  world.down.add("10.1");
  client.execute(1, { type: "send", association: a, data: TEN, ppid: 0 });
  world.pass(100);
  const status = client.stack.status(a)!, other = server.stack.status(b)!;
  assert.equal(status.localTag, other.peerTag);
  assert.equal(status.peerTag, other.localTag);
  assert.deepEqual(status.extensions, other.extensions);
  assert.equal(status.unacknowledgedChunks, 1);
  assert.equal(status.pendingMessages, 0);
  assert.equal(status.fragmentationPoint, 1500 - 20 - 12 - 16);
  const [path] = status.paths;
  assert.deepEqual([path?.flightOctets, path?.errors, path?.ssthresh], [28, 0, 0xffff_ffff]);
  world.pass(2000);
  assert.equal(client.stack.status(a)!.paths[0]!.errors, 1);
});
