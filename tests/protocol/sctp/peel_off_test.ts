import assert from "node:assert/strict";
import { SocketOptionError } from "../../../protocol/net.ts";
import { StateError } from "../../../protocol/wire/errors.ts";
import { CLIENT_PORT, connectedPair, message, numberOf, SERVER_PORT } from "./harness.ts";
import type { Host, Pair } from "./harness.ts";

Deno.test("peelOff() moves an association with the events that wait to a handle of its own", () => {
  const { world, client, server, a, b } = connectedPair();
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.flush();
  const before = server.of(1, "message").length;
  server.stack.peelOff(1, b, 2, world.now);
  world.pass(100);
  client.execute(1, { type: "send", association: a, data: message(2, 10), ppid: 0 });
  world.pass(100);
  assert.equal(before, 0);
  assert.deepEqual(server.of(2, "message").map(({ data }) => numberOf(data)), [1, 2]);
  server.execute(2, { type: "send", association: b, data: message(3, 10), ppid: 0 });
  server.execute(1, { type: "send", association: b, data: message(4, 10), ppid: 0 }); // not its own any more
  world.pass(100);
  assert.deepEqual(client.of(1, "message").map(({ data }) => numberOf(data)), [3]);
});

Deno.test("closing an endpoint does not touch what was peeled off, and the port is free after the last", () => {
  const { world, client, server, a, b } = connectedPair();
  server.stack.peelOff(1, b, 2, world.now);
  server.close(1);
  world.pass(5000);
  assert.equal(server.of(1, "closed").length, 1);
  assert.equal(server.of(1, "down").length, 0);
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.pass(100);
  assert.equal(server.of(2, "message").length, 1);
  assert.throws(() => server.stack.open(3, { port: 3863 }, world.now), StateError);
  server.close(2);
  world.pass(5000);
  assert.equal(server.of(2, "down")[0]!.reason, "shutdown");
  assert.equal(server.of(2, "closed").length, 1);
  assert.equal(client.of(1, "down")[0]!.origin, "peer");
  server.stack.open(3, { port: 3863 }, world.now);
});

/** The client's host begins anew: it has forgotten everything. */
function restartClient({ world, client }: Pair): Host {
  world.hosts.splice(world.hosts.indexOf(client), 1);
  const restarted = world.host(client.addresses);
  restarted.open(1, { port: CLIENT_PORT });
  restarted.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: SERVER_PORT });
  world.pass(1000);
  return restarted;
}

Deno.test("closing an endpoint does not touch what was peeled off when the peer restarts", () => {
  const pair = connectedPair();
  const { world, server, b } = pair;
  server.stack.peelOff(1, b, 2, world.now);
  server.close(1);
  world.pass(1000);

  const client = restartClient(pair);

  assert.deepEqual(server.events.get(2)?.map(({ type }) => type), ["restarted"]);
  assert.equal(client.of(1, "down").length, 0);
});

Deno.test("a peeled-off association whose handle is closing is shut down again when the peer restarts", () => {
  const pair = connectedPair();
  const { world, server, b } = pair;
  server.stack.peelOff(1, b, 2, world.now);
  world.down.add("10.1");
  server.execute(2, { type: "send", association: b, data: message(1, 10), ppid: 0 });
  server.close(2, 60_000);
  world.pass(100);
  world.down.clear();

  const client = restartClient(pair);

  assert.deepEqual(client.of(1, "down").map(({ reason }) => reason), ["shutdown"]);
  assert.equal(server.of(2, "closed").length, 1);
});

Deno.test("setPeerPrimary() is for the handle that has the association", () => {
  const options = { authentication: true, dynamicAddresses: true };
  const { world, server, b } = connectedPair({ client: options, server: options });
  const ask = (handle: number) => server.stack.setPeerPrimary(handle, b, server.addresses[0]!, world.now);
  server.stack.peelOff(1, b, 2, world.now);
  assert.throws(() => ask(1), { code: "ENOTCONN" });
  assert.doesNotThrow(() => ask(2));
});

Deno.test("closing a peeled-off association leaves its endpoint and the others alone", () => {
  const { world, client, server, b } = connectedPair();
  const other = world.host(["10.1.0.3"]);
  other.open(1, { port: 20_001 });
  other.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: 3863 });
  world.pass(200);
  const second = server.of(1, "up")[1]!.association;
  server.stack.peelOff(1, b, 2, world.now);
  assert.deepEqual(server.stack.getOption(1, "get_assoc_id_list", {}), { ids: [second] });
  assert.deepEqual(server.stack.getOption(2, "get_assoc_id_list", {}), { ids: [b] });
  assert.equal(server.stack.getOption(2, "status", {})["state"], "established");
  server.close(2);
  world.pass(5000);
  assert.equal(client.of(1, "down").length, 1);
  assert.equal(other.of(1, "down").length, 0);
  server.execute(1, { type: "send", association: second, data: message(5, 10), ppid: 0 });
  client.execute(1, { type: "connect", request: 9, addresses: ["10.1.0.2"], port: 3863 });
  world.pass(1000);
  assert.equal(other.of(1, "message").length, 1);
  assert.equal(server.of(1, "up").length, 3, "the endpoint goes on listening");
});

Deno.test("peelOff() refuses what is not there, and a peeled-off association connects to nobody", () => {
  const { world, server, b } = connectedPair();
  const refuses = (code: string, from: number, association: number) =>
    assert.throws(() => server.stack.peelOff(from, association, 9, world.now), (error) => {
      assert.ok(error instanceof SocketOptionError);
      assert.equal(error.code, code);
      return true;
    });
  refuses("ENOTCONN", 1, 999);
  server.stack.peelOff(1, b, 2, world.now);
  refuses("ENOTCONN", 1, b);
  refuses("EINVAL", 2, b);
  server.execute(2, { type: "connect", request: 5, addresses: ["10.1.0.1"], port: 1 });
  world.pass(1);
  assert.deepEqual(server.of(2, "down").map(({ request, reason }) => [request, reason]), [[5, "refused"]]);
});

Deno.test("the adaptation layer indication of each side comes behind `up` at the other (RFC 5061 §4.2.6)", () => {
  const { client, server } = connectedPair({
    client: { adaptation: 0x1234_5678 },
    server: { adaptation: 0 },
  });
  const told = [client, server].map((host) => host.of(1, "adaptation").map(({ indication }) => indication));
  assert.deepEqual(told, [[0], [0x1234_5678]]);
  assert.deepEqual(server.events.get(1)!.slice(0, 2).map(({ type }) => type), ["up", "adaptation"]);
  const plain = connectedPair();
  assert.equal(plain.client.of(1, "adaptation").length, 0);
});

Deno.test("disable_fragments refuses messages that do not fit into a packet", () => {
  const { world, client, server } = connectedPair();
  client.stack.setOption(1, "disable_fragments", { value: true }, {}, world.now);
  server.open(2, { port: 99, listen: true });
  client.execute(1, { type: "connect", request: 8, addresses: ["10.1.0.2"], port: 99 });
  world.pass(200);
  const { association } = client.of(1, "up")[1]!;
  const longest = client.stack.status(association)!.fragmentationPoint!;
  client.execute(1, { type: "send", association, data: message(1, longest), ppid: 1 });
  client.execute(1, { type: "send", association, data: message(2, longest + 1), ppid: 2 });
  world.pass(200);
  assert.deepEqual(client.of(1, "sendFailed").map(({ ppid, failure }) => [ppid, failure]), [[2, "refused"]]);
  assert.equal(server.of(2, "message").length, 1);
});
