import assert from "node:assert/strict";
import { newMessage } from "../../../protocol/sctp/outbound_message.ts";
import type { OutboundMessage } from "../../../protocol/sctp/outbound_message.ts";
import { StreamScheduler } from "../../../protocol/sctp/stream_scheduler.ts";
import type { SchedulerName } from "../../../protocol/sctp/stream_scheduler.ts";

const CHUNK = 1000;

function messageOf(stream: number, octets: number): OutboundMessage {
  return newMessage({
    lent: false,
    data: new Uint8Array(octets),
    ppid: 0,
    stream,
    unordered: false,
    immediate: false,
    context: 0,
    destination: undefined,
    limit: undefined,
    authKeyId: -1,
  });
}

function scheduler(
  name: Exclude<SchedulerName, "fcfs">,
  interleaved: boolean,
  messages: readonly (readonly [stream: number, octets: number])[],
  values: Readonly<Record<number, number>> = {},
): StreamScheduler {
  const queue = new StreamScheduler(name, interleaved, (stream) => values[stream] ?? 0);
  for (const [stream, octets] of messages) queue.push(messageOf(stream, octets));
  return queue;
}

/** Streams in the order of their chunks; `packetChunks` go into a packet. */
function drain(queue: StreamScheduler, limit = Infinity, packetChunks = 1): number[] {
  const streams: number[] = [];
  let inPacket = 0, last = -1;
  while (streams.length < limit) {
    const message = queue.first;
    if (message === undefined) break;
    if (inPacket === packetChunks || (inPacket > 0 && !queue.mixesStreams && message.stream !== last)) {
      queue.endPacket();
      inPacket = 0;
      continue;
    }
    last = message.stream;
    inPacket++;
    streams.push(last);
    queue.took(Math.min(CHUNK, message.data.length - message.taken));
  }
  return streams;
}

/** The queues of RFC 8260, figures 1 and 2. */
const FIGURE = [[0, 3000], [1, 1000], [1, 1000], [1, 1000], [2, 3000]] as const;

Deno.test("StreamScheduler rr sends message after message without interleaving (RFC 8260 figure 1)", () => {
  assert.deepEqual(drain(scheduler("rr", false, FIGURE)), [0, 0, 0, 1, 2, 2, 2, 1, 1]);
});

Deno.test("StreamScheduler rr sends chunk after chunk with interleaving (RFC 8260 figure 2)", () => {
  assert.deepEqual(drain(scheduler("rr", true, FIGURE)), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
});

Deno.test("StreamScheduler rr-packet fills a packet from one stream", () => {
  assert.deepEqual(drain(scheduler("rr-packet", true, FIGURE), Infinity, 2), [0, 0, 1, 1, 2, 2, 0, 1, 2]);
  assert.deepEqual(drain(scheduler("rr-packet", false, FIGURE), Infinity, 2), [0, 0, 0, 1, 1, 2, 2, 2, 1]);
});

Deno.test("StreamScheduler prio lets the smallest value go first, at once only with interleaving", () => {
  const values = { 0: 5, 1: 3, 2: 3 };
  assert.deepEqual(drain(scheduler("prio", false, FIGURE, values)), [1, 2, 2, 2, 1, 1, 0, 0, 0]);
  for (const interleaved of [false, true]) {
    const queue = scheduler("prio", interleaved, [[0, 3000]], values);
    const begun = drain(queue, 1);
    queue.push(messageOf(1, 1000));
    assert.deepEqual([...begun, ...drain(queue)], interleaved ? [0, 1, 0, 0] : [0, 0, 0, 1]);
  }
});

Deno.test("StreamScheduler fc shares octets, not messages", () => {
  const messages = Array.from({ length: 40 }, (_, i) => [i % 2, i % 2 === 0 ? 200 : 1000] as const);
  const streams = drain(scheduler("fc", false, messages), 18);
  const octets = [0, 1].map((stream) =>
    streams.filter((one) => one === stream).length * (stream === 0 ? 200 : 1000)
  );
  assert.ok(Math.abs(octets[0]! - octets[1]!) <= 1000, `${octets}`);
});

Deno.test("StreamScheduler wfq shares octets by weight", () => {
  for (const interleaved of [false, true]) {
    const messages = Array.from({ length: 80 }, (_, i) => [i % 2, 1000] as const);
    const streams = drain(scheduler("wfq", interleaved, messages, { 0: 3, 1: 1 }), 40);
    assert.equal(streams.filter((stream) => stream === 0).length, 30);
  }
});

Deno.test("StreamScheduler wfq gives a stream that was silent no credit for that", () => {
  const messages = Array.from({ length: 50 }, () => [0, 1000] as const);
  const queue = scheduler("wfq", true, messages, { 0: 1, 1: 1 });
  drain(queue, 20);
  for (let i = 0; i < 20; i++) queue.push(messageOf(1, 1000));

  const next = drain(queue, 10);

  assert.ok(next.filter((stream) => stream === 1).length <= 6, `${next}`);
});

Deno.test("StreamScheduler forgets what was abandoned, in every place", () => {
  for (const name of ["rr", "rr-packet", "prio", "fc", "wfq"] as const) {
    const queue = new StreamScheduler(name, true, () => 1);
    const messages = [0, 1, 1, 2, 2, 2].map((stream) => messageOf(stream, 2000));
    for (const message of messages) queue.push(message);
    assert.equal(queue.first, messages[0]);
    queue.took(1000);
    for (const index of [0, 2, 3]) {
      messages[index]!.abandoned = true;
      queue.discard(messages[index]!);
    }

    assert.equal(queue.length, 3);
    assert.equal(queue.octets, 6000);
    assert.equal([...queue].length, 3);
    assert.deepEqual(drain(queue).sort(), [1, 1, 2, 2, 2, 2]);
    assert.equal(queue.first, undefined);
  }
});
