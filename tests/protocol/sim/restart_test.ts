/** A peer that comes back with an empty memory, and endpoints that know each other by some of their addresses only. */
import assert from "node:assert/strict";
import type { AssociationId, TransportEvent } from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import type { SimulatedEndpoint, SimulatedHost } from "../../../protocol/sim/host.ts";
import { hmacSha256 } from "./mac.ts";

interface Noted {
  readonly endpoint: SimulatedEndpoint;
  readonly events: TransportEvent[];
}

function open(host: SimulatedHost, port: number, addresses?: readonly string[]): Noted {
  const events: TransportEvent[] = [];
  const where = addresses === undefined ? {} : { addresses };
  return { endpoint: host.open({ port, listen: true, ...where }, (some) => events.push(...some)), events };
}

function upIn(events: readonly TransportEvent[]): AssociationId {
  const up = events.find((event) => event.type === "up");
  assert.ok(up !== undefined, "an association came up");
  return up.association;
}

Deno.test("a client that crashes and comes back from the same port is served again", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const network = new SimulatedNetwork({ seed, mac: hmacSha256 });
    const segment = network.addSegment({ delayMs: 5, loss: seed % 2 === 0 ? 0.1 : 0 });
    const a = network.addHost([segment]), b = network.addHost([segment]);
    const server = open(b, 7000);
    const before = open(a, 8000);
    before.endpoint.execute({ type: "connect", request: 1, addresses: b.addresses, port: 7000 });
    assert.ok(network.runUntil(() => before.events.some(({ type }) => type === "up"), 30_000));

    a.crash();
    network.run(500);
    a.boot();
    const after = open(a, 8000);
    after.endpoint.execute({ type: "connect", request: 1, addresses: b.addresses, port: 7000 });
    assert.ok(
      network.runUntil(() => after.events.some(({ type }) => type === "up"), 120_000),
      `seed ${seed}`,
    );
    const data = Uint8Array.of(1, 2, 3);
    after.endpoint.execute({ type: "send", association: upIn(after.events), data, ppid: 5 });

    assert.ok(
      network.runUntil(() => server.events.some(({ type }) => type === "message"), 120_000),
      `seed ${seed}`,
    );
    const told = server.events.filter(({ type }) => type === "restarted" || type === "down" || type === "up");
    assert.ok(told.length >= 2, "the server is told that something happened");
  }
});

Deno.test("a peer that loses its memory in mid-transfer, with loss: the old data fails, the new comes whole and in order", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const network = new SimulatedNetwork({ seed, mac: hmacSha256 });
    const segments = [1, 2].map(() => network.addSegment({ delayMs: 10, jitterMs: 5, loss: 0.05 }));
    const a = network.addHost(segments), b = network.addHost(segments);
    const server = open(b, 7000), before = open(a, 8000);
    const connect = { type: "connect", request: 1, addresses: b.addresses, port: 7000 } as const;
    before.endpoint.execute(connect);
    assert.ok(network.runUntil(() => server.events.some(({ type }) => type === "up"), 60_000));
    const association = upIn(server.events);
    assert.ok(network.runUntil(() => before.events.some(({ type }) => type === "up"), 60_000));
    for (let i = 0; i < 50; i++) {
      const data = new Uint8Array(5000).fill(1);
      server.endpoint.execute({ type: "send", association, data, ppid: 1, context: i });
      before.endpoint.execute({ type: "send", association: upIn(before.events), data, ppid: 1 });
    }
    network.run(100);

    a.crash();
    network.run(200);
    a.boot();
    const after = open(a, 8000);
    after.endpoint.execute(connect);
    assert.ok(
      network.runUntil(() => server.events.some(({ type }) => type === "restarted"), 120_000),
      `seed ${seed}: the server hears of the restart`,
    );
    assert.ok(
      network.runUntil(() => after.events.some(({ type }) => type === "up"), 120_000),
      `seed ${seed}`,
    );
    const restartedAt = server.events.findIndex(({ type }) => type === "restarted");
    for (let i = 0; i < 50; i++) {
      const data = new Uint8Array(5000).fill(100 + i);
      server.endpoint.execute({ type: "send", association, data, ppid: 2 });
      after.endpoint.execute({ type: "send", association: upIn(after.events), data, ppid: 2 });
    }
    network.run(300_000);

    const wanted = Array.from({ length: 50 }, (_, i) => `2 ${100 + i} 5000`);
    for (const events of [after.events, server.events.slice(restartedAt)]) {
      const said = events.flatMap((event) =>
        event.type === "message" ? [`${event.ppid} ${event.data[0]} ${event.data.length}`] : []
      );
      assert.deepEqual(said, wanted, `seed ${seed}`);
    }
    const failed = server.events.filter(({ type }) => type === "sendFailed").length;
    const delivered = before.events.filter(({ type }) => type === "message").length;
    assert.ok(failed > 0 && failed + delivered >= 50, `seed ${seed}: every old message is accounted for`);
    assert.equal(server.events.filter(({ type }) => type === "down").length, 0, `seed ${seed}`);
  }
});

