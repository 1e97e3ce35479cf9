import assert from "node:assert/strict";
import type { PacketError } from "../../../protocol/net.ts";
import { encapsulationPort } from "../../../protocol/sctp/mod.ts";
import { CLIENT_PORT, connectedPair, message, SERVER_PORT, World } from "./harness.ts";
import type { Host } from "./harness.ts";

Deno.test("encapsulationPort() is the port plus 10000, wrapping in 1–65535", () => {
  assert.deepEqual([3863, 9901, 1234, 55_535, 55_536, 65_535, 1].map(encapsulationPort), [
    13_863,
    19_901,
    11_234,
    65_535,
    1,
    10_000,
    10_001,
  ]);
});

function connecting(world: World, raw: boolean, addresses = ["10.1.0.2"]): Host {
  const client = world.host(["10.1.0.1"], raw);
  client.open(1, { port: CLIENT_PORT });
  client.record = true;
  client.execute(1, { type: "connect", request: 1, addresses, port: SERVER_PORT });
  return client;
}

const ports = (client: Host): number[] => client.sent.map(({ transmit }) => transmit.udpPort);

Deno.test("connect tries plain SCTP first and UDP 250 ms later, with the same tag and TSN", () => {
  const world = new World(1);
  const client = connecting(world, true, ["10.1.0.2", "10.1.0.3"]);
  world.pass(249);
  assert.deepEqual(ports(client), [0, 0]);
  world.pass(2);
  assert.deepEqual(ports(client), [0, 0, 13_863, 13_863]);
  world.pass(1000);
  assert.equal(client.sent.length, 8);
  assert.equal(new Set(client.sent.map(({ packet }) => packet.toHex())).size, 1);
});

Deno.test("connect uses UDP at once when this host has no raw sockets, and a given port only", () => {
  const world = new World(1);
  const client = connecting(world, false);
  world.pass(1);
  assert.deepEqual(ports(client), [13_863]);
  const other = world.host(["10.1.0.9"]);
  other.open(1, { port: CLIENT_PORT });
  other.record = true;
  const command = { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT } as const;
  other.execute(1, { ...command, encapsulationPort: 9899 });
  world.pass(400);
  assert.deepEqual(ports(other), [9899]);
});

Deno.test("connect goes on to UDP as soon as plain SCTP is refused", () => {
  const world = new World(1);
  const server = world.host(["10.1.0.2"], false);
  server.open(1, { port: SERVER_PORT, listen: true });
  const client = connecting(world, true);
  world.pass(45);
  assert.equal(client.of(1, "up").length, 1);
  const { association } = client.of(1, "up")[0]!;
  assert.equal(client.stack.status(association)?.paths[0]?.encapsulationPort, 13_863);
  assert.equal(server.of(1, "up").length, 1);
});

Deno.test("connect is refused when all candidates are", () => {
  const world = new World(1);
  world.host(["10.1.0.2"], false);
  const client = connecting(world, true);
  world.pass(25);
  assert.deepEqual(client.of(1, "down").map(({ reason, origin, request }) => [reason, origin, request]), [
    ["refused", "peer", 1],
  ]);
});

Deno.test("connect is refused when UDP is and plain SCTP stays silent for two tries", () => {
  const world = new World(1);
  world.host(["10.1.0.2"], false);
  world.filter = (_packet, transmit) => transmit.udpPort !== 0;
  const client = connecting(world, true);
  world.pass(2900);
  assert.equal(client.of(1, "down").length, 0);
  world.pass(200);
  assert.equal(client.of(1, "down")[0]?.reason, "refused");
});

Deno.test("connect to this very host is refused by the UDP port alone", () => {
  const world = new World(1);
  const host = world.host(["127.0.0.1", "10.1.0.1"]);
  host.open(1, { port: CLIENT_PORT });
  host.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.1"], port: SERVER_PORT });
  world.filter = (_packet, transmit) => transmit.udpPort !== 0;
  world.pass(300);
  assert.equal(host.of(1, "down")[0]?.reason, "refused");
});

Deno.test("connect is refused by a port owner that does not listen", () => {
  const world = new World(1);
  const server = world.host(["10.1.0.2"]);
  server.open(1, { port: SERVER_PORT });
  const client = connecting(world, true);
  world.pass(100);
  assert.equal(client.of(1, "down")[0]?.reason, "refused");
});

Deno.test("connect does not believe ICMP messages that quote another INIT", () => {
  const world = new World(1);
  const client = connecting(world, false);
  world.flush();
  const packet = client.sent[0]!.packet.slice();
  packet[16]! ^= 1;
  const error: PacketError = {
    destination: "10.1.0.2",
    udpPort: 13_863,
    kind: "port-unreachable",
    mtu: undefined,
    packet,
    localPort: CLIENT_PORT,
  };
  client.stack.receiveError(error, world.now);
  client.collect();
  assert.equal(client.of(1, "down").length, 0);
  client.stack.receiveError({ ...error, packet: new Uint8Array(0) }, world.now);
  client.collect();
  assert.equal(client.of(1, "down")[0]?.reason, "refused");
});

Deno.test("SctpStack follows a peer whose UDP port changes", () => {
  const { world, client, server, a, b } = connectedPair({ raw: false });
  client.record = true;
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.flush();
  const { packet } = client.sent[0]!;
  world.inject(server, packet, { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 40_000 });
  assert.equal(server.stack.status(b)?.paths[0]?.encapsulationPort, 40_000);
  const forged = packet.slice();
  forged[20]! ^= 1;
  world.inject(server, forged, { source: "10.1.0.1", destination: "10.1.0.2", udpPort: 50_000 });
  assert.equal(server.stack.status(b)?.paths[0]?.encapsulationPort, 40_000);
});
