import assert from "node:assert/strict";
import { ChunkType, makeChunk } from "../../../protocol/sctp/chunk.ts";
import { readU32 } from "../../../protocol/sctp/packet.ts";
import { FakePeer, sackChunk } from "./packets.ts";
import { connectedPair, message } from "./harness.ts";

Deno.test("SctpStack delivers what is queued before it shuts down", () => {
  const { world, client, server, a } = connectedPair();
  for (let i = 0; i < 200; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 900), ppid: 0 });
  }
  client.execute(1, { type: "shutdown", association: a });
  client.execute(1, { type: "send", association: a, data: message(999, 9), ppid: 0 });
  world.pass(5000);
  assert.equal(server.of(1, "message").length, 200);
  assert.equal(client.of(1, "sendFailed").length, 1);
  assert.equal(server.of(1, "peerShutdown").length, 1);
  assert.deepEqual([client, server].map((host) => host.of(1, "down")[0]?.reason), ["shutdown", "shutdown"]);
  assert.equal(client.events.get(1)?.at(-1)?.type, "down");
});

Deno.test("SctpStack finishes the other side's data when it is asked to shut down", () => {
  const { world, client, server, a, b } = connectedPair();
  for (let i = 0; i < 300; i++) {
    server.execute(1, { type: "send", association: b, data: message(i, 900), ppid: 0 });
  }
  client.execute(1, { type: "shutdown", association: a });
  world.pass(10_000);
  assert.equal(client.of(1, "message").length, 300);
  assert.equal(server.of(1, "down")[0]?.reason, "shutdown");
});

Deno.test("SctpStack shuts down when both sides ask at once", () => {
  const { world, client, server, a, b } = connectedPair();
  client.execute(1, { type: "shutdown", association: a });
  server.execute(1, { type: "shutdown", association: b });
  world.pass(5000);
  assert.deepEqual([client, server].map((host) => host.of(1, "down")[0]?.reason), ["shutdown", "shutdown"]);
});

for (const type of [7, 8, 14]) {
  Deno.test(`SctpStack shuts down although a chunk of type ${type} is lost`, () => {
    for (let lost = 1; lost <= 2; lost++) {
      const { world, client, server, a } = connectedPair();
      let seen = 0;
      world.filter = (packet) => packet[12] !== type || ++seen > lost;
      client.execute(1, { type: "send", association: a, data: message(1, 9), ppid: 0 });
      client.execute(1, { type: "shutdown", association: a });
      world.pass(30_000);
      assert.deepEqual([client, server].map((host) => host.of(1, "down")[0]?.reason), [
        "shutdown",
        "shutdown",
      ]);
    }
  });
}

Deno.test("SctpStack gives a shutdown up when the peer is gone", () => {
  const { world, client, a } = connectedPair();
  world.down.add("10.1");
  client.execute(1, { type: "shutdown", association: a });
  world.pass(1_000_000);
  assert.equal(client.of(1, "down")[0]?.reason, "timeout");
});

Deno.test("SctpStack aborts a shutdown that takes longer than T5", () => {
  const { world, client, server, a, b } = connectedPair({
    client: { rto: { initialMs: 1000, minMs: 1000, maxMs: 2000 } },
  });
  // The peer acknowledges, so that no error counts, but goes on sending for ever.
  world.filter = (packet) => packet[12] !== 8;
  client.execute(1, { type: "shutdown", association: a });
  for (let i = 0; i < 60 && client.of(1, "down").length === 0; i++) {
    server.execute(1, { type: "send", association: b, data: message(i, 9), ppid: 0 });
    world.pass(500);
  }
  assert.equal(client.of(1, "down")[0]?.reason, "timeout");
  assert.equal(client.of(1, "down")[0]?.cause?.code, 12);
});

Deno.test("SctpStack carries the reason of an ABORT to the peer", () => {
  const { world, client, server, a } = connectedPair();
  client.execute(1, { type: "send", association: a, data: message(1, 9), ppid: 77 });
  client.execute(1, { type: "abort", association: a, reason: "enough" });
  world.pass(100);
  const down = server.of(1, "down")[0];
  assert.equal(down?.reason, "aborted");
  assert.equal(down?.origin, "peer");
  assert.equal(down?.cause?.code, 12);
  assert.equal(new TextDecoder().decode(down?.cause?.info), "enough");
  assert.equal(client.of(1, "down")[0]?.origin, "local");
  assert.deepEqual(client.of(1, "sendFailed").map((event) => [event.ppid, event.sent]), [[77, false]]);
});

Deno.test("SctpStack shuts an idle association down after autoCloseMs", () => {
  const { world, client, server, a } = connectedPair({ client: { autoCloseMs: 5000 } });
  for (let i = 0; i < 4; i++) {
    world.pass(4000);
    client.execute(1, { type: "send", association: a, data: message(i, 9), ppid: 0 });
  }
  world.pass(4900);
  assert.equal(client.of(1, "down").length, 0);
  world.pass(1000);
  assert.equal(client.of(1, "down")[0]?.reason, "shutdown");
  assert.equal(server.of(1, "message").length, 4);
});

Deno.test("close() shuts all associations down and says closed last", () => {
  const { world, client, server } = connectedPair();
  server.close(1, 2000);
  world.pass(500);
  assert.equal(server.of(1, "down")[0]?.reason, "shutdown");
  assert.equal(client.of(1, "down")[0]?.reason, "shutdown");
  assert.equal(server.events.get(1)?.at(-1)?.type, "closed");
  assert.equal(server.stack.nextTimeout(), undefined);
});

Deno.test("close() aborts after the linger time what does not shut down", () => {
  const { world, client, server, a } = connectedPair();
  world.filter = (packet) => packet[12] !== 7;
  client.record = true;
  client.execute(1, { type: "send", association: a, data: message(1, 9), ppid: 0 });
  client.close(1, 2000);
  world.pass(1900);
  assert.equal(client.of(1, "closed").length, 0);
  world.pass(300);
  assert.equal(client.of(1, "down")[0]?.reason, "aborted");
  assert.equal(client.events.get(1)?.at(-1)?.type, "closed");
  assert.equal(client.sent.at(-1)?.packet[12], 6);
  assert.equal(server.of(1, "down")[0]?.reason, "aborted");
});

Deno.test("close() of an endpoint without associations closes at the next tick", () => {
  const { world, client, a } = connectedPair();
  client.execute(1, { type: "abort", association: a });
  world.pass(10);
  client.close(1);
  client.close(1);
  world.pass(10);
  assert.equal(client.of(1, "closed").length, 1);
});

Deno.test("a SHUTDOWN takes back nothing that gap ack blocks have acknowledged", () => {
  const peer = new FakePeer().connect();
  const association = peer.server.of(1, "up")[0]!.association;
  for (let i = 0; i < 3; i++) {
    peer.server.execute(1, { type: "send", association, data: message(i, 1000), ppid: 0 });
  }
  peer.wait(1);
  const before = peer.serverTsn - 1 >>> 0;
  peer.send(peer.serverTag, [sackChunk(before, 50_000, [[2, 3]])]);
  peer.send(peer.serverTag, [makeChunk(ChunkType.shutdown, 0, (w) => w.u32(before))]);
  const again = peer.wait(1500).flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.data);
  assert.deepEqual(again.map(({ octets }) => readU32(octets, 4)), [peer.serverTsn]);
});
