import assert from "node:assert/strict";
import type { EndpointOptions } from "../../../protocol/net.ts";
import { OUTBOUND_OVERHEAD } from "../../../protocol/sctp/limits.ts";
import { connectedPair, message, numberOf } from "./harness.ts";
import type { LinkOptions, Pair } from "./harness.ts";
import { FakePeer, sackChunk } from "./packets.ts";
import { transfer } from "./pipe.ts";

/** Sends messages of many sizes both ways and waits until all have come or an hour has passed. */
function exchange(pair: Pair, count: number): void {
  const { world, client, server, a, b } = pair;
  for (let i = 0; i < count; i++) {
    const data = message(i, 4 + i * 97 % 5000);
    client.execute(1, {
      type: "send",
      association: a,
      data,
      ppid: 11,
      stream: i % 3,
      unordered: i % 5 === 4,
    });
    if (i % 2 === 0) {
      server.execute(1, { type: "send", association: b, data: message(i, i * 31 % 3000), ppid: 12 });
    }
    if (i % 40 === 0) world.pass(20);
  }
  const done = (): boolean =>
    server.of(1, "message").length >= count && client.of(1, "message").length >= Math.ceil(count / 2);
  for (let second = 0; second < 3600 && !done(); second++) world.pass(1000);
}

/** Everything came exactly once, and in order within its stream. */
function assertExactlyOnce(pair: Pair, count: number): void {
  const got = pair.server.of(1, "message");
  assert.deepEqual(got.map(({ data }) => numberOf(data)).toSorted((x, y) => x - y), [...Array(count).keys()]);
  for (const stream of [0, 1, 2]) {
    const numbers = got.filter((event) => event.stream === stream && !event.unordered).map(({ data }) =>
      numberOf(data)
    );
    assert.deepEqual(numbers, numbers.toSorted((x, y) => x - y));
  }
  assert.deepEqual(
    pair.client.of(1, "message").map(({ data }) => numberOf(data)),
    Array.from({ length: Math.ceil(count / 2) }, (_, i) => 2 * i),
  );
}

const PATIENT: EndpointOptions = {
  associationMaxRetransmissions: 50,
  pathMaxRetransmissions: 20,
  maxInitRetransmissions: 50,
  rto: { initialMs: 1000, minMs: 300, maxMs: 5000 },
};

const WEATHERS: { name: string; link: Partial<LinkOptions>; networks: number; options?: EndpointOptions }[] =
  [
    { name: "on a perfect link", link: {}, networks: 1 },
    { name: "with 2 % loss", link: { loss: 0.02 }, networks: 1 },
    { name: "with 10 % loss on two paths", link: { loss: 0.1 }, networks: 2 },
    { name: "with 30 % loss", link: { loss: 0.3 }, networks: 2 },
    { name: "with reordering and duplicates", link: { jitterMs: 30, duplicate: 0.1 }, networks: 1 },
    { name: "with corruption", link: { corrupt: 0.05 }, networks: 1 },
    { name: "into a tiny window", link: { loss: 0.02 }, networks: 1, options: { receiveBuffer: 3000 } },
    { name: "with a small MTU", link: { loss: 0.05, mtu: 576, jitterMs: 5 }, networks: 1 },
    { name: "with a huge MTU", link: { loss: 0.05, mtu: 65_535 }, networks: 1 },
  ];

for (const { name, link, networks, options } of WEATHERS) {
  Deno.test(`SctpStack delivers every message once and in order ${name}`, () => {
    for (const seed of [1, 2, 3]) {
      const pair = connectedPair({
        seed,
        link,
        networks,
        client: PATIENT,
        server: { ...PATIENT, ...options },
      });
      assert.ok(pair.a !== 0 && pair.b !== 0, "the association is up");
      exchange(pair, 120);
      assertExactlyOnce(pair, 120);
    }
  });
}

Deno.test("SctpStack does the same with the same seed", () => {
  const trace = (): string => {
    const pair = connectedPair({
      seed: 5,
      link: { loss: 0.1, jitterMs: 10, duplicate: 0.05 },
      client: PATIENT,
    });
    pair.client.record = pair.server.record = true;
    exchange(pair, 40);
    return [...pair.client.sent, ...pair.server.sent].map(({ packet }) => packet.toHex()).join("\n");
  };
  assert.equal(trace(), trace());
});

Deno.test("SctpStack gives ppid, stream, ssn and the first fragment's TSN with a message", () => {
  const { world, client, server, a } = connectedPair();
  for (let i = 0; i < 2; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 4000), ppid: 0xfffffffe, stream: 9 });
  }
  client.execute(1, {
    type: "send",
    association: a,
    data: message(2, 10),
    ppid: 3,
    stream: 9,
    unordered: true,
  });
  world.pass(500);
  const [first, second, third] = server.of(1, "message");
  assert.deepEqual([first?.ssn, second?.ssn, third?.ssn], [0, 1, 0]);
  assert.deepEqual([first?.ppid, third?.ppid], [0xfffffffe, 3]);
  assert.equal((second!.tsn - first!.tsn) >>> 0, 3);
  assert.equal(first?.stream, 9);
  assert.ok(third?.unordered);
});

