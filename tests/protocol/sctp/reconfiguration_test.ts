/** Streams that are reset and added while messages flow, over links that lose, repeat and reorder packets. */
import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { connectedPair, message, numberOf } from "./harness.ts";
import type { Host, LinkOptions, Pair } from "./harness.ts";

/**
 * Looks at everything that a side was told, in order: SSNs count from 0 after each reset, message numbers of a stream
 * only grow, and each reset stands between the messages that its sender has put it between.
 */
function checkReceiver(receiver: Host, marks: ReadonlyMap<number, number[]>): number {
  const expected = new Map<number, number>(),
    last = new Map<number, number>(),
    resets = new Map<number, number[]>();
  let count = 0;
  for (const event of receiver.events.get(1)!) {
    if (event.type === "message") {
      const { stream, ssn, data } = event;
      assert.equal(ssn, expected.get(stream) ?? 0, `stream ${stream}`);
      expected.set(stream, ssn + 1 & 0xffff);
      const number = numberOf(data);
      assert.ok(number > (last.get(stream) ?? -1), `stream ${stream}: ${number} after ${last.get(stream)}`);
      last.set(stream, number);
      count++;
    } else if (
      event.type === "streamsReset" && event.direction === "incoming" && event.outcome === "performed"
    ) {
      for (const stream of event.streams) {
        expected.set(stream, 0);
        resets.set(stream, [...resets.get(stream) ?? [], last.get(stream) ?? -1]);
      }
    } else if (event.type === "associationReset" && event.outcome === "performed") {
      expected.clear();
    }
  }
  for (const [stream, numbers] of marks) {
    assert.deepEqual(resets.get(stream) ?? [], numbers, `resets of stream ${stream}`);
  }
  return count;
}

/** Random traffic with resets of one stream at a time, which the sender asks for. */
function exercise(seed: number, link: Partial<LinkOptions>): { pair: Pair; sent: number; received: number } {
  const pair = connectedPair({ seed, link, networks: seed % 2 + 1 });
  const { world, client, server } = pair;
  world.pass(5000);
  const a = client.of(1, "up")[0]!.association;
  const prng = new Prng(seed);
  const last = new Map<number, number>(), marks = new Map<number, number[]>();
  let sent = 0;
  for (let step = 0; step < 60; step++) {
    for (let i = prng.below(12); i > 0; i--) {
      const stream = prng.below(4);
      client.execute(1, {
        type: "send",
        association: a,
        data: message(sent, 1 + prng.below(4000)),
        ppid: 0,
        stream,
      });
      last.set(stream, sent++);
    }
    if (prng.chance(0.3)) {
      const stream = prng.below(4);
      client.execute(1, { type: "resetStreams", association: a, direction: "outgoing", streams: [stream] });
      marks.set(stream, [...marks.get(stream) ?? [], last.get(stream) ?? -1]);
    }
    world.pass(prng.below(300));
  }
  world.pass(600_000);
  const received = checkReceiver(server, marks);
  const answered = client.of(1, "streamsReset").filter(({ outcome }) => outcome === "performed").length;
  assert.equal(answered, [...marks.values()].reduce((sum, { length }) => sum + length, 0));
  return { pair, sent, received };
}

Deno.test("resetStreams keeps its place among the messages of its stream, whatever the network does", () => {
  const links: Partial<LinkOptions>[] = [
    {},
    { loss: 0.05 },
    { loss: 0.2, duplicate: 0.1 },
    { jitterMs: 80, duplicate: 0.2 },
    { loss: 0.1, jitterMs: 50, corrupt: 0.02 },
  ];
  for (const [index, link] of links.entries()) {
    for (let seed = 1; seed <= 4; seed++) {
      const { sent, received } = exercise(seed + 10 * index, link);
      assert.equal(received, sent);
    }
  }
});

