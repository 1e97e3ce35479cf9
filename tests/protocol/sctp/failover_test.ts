import assert from "node:assert/strict";
import { ChunkType } from "../../../protocol/sctp/chunk.ts";
import { CLIENT_PORT, connectedPair, message, numberOf, SERVER_PORT, World } from "./harness.ts";

Deno.test("SctpStack confirms all paths by HEARTBEAT before it uses them", () => {
  const { client, server } = connectedPair({ networks: 4 });
  for (const host of [client, server]) {
    assert.equal(host.of(1, "path").filter(({ change }) => change === "confirmed").length, 3);
  }
});

Deno.test("SctpStack moves to another path when the primary one fails and back when it works again", () => {
  const options = {
    heartbeatIntervalMs: 300,
    pathMaxRetransmissions: 2,
    rto: { initialMs: 500, minMs: 250, maxMs: 2000 },
  };
  const { world, client, server, a } = connectedPair({ networks: 2, client: options, server: options });
  let number = 0;
  let lastAt = 0, longestGap = 0, count = 0;
  const second = (): void => {
    for (let i = 0; i < 10; i++) {
      client.execute(1, { type: "send", association: a, data: message(number++, 200), ppid: 0 });
      world.pass(100);
      const now = server.of(1, "message").length;
      if (now > count) {
        longestGap = Math.max(longestGap, world.now - lastAt);
        lastAt = world.now;
        count = now;
      }
    }
  };
  lastAt = world.now;
  second();
  world.down.add("10.1");
  for (let i = 0; i < 10; i++) second();
  assert.ok(longestGap < 1500, `the longest gap was ${longestGap} ms`);
  assert.deepEqual(
    client.of(1, "path").filter(({ change }) => change === "unreachable").map(({ address }) => address),
    [
      "10.1.0.2",
    ],
  );
  assert.equal(client.stack.status(a)?.paths[0]?.state, "inactive");
  world.down.delete("10.1");
  for (let i = 0; i < 3; i++) second();
  assert.equal(client.of(1, "path").at(-1)?.change, "available");
  assert.equal(client.stack.status(a)?.paths[0]?.state, "active");
  world.pass(5000);
  assert.deepEqual(server.of(1, "message").map(({ data }) => numberOf(data)), [...Array(number).keys()]);
});

Deno.test("SctpStack retransmits lost data on another path", () => {
  const { world, client, server, a } = connectedPair({ networks: 2 });
  client.record = true;
  world.down.add("10.1");
  client.execute(1, { type: "send", association: a, data: message(1, 100), ppid: 0 });
  world.pass(1500);
  assert.equal(server.of(1, "message").length, 1);
  const data = client.sent.filter(({ packet }) => packet[12] === 0).map(({ transmit }) =>
    transmit.destination
  );
  assert.deepEqual(data, ["10.1.0.2", "10.2.0.2"]);
});

Deno.test("SctpStack ends an association whose peer is gone from all paths", () => {
  const { world, client, a } = connectedPair({ networks: 2 });
  client.execute(1, { type: "send", association: a, data: message(1, 100), ppid: 0 });
  world.pass(500);
  world.down.add("10.1").add("10.2");
  client.execute(1, { type: "send", association: a, data: message(2, 100), ppid: 0 });
  world.pass(2_000_000);
  assert.equal(client.of(1, "down")[0]?.reason, "timeout");
  assert.deepEqual(client.of(1, "sendFailed").map(({ data, sent }) => [numberOf(data), sent]), [[2, true]]);
});

Deno.test("SctpStack notices the death of an idle peer by HEARTBEATs", () => {
  const { world, server } = connectedPair({ server: { heartbeatIntervalMs: 5000 } });
  world.down.add("10.1");
  world.pass(3_000_000);
  assert.equal(server.of(1, "down")[0]?.reason, "timeout");
});

