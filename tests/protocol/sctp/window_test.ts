import assert from "node:assert/strict";
import { connectedPair, message, numberOf } from "./harness.ts";

Deno.test("SctpStack stops at the window of a reader that does not read, and goes on when it does", () => {
  const { world, client, server, a, b } = connectedPair({
    server: { receiveBuffer: 20_000, manualReceive: true },
  });
  for (let i = 0; i < 100; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1000), ppid: 0 });
  }
  world.pass(60_000);
  const stuck = server.of(1, "message").length;
  assert.ok(stuck >= 19 && stuck <= 21, `${stuck} messages fill the buffer`);
  assert.equal(client.of(1, "down").length, 0);
  let taken = 0;
  for (let round = 0; round < 400 && taken < 100; round++) {
    const there = server.of(1, "message").length;
    if (taken < there) {
      server.execute(1, { type: "consumed", association: b, octets: 1000 * (there - taken) });
      taken = there;
    }
    world.pass(100);
  }
  assert.deepEqual(server.of(1, "message").map(({ data }) => numberOf(data)), [...Array(100).keys()]);
});

Deno.test("SctpStack probes a closed window for hours without giving up", () => {
  const { world, client, server, a, b } = connectedPair({
    server: { receiveBuffer: 4000, manualReceive: true },
    client: { heartbeatIntervalMs: 0 },
  });
  for (let i = 0; i < 10; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1400), ppid: 0 });
  }
  world.pass(2 * 3_600_000);
  assert.equal(client.of(1, "down").length, 0);
  const stuck = server.of(1, "message").length;
  assert.ok(stuck < 10);
  // The update that opens the window is lost: the next probe finds out.
  let lost = 0;
  world.filter = (_packet, _transmit, sender) => sender !== server || lost++ > 0;
  server.execute(1, { type: "consumed", association: b, octets: 1400 * stuck });
  world.pass(120_000);
  assert.ok(server.of(1, "message").length > stuck);
});

Deno.test("SctpStack ends an association whose probes nobody answers", () => {
  const { world, client, a } = connectedPair({ server: { receiveBuffer: 4000, manualReceive: true } });
  for (let i = 0; i < 10; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1400), ppid: 0 });
  }
  world.pass(10_000);
  world.down.add("10.1");
  world.pass(3_600_000);
  assert.equal(client.of(1, "down")[0]?.reason, "timeout");
});

Deno.test("SctpStack takes a message that is longer than its receive buffer", () => {
  const { world, client, server, a } = connectedPair({
    server: { receiveBuffer: 5000, maxMessage: 100_000 },
    link: { loss: 0.02 },
  });
  client.execute(1, { type: "send", association: a, data: message(5, 100_000), ppid: 0 });
  world.pass(120_000);
  assert.equal(numberOf(server.of(1, "message")[0]!.data), 5);
});

Deno.test("SctpStack aborts an association whose peer sends a message that is too long", () => {
  const { world, client, server, a } = connectedPair({ server: { maxMessage: 5000 } });
  client.execute(1, { type: "send", association: a, data: message(5, 5001), ppid: 0 });
  world.pass(1000);
  assert.equal(server.of(1, "down")[0]?.cause?.code, 4);
  assert.equal(client.of(1, "down")[0]?.reason, "aborted");
  assert.equal(client.of(1, "down")[0]?.cause?.code, 4);
  assert.equal(client.of(1, "sendFailed").length, 1);
});

Deno.test("SctpStack sends one SACK for a batch, and a single packet's SACK after the delay", () => {
  const { world, client, server, a } = connectedPair();
  world.pass(1000);
  const before = server.stack.counters.sacksSent;
  for (let i = 0; i < 4; i++) {
    client.execute(1, { type: "send", association: a, data: message(i, 1000), ppid: 0 });
  }
  world.pass(100);
  assert.equal(server.stack.counters.sacksSent, before + 1);
  client.execute(1, { type: "send", association: a, data: message(9, 100), ppid: 0 });
  world.pass(150);
  assert.equal(server.stack.counters.sacksSent, before + 1);
  world.pass(100);
  assert.equal(server.stack.counters.sacksSent, before + 2);
});

Deno.test("SctpStack answers the I bit with a SACK at once", () => {
  const { world, client, server, a } = connectedPair();
  world.pass(1000);
  const before = server.stack.counters.sacksSent;
  client.execute(1, { type: "send", association: a, data: message(9, 100), ppid: 0, sackImmediately: true });
  world.pass(20);
  assert.equal(server.stack.counters.sacksSent, before + 1);
});