Deno.test("both sides reset streams and the association at once and now and then, and no message is lost or mixed", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const link = seed % 3 === 0
      ? { loss: 0.15, duplicate: 0.1 }
      : seed % 3 === 1
      ? { jitterMs: 60 }
      : { loss: 0.03 };
    const { world, client, server } = connectedPair({ seed, link });
    world.pass(5000); // packets that are late have delayed the handshake
    const a = client.of(1, "up")[0]!.association, b = server.of(1, "up")[0]!.association;
    const prng = new Prng(seed);
    const sent = [0, 0];
    for (let step = 0; step < 40; step++) {
      for (const [side, [host, association]] of ([[client, a], [server, b]] as const).entries()) {
        for (let i = prng.below(8); i > 0; i--) {
          const data = message(sent[side]!++, 1 + prng.below(3000)), stream = prng.below(4);
          host.execute(1, { type: "send", association, data, ppid: 0, stream });
        }
        const choice = prng.below(10), streams = [prng.below(4)];
        if (choice === 0) host.execute(1, { type: "resetAssociation", association });
        if (choice === 1) host.execute(1, { type: "resetStreams", association, direction: "both", streams });
        if (choice === 2) {
          host.execute(1, { type: "resetStreams", association, direction: "incoming", streams });
        }
        if (choice === 3) host.execute(1, { type: "addStreams", association, outbound: 1, inbound: 1 });
      }
      world.pass(prng.chance(0.1) ? 31_000 : prng.below(400));
    }
    world.pass(900_000);
    assert.equal(checkReceiver(server, new Map()), sent[0], `seed ${seed}`);
    assert.equal(checkReceiver(client, new Map()), sent[1], `seed ${seed}`);
    const [status, other] = [client.stack.status(a)!, server.stack.status(b)!];
    assert.equal(status.outboundStreams, other.inboundStreams);
    assert.equal(status.inboundStreams, other.outboundStreams);
    assert.equal(status.queuedOctets + other.queuedOctets, 0);
  }
});

Deno.test("a shutdown waits for a reset that holds messages back, and they arrive", () => {
  const { world, client, server, a } = connectedPair({ seed: 5, link: { loss: 0.1 } });
  const send = (number: number): void =>
    client.execute(1, { type: "send", association: a, data: message(number, 5000), ppid: 0 });
  for (let i = 0; i < 20; i++) send(i);
  client.execute(1, { type: "resetStreams", association: a, direction: "outgoing", streams: [] });
  for (let i = 20; i < 40; i++) send(i);
  client.execute(1, { type: "shutdown", association: a });
  world.pass(300_000);
  assert.equal(server.of(1, "message").length, 40);
  assert.equal(server.of(1, "message")[20]!.ssn, 0);
  assert.equal(server.of(1, "down")[0]!.reason, "shutdown");
  assert.equal(client.of(1, "down")[0]!.reason, "shutdown");
});

Deno.test("messages behind a reset come back when the association ends", () => {
  const { world, client, a } = connectedPair();
  world.down.add("10.1");
  client.execute(1, { type: "resetStreams", association: a, direction: "outgoing", streams: [1] });
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0, stream: 1 });
  assert.equal(client.stack.status(a)!.queuedOctets, 10);
  client.execute(1, { type: "abort", association: a });
  world.pass(1);
  assert.deepEqual(client.of(1, "sendFailed").map(({ sent, stream }) => [sent, stream]), [[false, 1]]);
});

Deno.test("a request that nobody answers ends the association", () => {
  const { world, client, a } = connectedPair({
    client: { associationMaxRetransmissions: 3, heartbeatIntervalMs: 0 },
  });
  world.down.add("10.1");
  client.execute(1, { type: "addStreams", association: a, outbound: 1, inbound: 0 });
  world.pass(100_000);
  assert.equal(client.of(1, "down")[0]!.reason, "timeout");
});

Deno.test("a request for streams that is lost goes again when the peer has added some of its own accord meanwhile", () => {
  const { world, client, server, a, b } = connectedPair();
  const before = client.stack.status(a)!.inboundStreams;
  let lose = 2;
  world.filter = (packet, _transmit, sender) =>
    sender !== client || packet[12] !== ChunkType.reconfiguration || lose-- <= 0;
  client.execute(1, { type: "addStreams", association: a, outbound: 0, inbound: 1 });
  server.execute(1, { type: "addStreams", association: b, outbound: 1, inbound: 0 }); // looks like the answer
  world.pass(50);
  lose = 0;
  client.execute(1, { type: "resetStreams", association: a, direction: "outgoing", streams: [0] });
  world.pass(10_000);
  assert.deepEqual(client.of(1, "streamsReset").map(({ outcome }) => outcome), ["performed"]);
  assert.equal(client.stack.status(a)!.inboundStreams, before + 2);
  assert.equal(server.stack.status(b)!.outboundStreams, before + 2);
});

Deno.test("requests that are answered at once end the back-off of those that were lost", () => {
  const { world, client, a } = connectedPair({ client: { heartbeatIntervalMs: 0 } });
  const rtoMs = (): number => client.stack.status(a)!.paths[0]!.rtoMs;
  const add = (): void => client.execute(1, { type: "addStreams", association: a, outbound: 1, inbound: 0 });
  const calm = rtoMs();
  world.down.add("10.1");
  add();
  world.pass(4 * calm);
  world.down.clear();
  world.pass(8 * calm);
  assert.ok(rtoMs() > calm);
  add();
  world.pass(100);
  assert.equal(client.of(1, "streamsAdded").length, 2);
  assert.equal(rtoMs(), calm);
});