Deno.test("setPrimary moves new data to another confirmed path", () => {
  const { world, client, a } = connectedPair({ networks: 2 });
  client.execute(1, { type: "setPrimary", association: a, address: "10.2.0.2" });
  client.execute(1, { type: "setPrimary", association: a, address: "10.9.0.2" });
  client.record = true;
  client.execute(1, { type: "send", association: a, data: message(1, 100), ppid: 0 });
  world.pass(10);
  assert.equal(client.sent.find(({ packet }) => packet[12] === 0)?.transmit.destination, "10.2.0.2");
  assert.deepEqual(client.of(1, "path").map(({ change }) => change), ["confirmed", "made-primary"]);
});

Deno.test("SctpStack survives an hour of link failures on four paths", () => {
  const options = {
    heartbeatIntervalMs: 1000,
    pathMaxRetransmissions: 2,
    rto: { initialMs: 500, minMs: 250, maxMs: 2000 },
  };
  const { world, client, server, a } = connectedPair({
    networks: 4,
    link: { loss: 0.02, jitterMs: 3 },
    client: { ...options, associationMaxRetransmissions: 40 },
    server: { ...options, associationMaxRetransmissions: 40 },
  });
  let number = 0;
  for (let minute = 0; minute < 60; minute++) {
    if (minute % 2 === 0) world.down.add(`10.${1 + minute / 2 % 4}`);
    else world.down.clear();
    for (let i = 0; i < 20; i++) {
      client.execute(1, { type: "send", association: a, data: message(number++, 500), ppid: 0 });
      world.pass(3000);
    }
  }
  world.pass(60_000);
  assert.deepEqual(server.of(1, "message").map(({ data }) => numberOf(data)), [...Array(number).keys()]);
});

Deno.test("SctpStack lowers the path MTU when ICMP says so, for quoted packets with the right tag only", () => {
  const { world, client, server, a } = connectedPair();
  client.record = true;
  client.execute(1, { type: "send", association: a, data: message(1, 5000), ppid: 0 });
  world.pass(100);
  const { packet } = client.sent.find((sent) => sent.packet[12] === 0)!;
  const error = { destination: "10.1.0.2", udpPort: 0, kind: "too-big", mtu: 1000, localPort: 0 } as const;
  const forged = packet.slice(0, 8);
  forged[4]! ^= 1;
  client.stack.receiveError({ ...error, packet: forged }, world.now);
  assert.equal(client.stack.status(a)?.paths[0]?.mtu, 1500);
  client.stack.receiveError({ ...error, packet: packet.slice(0, 8) }, world.now);
  assert.equal(client.stack.status(a)?.paths[0]?.mtu, 1000);
  client.stack.receiveError({ ...error, mtu: 1, packet: packet.slice(0, 8) }, world.now);
  assert.equal(client.stack.status(a)?.paths[0]?.mtu, 576);
  client.sent.length = 0;
  client.execute(1, { type: "send", association: a, data: message(2, 5000), ppid: 0 });
  world.pass(1000);
  assert.ok(client.sent.every((sent) => sent.packet.length <= 556));
  assert.equal(server.of(1, "message").length, 2);
});

Deno.test("SctpStack ends an association when ICMP says that the peer's port is gone", () => {
  const { world, client, a } = connectedPair({ raw: false });
  client.record = true;
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.flush();
  const { packet, transmit } = client.sent[0]!;
  const error = {
    destination: "10.1.0.2",
    udpPort: transmit.udpPort,
    kind: "port-unreachable",
    mtu: undefined,
    localPort: 0,
  } as const;
  const forged = packet.slice(0, 12);
  forged[7]! ^= 1;
  client.stack.receiveError({ ...error, packet: forged }, world.now);
  client.collect();
  assert.equal(client.of(1, "down").length, 0);
  client.stack.receiveError({ ...error, packet }, world.now);
  client.collect();
  assert.equal(client.of(1, "down")[0]?.reason, "refused");
});

