import assert from "node:assert/strict";
import { Outflow } from "../../../cmd/library/outflow.ts";

class Sink {
  readonly sent: number[] = [];
  readonly outflow = new Outflow();

  send(number: number, lengthBytes = 1): Promise<void> {
    return this.outflow.send({ lengthBytes, send: () => void this.sent.push(number) });
  }
}

/** Lets the event loop have its turns. */
async function turns(): Promise<void> {
  for (let n = 0; n < 4; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

Deno.test("Outflow keeps messages until there is an association, and their order", async () => {
  const sink = new Sink();
  const waiting = [sink.send(1), sink.send(2)];
  assert.deepEqual(sink.sent, []);
  sink.outflow.open();
  await Promise.all(waiting);
  await sink.send(3);
  assert.deepEqual(sink.sent, [1, 2, 3]);
  sink.outflow.suspend();
  const last = sink.send(4);
  assert.deepEqual(sink.sent, [1, 2, 3]);
  sink.outflow.open();
  await last;
  assert.deepEqual(sink.sent, [1, 2, 3, 4]);
  await turns();
});

Deno.test("Outflow waits while the transport's buffer is full; a new association has an empty one", async () => {
  const sink = new Sink();
  sink.outflow.open();
  sink.outflow.blocked(true);
  const waiting = sink.send(1);
  await turns();
  assert.deepEqual(sink.sent, []);
  sink.outflow.blocked(false);
  await waiting;
  sink.outflow.blocked(true);
  const other = sink.send(2);
  sink.outflow.suspend();
  sink.outflow.open();
  await other;
  assert.deepEqual(sink.sent, [1, 2]);
  await turns();
});

Deno.test("Outflow gives the event loop its turn, so that a loop of sends hears that the buffer is full", async () => {
  const sink = new Sink();
  sink.outflow.open();
  setImmediate(() => sink.outflow.blocked(true)); // as a transport says it: in a turn of its own
  let isDone = false;
  const flood = (async () => {
    for (let n = 0; n < 100; n++) await sink.send(n, 64 * 1024);
    isDone = true;
  })();
  await turns();
  assert.equal(isDone, false);
  assert.ok(
    sink.sent.length <= 8,
    `${sink.sent.length} messages went before the transport could say anything`,
  );
  sink.outflow.blocked(false);
  await flood;
  assert.deepEqual(sink.sent, Array.from({ length: 100 }, (_, n) => n));
  await turns();
});

Deno.test("Outflow rejects what waits when it ends, and what comes afterwards", async () => {
  const sink = new Sink();
  const waiting = sink.send(1);
  sink.outflow.end(new Error("over"));
  sink.outflow.end(new Error("over again"));
  await assert.rejects(waiting, /^Error: over$/);
  await assert.rejects(sink.send(2), /^Error: over$/);
  assert.deepEqual(sink.sent, []);
});