Deno.test("an endpoint that is bound to one address uses and lists that one only", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segments = [network.addSegment(), network.addSegment()];
  const a = network.addHost(segments), b = network.addHost(segments);
  const server = open(b, 7000, ["10.1.0.2"]);
  const client = open(a, 8000, ["10.1.0.1", "10.2.0.1"]);
  const sources = new Set<string>();
  network.observe(({ source }) => sources.add(source));

  client.endpoint.execute({ type: "connect", request: 1, addresses: ["10.1.0.2"], port: 7000 });
  network.run(100_000);

  const up = client.events.find((event) => event.type === "up");
  const upThere = server.events.find((event) => event.type === "up");
  assert.deepEqual(up?.peerAddresses, ["10.1.0.2"]);
  assert.deepEqual([...upThere?.peerAddresses ?? []].sort(), ["10.1.0.1", "10.2.0.1"]);
  assert.ok(
    [...sources].every((source) => ["10.1.0.1", "10.2.0.1", "10.1.0.2"].includes(source)),
    [...sources].join(),
  );
});

Deno.test("an endpoint that is bound to one address does not send from another family's", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segment = network.addSegment();
  const a = network.addHost([segment]), b = network.addHost([segment]);
  open(b, 7000);
  const client = open(a, 8000, ["10.1.0.1"]);
  const sources = new Set<string>();
  network.observe(({ source, octets }) => {
    if ((octets[0]! << 8 | octets[1]!) === 8000) sources.add(source);
  });

  client.endpoint.execute({ type: "connect", request: 1, addresses: ["fd00:1::2", "10.1.0.2"], port: 7000 });
  network.run(10_000);

  assert.deepEqual([...sources], ["10.1.0.1"]);
  assert.equal(client.events[0]?.type, "up");
});

Deno.test("a client that knows one address of the server learns the others, and outlives the loss of that one", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segments = [network.addSegment({}, "v4"), network.addSegment({}, "v4")];
  const a = network.addHost(segments), b = network.addHost(segments);
  const server = open(b, 7000), client = open(a, 8000);
  client.endpoint.execute({ type: "connect", request: 1, addresses: ["10.1.0.2"], port: 7000 });
  network.run(5000);
  const association = upIn(client.events);

  segments[0]!.set({ up: false });
  for (let i = 0; i < 20; i++) {
    client.endpoint.execute({ type: "send", association, data: new Uint8Array(3000), ppid: 0 });
    network.run(1000);
  }
  network.run(60_000);
  segments[0]!.set({ up: true });
  network.run(120_000);

  assert.equal(server.events.filter(({ type }) => type === "message").length, 20);
  const changes = client.events.flatMap((event) =>
    event.type === "path" && event.address === "10.1.0.2" ? [event.change] : []
  );
  assert.deepEqual(changes.filter((change) => change !== "confirmed" && change !== "made-primary"), [
    "unreachable",
    "available",
  ]);
});

Deno.test("a server that is restarted answers old packets with ABORT: the client is told within a round trip", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segment = network.addSegment();
  const a = network.addHost([segment]), b = network.addHost([segment]);
  open(b, 7000);
  const client = open(a, 8000);
  client.endpoint.execute({ type: "connect", request: 1, addresses: b.addresses, port: 7000 });
  network.run(1000);
  b.crash();
  b.boot();
  open(b, 7000);

  client.endpoint.execute({
    type: "send",
    association: upIn(client.events),
    data: new Uint8Array(5),
    ppid: 0,
  });
  network.run(10);

  const down = client.events.at(-1);
  assert.ok(down?.type === "down");
  assert.deepEqual([down.reason, down.origin], ["aborted", "peer"]);
});

Deno.test("a server process that is killed is noticed by ICMP within a round trip over UDP", () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segment = network.addSegment();
  const a = network.addHost([segment]), b = network.addHost([segment]);
  open(b, 7000);
  const client = open(a, 8000);
  client.endpoint.execute({
    type: "connect",
    request: 1,
    addresses: b.addresses,
    port: 7000,
    encapsulationPort: 17_000,
  });
  network.run(1000);
  b.crash();
  b.boot();

  client.endpoint.execute({
    type: "send",
    association: upIn(client.events),
    data: new Uint8Array(5),
    ppid: 0,
  });
  network.run(10);

  assert.equal(client.events.at(-1)?.type, "down");
});
