/** What the user is told of his messages. */
import assert from "node:assert/strict";
import { connectedPair, message } from "./harness.ts";

Deno.test("SctpStack tells once that all is acknowledged, if asked", () => {
  for (const senderDryEvents of [false, true]) {
    const { world, client, a } = connectedPair({ client: { senderDryEvents } });
    for (let i = 0; i < 10; i++) {
      client.execute(1, { type: "send", association: a, data: message(i, 5000), ppid: 1 });
    }
    world.pass(2000);
    assert.equal(client.of(1, "senderDry").length, senderDryEvents ? 1 : 0);

    client.execute(1, { type: "send", association: a, data: message(11, 5), ppid: 1 });
    world.pass(2000);
    assert.equal(client.of(1, "senderDry").length, senderDryEvents ? 2 : 0);
  }
});

Deno.test("SctpStack gives the context back with a message that failed, and says why", () => {
  const { world, client, a } = connectedPair();
  const send = (context: number, octets: number, stream: number) =>
    client.execute(1, {
      type: "send",
      association: a,
      data: new Uint8Array(octets),
      ppid: 1,
      stream,
      context,
    });

  send(1, 0, 0);
  send(2, 5, 60_000);
  world.down.add("10.1");
  send(3, 5, 0);
  client.execute(1, { type: "abort", association: a });
  world.pass(10);

  const failed = client.of(1, "sendFailed").map(({ context, failure }) => [context, failure]);
  assert.deepEqual(failed, [[1, "refused"], [2, "refused"], [3, "association-ended"]]);
});

Deno.test("SctpStack sends a message to the address that its user wants, and elsewhere if that does not work", () => {
  const { world, client, server, a } = connectedPair({ networks: 2 });
  world.pass(5000);
  client.record = true;
  const destinations = () =>
    client.sent.splice(0).filter(({ packet }) => packet[12] === 0).map(({ transmit }) =>
      transmit.destination
    );
  const send = (destination: string) => {
    client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 1, destination });
    world.pass(500);
    return destinations();
  };

  assert.deepEqual(send("10.2.0.2"), ["10.2.0.2"]);
  assert.deepEqual(send("10.1.0.2"), ["10.1.0.2"]);
  assert.deepEqual(send("10.9.0.9"), ["10.1.0.2"]);
  assert.equal(server.of(1, "message").length, 3);
});