Deno.test("SctpStack lets an unordered message overtake a gap", () => {
  const { world, client, server, a } = connectedPair();
  let drop = true;
  world.filter = (packet) => !(drop && packet[12] === 0);
  client.execute(1, { type: "send", association: a, data: message(1, 100), ppid: 0 });
  world.flush();
  drop = false;
  client.execute(1, { type: "send", association: a, data: message(2, 100), ppid: 0 });
  client.execute(1, { type: "send", association: a, data: message(3, 100), ppid: 0, unordered: true });
  client.execute(1, { type: "send", association: a, data: message(4, 100), ppid: 0, stream: 1 });
  world.pass(50);
  assert.deepEqual(server.of(1, "message").map(({ data }) => numberOf(data)), [3, 4]);
  world.pass(5000);
  assert.deepEqual(server.of(1, "message").map(({ data }) => numberOf(data)), [3, 4, 1, 2]);
});

Deno.test("SctpStack fills in a lost fragment in the middle of later messages", () => {
  const { world, client, server, a } = connectedPair();
  let seen = 0;
  world.filter = (packet) => packet[12] !== 0 || ++seen !== 2;
  for (let i = 0; i < 6; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 3500), ppid: 0, stream: i % 2 });
  }
  world.pass(3000);
  assert.equal(server.of(1, "message").length, 6);
  assert.ok(client.stack.counters.fastRetransmissions >= 1);
});

Deno.test("SctpStack sends full-size fragments although a SACK waits to be bundled", () => {
  // The trial stack hung here: the SACK went alone and nothing restarted the data.
  const { world, client, server, a, b } = connectedPair();
  for (let round = 0; round < 20; round++) {
    server.execute(1, { type: "send", association: b, data: message(round, 16_384), ppid: 0 });
    client.execute(1, { type: "send", association: a, data: message(round, 16_384), ppid: 0 });
    world.pass(round % 3);
  }
  world.pass(3000);
  assert.equal(server.of(1, "message").length, 20);
  assert.equal(client.of(1, "message").length, 20);
});

Deno.test("SctpStack wraps TSNs and stream sequence numbers", () => {
  const pair = connectedPair({ seed: 3 });
  for (let i = 0; i < 66_000; i += 500) {
    for (let k = 0; k < 500; k++) {
      pair.client.execute(1, { type: "send", association: pair.a, data: message(i + k, 4), ppid: 0 });
      pair.world.checking = k === 0;
    }
    pair.world.pass(100);
  }
  pair.world.pass(2000);
  const got = pair.server.of(1, "message");
  assert.equal(got.length, 66_000);
  assert.ok(got.every(({ data }, i) => numberOf(data) === i));
  assert.equal(got.at(-1)?.ssn, 65_999 & 0xffff);
});

Deno.test("SctpStack refuses what cannot be sent and says so", () => {
  const { client, world, a } = connectedPair({ client: { maxMessage: 1000, outboundStreams: 2 } });
  for (
    const command of [{ data: new Uint8Array(0) }, { data: new Uint8Array(1001) }, {
      data: new Uint8Array(1),
      stream: 2,
    }]
  ) {
    client.execute(1, { type: "send", association: a, ppid: 5, ...command });
  }
  world.flush();
  assert.deepEqual(client.of(1, "sendFailed").map((event) => [event.data.length, event.sent]), [
    [0, false],
    [1001, false],
    [1, false],
  ]);
});

Deno.test("SctpStack tells blocked above the send buffer and writable below half of it", () => {
  const { client, world, a } = connectedPair({ client: { sendBuffer: 10_000 } });
  for (let i = 0; i < 12; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1000), ppid: 0 });
  }
  world.flush();
  assert.equal(client.of(1, "blocked").length, 1);
  assert.equal(client.of(1, "writable").length, 0);
  world.pass(1000);
  assert.equal(client.of(1, "blocked").length, 1);
  assert.equal(client.of(1, "writable").length, 1);
});

