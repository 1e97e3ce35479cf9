/** RFC 3758: partial reliability. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  Bench,
  Cause,
  Chunk,
  chunksOf,
  data,
  init,
  onlyChunk,
  read,
  readSack,
  sack,
  THERE_TSN,
  tlvs,
} from "./bench.ts";
import {
  acceptPartial,
  dataTsns,
  Extension,
  FORWARD_TSN_SUPPORTED,
  forwardTsn,
  readForwardTsn,
  received,
  sendMessage,
} from "./data_bench.ts";

const ONCE = { policy: "rtx", retransmissions: 0 } as const;

Deno.test("§3.3.1: an endpoint that knows FORWARD TSN says so in its INIT ACK, by either parameter", () => {
  const bench = new Bench();
  const answer = onlyChunk(
    bench.give(0, [init(Chunk.init, { parameters: FORWARD_TSN_SUPPORTED })]),
    Chunk.initAck,
  );
  const parameters = tlvs(answer.value, 16);
  assert.ok(parameters.some(({ type }) => type === 0xc000));
  assert.ok(parameters.some(({ type, value }) => type === 0x8008 && value.includes(Extension.forwardTsn)));
});

Deno.test("§3.3.1: without the peer's support a message is sent reliably", () => {
  const established = accept();
  const { bench, tsn } = established;

  sendMessage(established, { reliability: ONCE });
  const later = bench.advance(20_000);

  assert.ok(dataTsns(later).filter((one) => one === tsn).length >= 2);
  assert.equal(chunksOf(later, Extension.forwardTsn).length, 0);
  assert.deepEqual(bench.eventsOf("sendFailed"), []);
});

Deno.test("§3.3.1: a FORWARD TSN without agreement is answered as an unknown chunk", () => {
  const { bench, tag } = accept();

  const sent = bench.give(tag, [forwardTsn(THERE_TSN + 5)]);

  const [cause] = tlvs(onlyChunk(sent, Chunk.error).value, 0);
  assert.equal(cause!.type, Cause.unrecognizedChunk);
  bench.give(tag, [data({ tsn: THERE_TSN })]);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§3.5 A: an abandoned chunk is not sent again, and FORWARD TSN says so with its stream and SSN", () => {
  const established = acceptPartial();
  const { bench, tsn } = established;
  assert.deepEqual(dataTsns(sendMessage(established, { stream: 3, reliability: ONCE })), [tsn]);

  const sent = bench.advance(1000);

  assert.deepEqual(dataTsns(sent), []);
  assert.deepEqual(readForwardTsn(onlyChunk(sent, Extension.forwardTsn)), {
    cumulative: tsn,
    streams: [[3, 0]],
  });
});

Deno.test("§3.5 A: all fragments of a message are abandoned at the same time", () => {
  const established = acceptPartial();
  const { bench, tag, tsn } = established;
  sendMessage(established, { octets: 4000, reliability: ONCE });

  bench.give(tag, [sack(tsn - 1, [[2, 3]])]); // the first fragment is missing, and stays so
  const sent = bench.advance(1100);

  assert.deepEqual(dataTsns(sent), []);
  assert.equal(readForwardTsn(chunksOf(sent, Extension.forwardTsn).at(-1)!).cumulative, tsn + 2);
});

Deno.test("§3.5 C2: the Advanced.Peer.Ack.Point moves over what is abandoned, and stops at what is not", () => {
  const established = acceptPartial();
  const { bench, tag, tsn } = established;
  sendMessage(established, { stream: 1, reliability: ONCE });
  sendMessage(established, { stream: 1, reliability: ONCE });
  sendMessage(established, { stream: 2 });
  sendMessage(established, { stream: 1, reliability: ONCE });

  const sent = [...bench.advance(1000), ...bench.give(tag, [sack(tsn - 1)])];

  for (const one of chunksOf(sent, Extension.forwardTsn)) {
    assert.deepEqual(readForwardTsn(one), { cumulative: tsn + 1, streams: [[1, 1]] });
  }
  assert.ok(dataTsns(sent).includes(tsn + 2), "the reliable message is sent again");
  const last = bench.give(tag, [sack(tsn + 2)]);
  assert.equal(readForwardTsn(onlyChunk(last, Extension.forwardTsn)).cumulative, tsn + 3);
});

Deno.test("§3.5 C3: as long as a SACK stays behind the Advanced.Peer.Ack.Point, FORWARD TSN goes again", () => {
  const established = acceptPartial();
  const { bench, tag, tsn } = established;
  sendMessage(established, { reliability: ONCE });
  bench.advance(1000);

  const again = bench.give(tag, [sack(tsn - 1)]);
  const done = bench.give(tag, [sack(tsn)]);

  assert.equal(chunksOf(again, Extension.forwardTsn).length, 1);
  assert.equal(chunksOf([...done, ...bench.advance(10_000)], Extension.forwardTsn).length, 0);
  assert.equal(bench.stack.status(established.association)!.queuedOctets, 0);
});

Deno.test("§3.5 C4: unordered messages are not named", () => {
  const established = acceptPartial();
  const { bench, tsn } = established;
  sendMessage(established, { unordered: true, reliability: ONCE });

  const sent = bench.advance(1000);

  assert.deepEqual(readForwardTsn(onlyChunk(sent, Extension.forwardTsn)), { cumulative: tsn, streams: [] });
});

Deno.test("§3.5 C4: a FORWARD TSN fits into a packet, and goes only as far as it can name the streams", () => {
  const established = accept({ endpoint: { outboundStreams: 2000 } }, {
    parameters: FORWARD_TSN_SUPPORTED,
    inbound: 2000,
    window: 1_000_000,
  });
  const { bench, tag, tsn } = established;
  for (let stream = 0; stream < 800; stream++) {
    sendMessage(established, { octets: 1, stream, reliability: ONCE });
  }
  let acknowledged = tsn - 1;
  for (let round = 0; round < 200 && acknowledged < tsn + 799; round++) {
    for (const one of chunksOf(bench.advance(1000), Extension.forwardTsn)) {
      const { cumulative, streams } = readForwardTsn(one);
      assert.ok(streams.length <= 367);
      acknowledged = cumulative;
    }
    bench.give(tag, [sack(acknowledged)]);
  }
  assert.equal(bench.stack.status(established.association)!.queuedOctets, 0);
  assert.equal(bench.eventsOf("sendFailed").length, 800);
});

Deno.test("§3.5 C5: a FORWARD TSN that is not answered is sent again by T3", () => {
  const established = acceptPartial();
  const { bench } = established;
  sendMessage(established, { reliability: ONCE });

  const sent = bench.advance(8000);

  assert.ok(chunksOf(sent, Extension.forwardTsn).length >= 3);
});

Deno.test("§3.5: the rest of a message of which all that was sent is acknowledged takes one TSN more", () => {
  const established = acceptPartial({}, 1500);
  const { bench, tag, tsn } = established;
  const sent = dataTsns(
    sendMessage(established, { octets: 5000, reliability: { policy: "ttl", lifetimeMs: 500 } }),
  );
  bench.give(tag, [sack(tsn + sent.length - 1, [], 0)]);
  const probes = dataTsns(bench.advance(400)).length;
  bench.advance(600);

  const after = bench.give(tag, [sack(tsn + sent.length + probes - 1, [], 5000)]);
  const announced = [...after, ...bench.advance(2000)].flatMap((one) =>
    chunksOf([one], Extension.forwardTsn)
  );

  assert.equal(bench.eventsOf("sendFailed").length, 1);
  assert.ok(announced.length > 0);
  assert.deepEqual(readForwardTsn(announced.at(-1)!).streams, [[0, 0]]);
});

Deno.test("§3.6: FORWARD TSN moves the cumulative TSN, and what was held behind it is delivered", () => {
  const established = acceptPartial();
  const { bench, tag } = established;
  bench.give(tag, [data({ tsn: THERE_TSN + 2, ssn: 1, data: [9] })]);

  const sent = bench.give(tag, [forwardTsn(THERE_TSN + 1, [[0, 0]])]);

  assert.deepEqual(received(established), [[0, 1, 9]]);
  assert.deepEqual(readSack(onlyChunk(sent, Chunk.sack)).cumulative, THERE_TSN + 2);
});

Deno.test("§3.6: messages that waited for a skipped one are delivered in order", () => {
  const established = acceptPartial();
  const { bench, tag } = established;
  bench.give(tag, [
    data({ tsn: THERE_TSN + 3, ssn: 3, data: [3] }),
    data({ tsn: THERE_TSN + 1, ssn: 1, data: [1] }),
  ]);

  bench.give(tag, [forwardTsn(THERE_TSN + 2, [[0, 2]])]);
  bench.give(tag, [data({ tsn: THERE_TSN + 4, ssn: 4, data: [4] })]);

  assert.deepEqual(received(established), [[0, 1, 1], [0, 3, 3], [0, 4, 4]]);
});

Deno.test("§3.6: a partial message is dropped, ordered or not", () => {
  for (const unordered of [0, 4]) {
    const established = acceptPartial();
    const { bench, tag } = established;
    bench.give(tag, [data({ tsn: THERE_TSN, flags: 2 | unordered, data: [1] })]);
    bench.give(tag, [data({ tsn: THERE_TSN + 2, flags: 1 | unordered, data: [3] })]);

    bench.give(tag, [forwardTsn(THERE_TSN + 2, unordered === 0 ? [[0, 0]] : [])]);
    bench.give(tag, [data({ tsn: THERE_TSN + 3, ssn: unordered === 0 ? 1 : 0, data: [4] })]);

    assert.deepEqual(received(established).map(([, , first]) => first), [4]);
    assert.deepEqual(bench.eventsOf("down"), []);
  }
});

Deno.test("§3.6: a tail of a message whose head was skipped is dropped as well", () => {
  const established = acceptPartial();
  const { bench, tag } = established;
  bench.give(tag, [data({ tsn: THERE_TSN, flags: 2 })]);
  bench.give(tag, [forwardTsn(THERE_TSN + 1)]);

  bench.give(tag, [data({ tsn: THERE_TSN + 2, flags: 1 }), data({ tsn: THERE_TSN + 3, ssn: 1, data: [5] })]);

  assert.deepEqual(received(established), [[0, 1, 5]]);
});

Deno.test("§3.6: a FORWARD TSN that is old changes nothing, and is answered by a SACK", () => {
  const established = acceptPartial();
  const { bench, tag } = established;
  bench.give(tag, [data({ tsn: THERE_TSN, data: [1] }), data({ tsn: THERE_TSN + 1, ssn: 1, data: [2] })]);

  const sent = bench.give(tag, [forwardTsn(THERE_TSN, [[0, 7]])]);
  bench.give(tag, [data({ tsn: THERE_TSN + 2, ssn: 2, data: [3] })]);

  assert.equal(readSack(onlyChunk(sent, Chunk.sack)).cumulative, THERE_TSN + 1);
  assert.equal(received(established).length, 3);
});

Deno.test("§3.6: hostile FORWARD TSNs are harmless: too far, absurd streams, cut short", () => {
  const established = acceptPartial();
  const { bench, tag } = established;

  bench.give(tag, [forwardTsn(THERE_TSN + 100_000)]);
  bench.give(tag, [forwardTsn(THERE_TSN + 0x7fff_0000)]);
  bench.give(tag, [chunk192([1, 2])]);
  bench.give(tag, [forwardTsn(THERE_TSN, [[65_535, 1], [9999, 3]])]);
  bench.give(tag, [forwardTsn(THERE_TSN + 1, Array.from({ length: 16_000 }, (_, i) => [0, i * 2]))]);
  bench.give(tag, [data({ tsn: THERE_TSN + 2, ssn: 31_999, data: [5] })]);

  assert.deepEqual(received(established), [[0, 31_999, 5]]);
});

function chunk192(value: number[]): Uint8Array {
  return Uint8Array.from([192, 0, 0, 4 + value.length, ...value, ...Array(-value.length & 3).fill(0)]);
}

Deno.test("§4.1: a message whose lifetime has passed before it was sent is never sent, and takes no TSN", () => {
  const established = acceptPartial({}, 1500);
  const { bench, tag, tsn } = established;
  sendMessage(established, { octets: 1400 });
  sendMessage(established, { octets: 1400, context: 5, reliability: { policy: "ttl", lifetimeMs: 300 } });
  bench.advance(500);

  const sent = bench.give(tag, [sack(tsn)]);
  const more = sendMessage(established);

  assert.deepEqual(dataTsns([...sent, ...more]), [tsn + 1]);
  assert.equal(chunksOf([...sent, ...more], Extension.forwardTsn).length, 0);
  const [failed] = bench.eventsOf("sendFailed");
  assert.deepEqual([failed?.failure, failed?.sent, failed?.context], ["abandoned", false, 5]);
});

Deno.test("§4.1: a message whose lifetime passes while it is in flight is not sent again", () => {
  const established = acceptPartial();
  const { bench, tsn } = established;
  sendMessage(established, { reliability: { policy: "ttl", lifetimeMs: 500 } });

  const sent = bench.advance(1000);

  assert.deepEqual(dataTsns(sent), []);
  assert.equal(readForwardTsn(onlyChunk(sent, Extension.forwardTsn)).cumulative, tsn);
  assert.deepEqual(bench.eventsOf("sendFailed").map(({ sent, failure }) => [sent, failure]), [[
    true,
    "abandoned",
  ]]);
});

Deno.test("§4.1: within its lifetime a message is sent again as others are", () => {
  const established = acceptPartial();
  const { bench, tag, tsn } = established;
  sendMessage(established, { reliability: { policy: "ttl", lifetimeMs: 60_000 } });

  const sent = bench.advance(1000);
  bench.give(tag, [sack(tsn)]);

  assert.deepEqual(dataTsns(sent), [tsn]);
  assert.deepEqual(bench.eventsOf("sendFailed"), []);
  assert.equal(read(chunksOf(sent, Chunk.data)[0]!.value, 6, 2), 0);
});