Deno.test("SctpStack goes back to a path when an acknowledgement that was only late comes on it (RFC 7829 §3.2, 10)", () => {
  const { world, client, a } = connectedPair({
    networks: 2,
    client: { rto: { initialMs: 200, minMs: 200, maxMs: 1000 } },
  });
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) {
      client.execute(1, { type: "send", association: a, data: message(i, 1400), ppid: 0 });
    }
  };
  send(200); // opens the congestion window further than that of the second path
  world.pass(2000);
  let delayMs = 199; // with the way there it is a little more than the RTO
  world.link = (from, to) =>
    from === "10.1.0.2" && to === "10.1.0.1" ? { ...world.defaults, delayMs } : world.defaults;
  send(5); // four of which the second path takes at once when they are lost
  world.pass(6);
  delayMs = 5;
  world.down.add("10.1");
  world.pass(205);
  assert.equal(client.stack.counters.retransmissionTimeouts, 1);
  assert.equal(client.stack.status(a)?.queuedOctets, 0, "the late acknowledgement covers all");
  client.record = true;
  send(1);
  world.pass(1);
  const destinations = client.sent.map(({ transmit }) => transmit.destination);
  assert.deepEqual(destinations, ["10.1.0.2"]);
});

Deno.test("SctpStack resends on another address of the same family first, since one of each often share a link", () => {
  const world = new World(1);
  const client = world.host(["10.1.0.1", "fd01::1", "10.2.0.1", "fd02::1"]);
  const server = world.host(["10.1.0.2", "fd01::2", "10.2.0.2", "fd02::2"]);
  client.open(1, { port: CLIENT_PORT });
  server.open(1, { port: SERVER_PORT, listen: true });
  client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(200);
  const association = client.of(1, "up")[0]!.association;
  assert.deepEqual(
    client.stack.status(association)?.paths.map(({ state }) => state),
    Array(4).fill("active"),
  );
  world.down.add("10.1").add("fd01");
  client.record = true;
  client.execute(1, { type: "send", association, data: message(1, 100), ppid: 0 });
  world.pass(1100);
  const data = client.sent.filter(({ packet }) => packet[12] === 0);
  assert.deepEqual(data.map(({ transmit }) => transmit.destination), ["10.1.0.2", "10.2.0.2"]);
  assert.equal(server.of(1, "message").length, 1);
});

Deno.test("SctpStack tells the round trip of a HEARTBEAT that was asked for, and of no other", () => {
  const { world, client, a } = connectedPair({ networks: 2, client: { heartbeatIntervalMs: 1000 } });
  world.pass(20_000);
  assert.equal(client.of(1, "heartbeatAck").length, 0);

  client.execute(1, { type: "heartbeat", association: a, address: "10.2.0.2" });
  client.execute(1, { type: "heartbeat", association: a });
  world.pass(100);

  const answers = client.of(1, "heartbeatAck").map(({ address, roundTripMs }) => ({ address, roundTripMs }));
  assert.deepEqual(answers.sort((one, other) => one.address.localeCompare(other.address)), [
    { address: "10.1.0.2", roundTripMs: 10 },
    { address: "10.2.0.2", roundTripMs: 10 },
  ]);
});

Deno.test("an association comes up by the peer's other address when the first network fails in the handshake", () => {
  for (const dies of [ChunkType.cookieEcho, ChunkType.cookieAck]) {
    const world = new World(1);
    const client = world.host(["10.1.0.1", "10.2.0.1"]), server = world.host(["10.1.0.2", "10.2.0.2"]);
    client.open(1, { port: CLIENT_PORT });
    server.open(1, { port: SERVER_PORT, listen: true });
    world.filter = (packet, { destination }) => {
      if (packet[12] === dies) world.down.add("10.1");
      return !world.down.has(destination.slice(0, 4));
    };
    client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
    world.pass(2000);
    const [up] = client.of(1, "up");
    assert.ok(up !== undefined, `without the first ${dies}`);
    client.execute(1, { type: "send", association: up.association, data: message(1, 100), ppid: 0 });
    world.pass(20_000);
    assert.equal(server.of(1, "message").length, 1, `without the first ${dies}`);
  }
});
