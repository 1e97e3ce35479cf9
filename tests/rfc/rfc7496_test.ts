/** RFC 7496: more policies of partial reliability. Each test: init, act, check. */
import assert from "node:assert/strict";
import { chunksOf, onlyChunk, sack } from "./bench.ts";
import { acceptPartial, dataTsns, Extension, readForwardTsn, sendMessage } from "./data_bench.ts";

Deno.test("§3.1: a message is abandoned when it would be retransmitted more often than allowed", () => {
  for (const retransmissions of [0, 1, 2]) {
    const established = acceptPartial();
    const { bench, tsn } = established;

    const sent = [
      ...sendMessage(established, { reliability: { policy: "rtx", retransmissions } }),
      ...bench.advance(1000 * (2 ** (retransmissions + 1) - 1)),
    ];

    assert.deepEqual(dataTsns(sent), Array(retransmissions + 1).fill(tsn));
    assert.equal(chunksOf(sent, Extension.forwardTsn).length, 1);
    assert.equal(bench.eventsOf("sendFailed").length, 1);
  }
});

Deno.test("§3.1: fast retransmissions count, too", () => {
  const established = acceptPartial();
  const { bench, tag, tsn } = established;
  sendMessage(established, { reliability: { policy: "rtx", retransmissions: 0 } });
  for (let i = 0; i < 3; i++) sendMessage(established);

  const sent = [1, 2, 3].flatMap((reach) => bench.give(tag, [sack(tsn - 1, [[2, 1 + reach]])]));

  assert.deepEqual(dataTsns(sent), []);
  assert.equal(readForwardTsn(onlyChunk(sent, Extension.forwardTsn)).cumulative, tsn);
});

Deno.test("§3.2: a full send buffer makes room for a more important message, the least important goes first", () => {
  const established = acceptPartial({ sendBuffer: 4000 }, 1500);
  const { bench } = established;
  sendMessage(established, { octets: 1400 });
  for (const priority of [5, 9, 7]) {
    sendMessage(established, { octets: 800, context: priority, reliability: { policy: "prio", priority } });
  }

  sendMessage(established, { octets: 800, context: 1, reliability: { policy: "prio", priority: 1 } });

  const failed = bench.eventsOf("sendFailed");
  assert.deepEqual(failed.map(({ context, failure, sent }) => [context, failure, sent]), [[
    9,
    "abandoned",
    false,
  ]]);
});

Deno.test("§3.2: neither reliable nor more important messages make room", () => {
  const established = acceptPartial({ sendBuffer: 2000 }, 1500);
  const { bench } = established;
  sendMessage(established, { octets: 1400 });
  sendMessage(established, { octets: 1400 });
  sendMessage(established, { octets: 500, reliability: { policy: "prio", priority: 3 } });
  sendMessage(established, { octets: 500, reliability: { policy: "rtx", retransmissions: 0 } });

  sendMessage(established, { octets: 1400, reliability: { policy: "prio", priority: 3 } });

  assert.deepEqual(bench.eventsOf("sendFailed"), []);
});

Deno.test("§3.2: a message in flight that is pushed out is passed over, and not sent again", () => {
  const established = acceptPartial({ sendBuffer: 1000 });
  const { bench, tsn } = established;
  sendMessage(established, { octets: 900, reliability: { policy: "prio", priority: 8 } });

  const sent = sendMessage(established, { octets: 900, reliability: { policy: "prio", priority: 1 } });

  assert.equal(readForwardTsn(onlyChunk(sent, Extension.forwardTsn)).cumulative, tsn);
  assert.deepEqual(dataTsns(sent), [tsn + 1]);
  assert.deepEqual(bench.eventsOf("sendFailed").map(({ sent }) => sent), [true]);
});

Deno.test("a shutdown waits neither for what expires nor for what is abandoned", () => {
  const established = acceptPartial({}, 1500);
  const { bench, tag, tsn, association } = established;
  sendMessage(established, { octets: 1400 });
  sendMessage(established, { octets: 1400, reliability: { policy: "ttl", lifetimeMs: 100 } });
  bench.execute({ type: "shutdown", association });
  bench.advance(200);

  const sent = bench.give(tag, [sack(tsn)]);

  assert.equal(chunksOf(sent, 7).length, 1);
  assert.equal(bench.eventsOf("sendFailed").length, 1);
});

Deno.test("what is abandoned makes the association writable again", () => {
  const established = acceptPartial({ sendBuffer: 1500 }, 1500);
  const { bench, tag, tsn } = established;
  sendMessage(established, { octets: 700 });
  sendMessage(established, { octets: 1400, reliability: { policy: "ttl", lifetimeMs: 100 } });
  assert.equal(bench.eventsOf("blocked").length, 1);
  bench.advance(200);

  bench.give(tag, [sack(tsn)]);

  assert.equal(bench.eventsOf("writable").length, 1);
});
