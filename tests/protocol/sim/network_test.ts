import assert from "node:assert/strict";
import type { TransportEvent } from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import { PcapRecorder } from "../../../protocol/sim/pcap.ts";
import type { SimulatedPacket } from "../../../protocol/sim/packet.ts";
import { chunk, packet as sctpPacket } from "../../rfc/bench.ts";
import { hmacSha256 } from "./mac.ts";

/** Two hosts on two segments, four paths. */
function world(seed: number = 1) {
  const network = new SimulatedNetwork({ seed, mac: hmacSha256 });
  const segments = [network.addSegment(), network.addSegment()];
  return { network, segments, a: network.addHost(segments), b: network.addHost(segments) };
}

/** A server on b that notes its events, and a client on a. */
function pair(seed: number = 1) {
  const { network, segments, a, b } = world(seed);
  const serverEvents: TransportEvent[] = [], clientEvents: TransportEvent[] = [];
  const server = b.open({ port: 7000, listen: true }, (events) => serverEvents.push(...events));
  const client = a.open({}, (events) => clientEvents.push(...events));
  client.execute({ type: "connect", request: 1, addresses: b.addresses, port: 7000 });
  return { network, segments, a, b, server, client, serverEvents, clientEvents };
}

Deno.test("SimulatedNetwork gives hosts addresses of both families on every segment", () => {
  const { a, b, network } = world();

  assert.deepEqual(a.addresses, ["10.1.0.1", "fd00:1::1", "10.2.0.1", "fd00:2::1"]);
  assert.equal(network.ownerOf("fd00:2::2"), b);
});

Deno.test("SimulatedHost carries an association and a message over four paths", () => {
  const { network, client, clientEvents, serverEvents } = pair();

  assert.ok(network.runUntil(() => serverEvents.some(({ type }) => type === "up"), 5000));
  assert.ok(network.runUntil(() => clientEvents.some(({ type }) => type === "up"), 5000));
  const up = clientEvents.find((event) => event.type === "up")!;
  const data = Uint8Array.from({ length: 5000 }, (_, i) => i);
  client.execute({ type: "send", association: up.association, data, ppid: 9 });
  assert.ok(network.runUntil(() => serverEvents.some(({ type }) => type === "message"), 5000));

  const message = serverEvents.find((event) => event.type === "message")!;
  assert.deepEqual(message.data, data);
  assert.equal(client.status(up.association)!.paths.length, 4);
  network.run(60_000);
  assert.ok(client.status(up.association)!.paths.every(({ state }) => state === "active"));
});

Deno.test("SimulatedHost sends each packet from its own address on the destination's segment", () => {
  const { network, a, b } = pair();
  const wrong: SimulatedPacket[] = [];
  network.observe((packet) => {
    const from = packet.source.replace(/\d+$/, ""), to = packet.destination.replace(/\d+$/, "");
    if (from !== to || (!a.has(packet.source) && !b.has(packet.source))) wrong.push(packet);
  });

  network.run(120_000);

  assert.deepEqual(wrong, []);
});

Deno.test("SimulatedNetwork answers a closed UDP port with ICMP, so that a connect is refused in milliseconds", () => {
  const { network, a, b } = world();
  const events: TransportEvent[] = [];
  const client = a.open({}, (some) => events.push(...some));

  client.execute({
    type: "connect",
    request: 3,
    addresses: b.addresses,
    port: 4444,
    encapsulationPort: 14_444,
  });
  network.run(100);

  const [down] = events;
  assert.ok(down?.type === "down");
  assert.equal(down.reason, "refused");
  assert.equal(down.request, 3);
});

Deno.test("SimulatedNetwork answers plain SCTP to a host without it with ICMP, and the client goes over to UDP", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segment = network.addSegment();
  const a = network.addHost([segment]), b = network.addHost([segment], { raw: false });
  const events: TransportEvent[] = [];
  b.open({ port: 7000, listen: true }, () => {});

  a.open({}, (some) => events.push(...some)).execute({
    type: "connect",
    request: 1,
    addresses: b.addresses,
    port: 7000,
  });
  network.run(100);

  assert.equal(events[0]?.type, "up");
});

Deno.test("SimulatedHost refuses a port in use and an address it does not have", () => {
  const { a } = world();
  a.open({ port: 7000 }, () => {});

  assert.throws(() => a.open({ port: 7000 }, () => {}), { code: "EADDRINUSE" });
  assert.throws(() => a.open({ port: 7001, addresses: ["10.9.9.9"] }, () => {}), { code: "EADDRNOTAVAIL" });
});

Deno.test("SimulatedHost that crashes is noticed by its peer, and can be booted", () => {
  const { network, b, client, clientEvents, serverEvents } = pair();
  network.run(1000);
  const up = clientEvents.find((event) => event.type === "up")!;

  b.crash();
  client.execute({ type: "send", association: up.association, data: new Uint8Array(10), ppid: 0 });
  assert.ok(network.runUntil(() => clientEvents.some(({ type }) => type === "down"), 3_600_000));
  b.boot();
  b.open({ port: 7000, listen: true }, (events) => serverEvents.push(...events));
  client.execute({ type: "connect", request: 2, addresses: b.addresses, port: 7000 });
  network.run(5000);

  assert.equal(clientEvents.filter(({ type }) => type === "up").length, 2);
});

Deno.test("SimulatedHost sends loopback packets to itself", () => {
  const { network, a } = world();
  const events: TransportEvent[] = [];
  a.open({ port: 7000, listen: true }, () => {});

  a.open({}, (some) => events.push(...some)).execute({
    type: "connect",
    request: 1,
    addresses: ["127.0.0.1"],
    port: 7000,
  });
  network.run(100);

  assert.equal(events[0]?.type, "up");
});

Deno.test("SimulatedNetwork: same seed, same trace; another seed, another one", () => {
  const digests = [1, 1, 2].map((seed) => {
    const { network, segments } = pair(seed);
    for (const segment of segments) segment.set({ loss: 0.1, jitterMs: 5 });
    network.run(60_000);
    return network.trace.digest();
  });

  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[2]);
});

Deno.test("SimulatedEndpoint.close() resolves, and leaves nothing behind", async () => {
  const { network, a, b, client, server } = pair();
  network.run(1000);

  const closing = Promise.all([client.close(), server.close()]);
  network.run(10_000);
  await closing;

  assert.equal(network.pending, 0);
  assert.equal(a.stack.nextTimeout(), undefined);
  assert.equal(b.endpoints.length, 0);
});

Deno.test("PcapRecorder writes the head of a pcapng file, then one record a packet", () => {
  const recorder = new PcapRecorder();
  const head = recorder.finish();
  const octets = sctpPacket(1, [chunk(11, 0, [])]);
  const base = { octets, udpSource: 0, udpDestination: 0 };

  recorder.record({ ...base, source: "10.1.0.1", destination: "10.1.0.2" }, 1500);
  recorder.record(
    { ...base, source: "fd00:1::1", destination: "fd00:1::2", udpSource: 1, udpDestination: 2 },
    1501,
  );

  const file = recorder.finish();
  assert.equal(file.length, head.length + 32 + 20 + 16 + 32 + 40 + 8 + 16);
  assert.equal(file.subarray(0, 4).toHex(), "0a0d0d0a");
});