Deno.test("SctpStack tells blocked by the cost of small messages, too", () => {
  const sendBuffer = 10_000, length = 10;
  const fits = Math.floor(2 * sendBuffer / (length + OUTBOUND_OVERHEAD));
  const { client, server, world, a, b } = connectedPair({
    client: { sendBuffer },
    server: { receiveBuffer: 1500, manualReceive: true },
  });
  const data = message(1, length);
  const send = () => client.execute(1, { type: "send", association: a, data, ppid: 0 });
  for (let i = 0; i < 3 * fits && client.of(1, "blocked").length === 0; i++) {
    send();
    client.collect();
    assert.ok(client.of(1, "blocked").length === (i < fits ? 0 : 1), `message ${i} of ${fits}`);
  }
  assert.equal(client.of(1, "blocked").length, 1);
  world.pass(1000);
  for (let i = 0; i < 20 && client.of(1, "writable").length === 0; i++) {
    server.execute(1, { type: "consumed", association: b, octets: 1500 });
    world.pass(1000);
  }
  assert.equal(client.of(1, "writable").length, 1);
  assert.equal(client.stack.status(a)!.queuedOctets, 0);
});

for (const mtu of [1500, 65_535]) {
  Deno.test(`SctpStack keeps what it was lent, whatever becomes of the sender's buffer, with an MTU of ${mtu}`, () => {
    const pair = connectedPair({ link: { loss: 0.1, mtu }, client: PATIENT, server: PATIENT });
    const buffer = new Uint8Array(20_000);
    const lengthOf = (i: number): number => 4 + i * 7919 % (buffer.length - 4);
    const count = 300;
    for (let i = 0; i < count; i++) { // buffers of what is acknowledged serve again meanwhile
      const octets = buffer.subarray(0, lengthOf(i)).fill(i), headLength = i % 3;
      const head = headLength === 0 ? undefined : octets.subarray(0, headLength);
      const data = octets.subarray(headLength);
      const parts = head === undefined ? { data } : { head, data };
      pair.client.execute(1, { type: "send", association: pair.a, ...parts, lent: true, ppid: 11 });
      buffer.fill(0xee);
      if (i % 20 === 0) pair.world.pass(500);
    }
    for (let second = 0; second < 3600 && pair.server.of(1, "message").length < count; second++) {
      pair.world.pass(1000);
    }
    const got = pair.server.of(1, "message");
    assert.deepEqual(
      got.map(({ data }) => data.length),
      Array.from({ length: count }, (_, i) => lengthOf(i)),
    );
    got.forEach(({ data }, i) => {
      assert.ok(data.every((octet) => octet === (i & 0xff)), `message ${i} is as it was sent`);
    });
  });
}

Deno.test("SctpStack gives what it was lent back to its user when that is not sent", () => {
  const { world, client, a } = connectedPair({});
  const buffer = Uint8Array.of(1, 2, 3);
  world.pass(1);
  client.execute(1, { type: "send", association: a, data: buffer, lent: true, ppid: 11, stream: 9999 });
  buffer.fill(0);
  world.pass(1000);
  assert.deepEqual(client.of(1, "sendFailed").map(({ data }) => [...data]), [[1, 2, 3]]);
});

Deno.test("SctpStack lends long messages out of their packets to a reader that keeps nothing", () => {
  for (const borrowedMessages of [false, true]) {
    const { world, client, server, a } = connectedPair({
      link: { mtu: 65_535 },
      server: { borrowedMessages },
    });
    for (const length of [100, 20_000, 150_000]) {
      client.execute(1, { type: "send", association: a, data: message(length, length), ppid: 11 });
    }
    world.pass(10_000);
    const got = server.of(1, "message").map(({ data }) => data);
    assert.deepEqual(got.map(numberOf), [100, 20_000, 150_000]);
    assert.deepEqual(got.map(({ length }) => length), [100, 20_000, 150_000]);
    const [, whole, assembled] = got;
    assert.equal(whole!.buffer.byteLength > 20_000, borrowedMessages, "it lies in its packet");
    assert.equal(assembled!.buffer.byteLength, 150_000, "what came in several packets lies in none");
  }
});

Deno.test("transfer() moves all octets through the pipe of the benchmark", () => {
  assert.equal(transfer(64, 2000, 1500), 128_000);
  assert.equal(transfer(16_384, 100, 65_535), 1_638_400);
});

Deno.test("T3 begins anew when the first outstanding chunk is fast retransmitted", () => {
  const peer = new FakePeer().connect();
  const association = peer.server.of(1, "up")[0]!.association;
  const send = (): void =>
    peer.server.execute(1, { type: "send", association, data: message(1, 100), ppid: 0 });
  for (let i = 0; i < 4; i++) {
    send();
    peer.wait(0);
  }
  peer.wait(900); // T3 runs for one second
  const before = peer.serverTsn - 1 >>> 0;
  for (let i = 2; i <= 4; i++) peer.send(peer.serverTag, [sackChunk(before, 50_000, [[2, i]])]);
  const { counters } = peer.server.stack;
  assert.equal(counters.fastRetransmissions, 1);
  peer.wait(900);
  assert.equal(counters.retransmissionTimeouts, 0);
  peer.wait(200);
  assert.equal(counters.retransmissionTimeouts, 1);
});
