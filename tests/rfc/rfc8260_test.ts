/** RFC 8260: interleaving of messages, and stream schedulers. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  Bench,
  Chunk,
  chunksOf,
  data,
  init,
  onlyChunk,
  readSack,
  sack,
  THERE_TSN,
  tlvs,
} from "./bench.ts";
import {
  acceptInterleaved,
  acceptPartial,
  dataTsns,
  Extension,
  FORWARD_TSN_SUPPORTED,
  forwardTsn,
  iData,
  iForwardTsn,
  readIData,
  readIForwardTsn,
  received,
  sendMessage,
  supportedExtensions,
} from "./data_bench.ts";

const ONCE = { policy: "rtx", retransmissions: 0 } as const;

Deno.test("§2.2.1: interleaving is offered only when the user asks for it", () => {
  const offers = [false, true].map((interleaving) => {
    const bench = new Bench({ endpoint: { interleaving } });
    const parameters = supportedExtensions([Extension.iData, Extension.forwardTsn, Extension.iForwardTsn]);
    const answer = onlyChunk(bench.give(0, [init(Chunk.init, { parameters })]), Chunk.initAck);
    const listed = tlvs(answer.value, 16).find(({ type }) => type === 0x8008);
    return [Extension.iData, Extension.iForwardTsn].map((type) => listed?.value.includes(type) ?? false);
  });

  assert.deepEqual(offers, [[false, false], [true, true]]);
});

Deno.test("§2.2.1: I-DATA is used for all messages if both sides have agreed, else DATA", () => {
  const agreed = acceptInterleaved();
  const alone = accept({ endpoint: { interleaving: true } });

  assert.equal(chunksOf(sendMessage(agreed), Extension.iData).length, 1);
  assert.equal(chunksOf(sendMessage(alone), Chunk.data).length, 1);
});

Deno.test("§2.2.3: DATA on an association with interleaving ends it, and I-DATA on one without", () => {
  const interleaved = acceptInterleaved(), plain = accept();

  const first = interleaved.bench.give(interleaved.tag, [data({ tsn: THERE_TSN })]);
  const second = plain.bench.give(plain.tag, [iData({ tsn: THERE_TSN })]);

  for (const sent of [first, second]) {
    assert.equal(tlvs(onlyChunk(sent, Chunk.abort).value, 0)[0]!.type, 13);
  }
});

Deno.test("§2.1: the fields of I-DATA: message identifiers count ordered and unordered messages apart", () => {
  const established = acceptInterleaved();
  const { tsn } = established;

  const sent = [
    ...sendMessage(established, { stream: 4, ppid: 0x01020304 }),
    ...sendMessage(established, { stream: 4, unordered: true }),
    ...sendMessage(established, { stream: 4 }),
    ...sendMessage(established, { stream: 4, unordered: true }),
  ];

  const fields = chunksOf(sent, Extension.iData).map(readIData);
  assert.deepEqual(fields.map(({ mid, flags }) => [mid, flags]), [[0, 3], [0, 7], [1, 3], [1, 7]]);
  assert.deepEqual(fields[0], {
    tsn,
    stream: 4,
    reserved: 0,
    mid: 0,
    ppid: 0x01020304,
    flags: 3,
    octets: 100,
  });
});

Deno.test("§2.1: fragments after the first carry their number in the place of the PPID", () => {
  const established = acceptInterleaved();

  const sent = sendMessage(established, { octets: 4000, ppid: 77 });

  const fields = chunksOf(sent, Extension.iData).map(readIData);
  assert.deepEqual(fields.map(({ flags, ppid }) => [flags, ppid]), [[2, 77], [0, 1], [1, 2]]);
  assert.equal(fields.reduce((sum, { octets }) => sum + octets, 0), 4000);
});

Deno.test("§2.2.3: fragments are found by stream, U bit, message identifier and number, whatever their TSNs", () => {
  const established = acceptInterleaved();
  const { bench, tag } = established;

  bench.give(tag, [
    iData({ tsn: THERE_TSN, stream: 1, mid: 0, flags: 2, data: [1] }),
    iData({ tsn: THERE_TSN + 1, stream: 2, mid: 0, flags: 2, data: [2] }),
    iData({ tsn: THERE_TSN + 2, stream: 1, mid: 0, flags: 6, data: [3] }),
    iData({ tsn: THERE_TSN + 3, stream: 1, mid: 0, flags: 1, ppid: 2, data: [30] }),
    iData({ tsn: THERE_TSN + 4, stream: 2, mid: 0, flags: 1, ppid: 1, data: [20] }),
    iData({ tsn: THERE_TSN + 5, stream: 1, mid: 0, flags: 0, ppid: 1, data: [10] }),
    iData({ tsn: THERE_TSN + 6, stream: 1, mid: 0, flags: 5, ppid: 1, data: [33] }),
  ]);

  assert.deepEqual(
    bench.eventsOf("message").map(({ stream, unordered, data, tsn }) => [stream, unordered, [...data], tsn]),
    [
      [2, false, [2, 20], THERE_TSN + 1],
      [1, false, [1, 10, 30], THERE_TSN],
      [1, true, [3, 33], THERE_TSN + 2],
    ],
  );
});

Deno.test("§2.2.3: ordered messages are delivered by message identifier, across its wrap of 16 bits", () => {
  const established = acceptInterleaved();
  const { bench, tag } = established;

  bench.give(tag, [
    iData({ tsn: THERE_TSN, mid: 1, data: [1] }),
    iData({ tsn: THERE_TSN + 1, mid: 0x1_0000, data: [9] }),
    iData({ tsn: THERE_TSN + 2, mid: 0, data: [0] }),
  ]);

  assert.deepEqual(received(established), [[0, 0, 0], [0, 1, 1]]);
});

Deno.test("§2.2.3: fragments that contradict each other end the association", () => {
  const contradictions = [
    [iData({ tsn: THERE_TSN, flags: 2 }), iData({ tsn: THERE_TSN + 1, flags: 2 })],
    [iData({ tsn: THERE_TSN, flags: 0, ppid: 5 }), iData({ tsn: THERE_TSN + 1, flags: 1, ppid: 3 })],
    [iData({ tsn: THERE_TSN, flags: 1, ppid: 5 }), iData({ tsn: THERE_TSN + 1, flags: 1, ppid: 6 })],
    [iData({ tsn: THERE_TSN, flags: 1, ppid: 5 }), iData({ tsn: THERE_TSN + 1, flags: 0, ppid: 6 })],
    [iData({ tsn: THERE_TSN, flags: 0, ppid: 0 })],
    [iData({ tsn: THERE_TSN, mid: 1 }), iData({ tsn: THERE_TSN + 1, mid: 1 })],
    [iData({ tsn: THERE_TSN, mid: 0 }), iData({ tsn: THERE_TSN + 1, mid: 0 })],
  ];
  for (const chunks of contradictions) {
    const { bench, tag } = acceptInterleaved();
    assert.equal(chunksOf(bench.give(tag, chunks), Chunk.abort).length, 1);
  }
});

Deno.test("§2.2.3: a peer that begins messages without end is stopped", () => {
  const { bench, tag } = accept(
    { endpoint: { interleaving: true, receiveBuffer: 5000, maxMessage: 10_000 } },
    { parameters: supportedExtensions([Extension.iData]) },
  );

  for (let i = 0; i < 1000 && bench.eventsOf("down").length === 0; i++) {
    bench.give(tag, [iData({ tsn: THERE_TSN + i, stream: i % 10, mid: i, flags: 2 })]);
  }

  assert.equal(bench.eventsOf("down")[0]?.cause?.code, 4);
});

Deno.test("§2.3.1: partial reliability goes with interleaving only if the peer knows I-FORWARD-TSN", () => {
  const established = acceptInterleaved([Extension.iData, Extension.forwardTsn]);
  const { bench, tsn } = established;
  assert.equal(bench.stack.status(established.association)!.extensions!.partialReliability, false);

  sendMessage(established, { reliability: ONCE });

  assert.deepEqual(dataTsns(bench.advance(1000)), [tsn]);
});

Deno.test("§2.3.1: I-FORWARD-TSN names ordered and unordered messages", () => {
  const established = acceptInterleaved();
  const { bench, tsn } = established;
  sendMessage(established, { stream: 2, reliability: ONCE });
  sendMessage(established, { stream: 2, reliability: ONCE });
  sendMessage(established, { stream: 2, unordered: true, reliability: ONCE });

  const sent = bench.advance(1000);

  assert.deepEqual(readIForwardTsn(onlyChunk(sent, Extension.iForwardTsn)), {
    cumulative: tsn + 2,
    skipped: [{ stream: 2, unordered: false, mid: 1 }, { stream: 2, unordered: true, mid: 0 }],
  });
});

Deno.test("§2.3.1: I-FORWARD-TSN drops partial messages and moves the stream on", () => {
  const established = acceptInterleaved();
  const { bench, tag } = established;
  bench.give(tag, [
    iData({ tsn: THERE_TSN, stream: 1, mid: 0, flags: 2, data: [1] }),
    iData({ tsn: THERE_TSN + 1, stream: 1, mid: 0, flags: 6, data: [2] }),
    iData({ tsn: THERE_TSN + 3, stream: 1, mid: 1, data: [3] }),
  ]);

  const sent = bench.give(tag, [
    iForwardTsn(THERE_TSN + 2, [{ stream: 1, unordered: false, mid: 0 }, {
      stream: 1,
      unordered: true,
      mid: 0,
    }]),
  ]);

  assert.equal(readSack(onlyChunk(sent, Chunk.sack)).cumulative, THERE_TSN + 3);
  assert.deepEqual(received(established), [[1, 1, 3]]);
});

Deno.test("§2.3.1: a fragment that comes late, of a message that was passed over, is dropped", () => {
  const established = acceptInterleaved();
  const { bench, tag } = established;
  bench.give(tag, [iForwardTsn(THERE_TSN, [{ stream: 1, unordered: false, mid: 0 }])]);

  const sent = [
    ...bench.give(tag, [iData({ tsn: THERE_TSN + 2, stream: 1, mid: 0, flags: 1, ppid: 2 })]), // behind a gap
    ...bench.give(tag, [iData({ tsn: THERE_TSN + 1, stream: 1, mid: 0, flags: 0, ppid: 1 })]),
    ...bench.give(tag, [iData({ tsn: THERE_TSN + 3, stream: 1, mid: 1 })]),
  ];

  assert.equal(chunksOf(sent, Chunk.abort).length, 0);
  assert.deepEqual(received(established), [[1, 1, 1]]);
});

Deno.test("§2.3.1: FORWARD TSN with I-DATA ends the association, and I-FORWARD-TSN with DATA", () => {
  const interleaved = acceptInterleaved(), partial = acceptPartial();
  const plain = accept({}, { parameters: FORWARD_TSN_SUPPORTED });

  for (
    const sent of [
      interleaved.bench.give(interleaved.tag, [forwardTsn(THERE_TSN)]),
      partial.bench.give(partial.tag, [iForwardTsn(THERE_TSN)]),
      plain.bench.give(plain.tag, [iForwardTsn(THERE_TSN)]),
    ]
  ) {
    assert.equal(chunksOf(sent, Chunk.abort).length, 1);
  }
});

Deno.test("§2.3.1: I-FORWARD-TSN is taken from a peer that uses what this side has listed", () => {
  const established = acceptInterleaved([Extension.iData, Extension.forwardTsn]); // as Linux lists them
  const { bench, tag } = established;

  const sent = bench.give(tag, [iForwardTsn(THERE_TSN + 2)]);

  assert.equal(readSack(onlyChunk(sent, Chunk.sack)).cumulative, THERE_TSN + 2);
});

Deno.test("§3.1: first come, first served does not interleave", () => {
  const established = acceptInterleaved(undefined, 1500);
  const { bench, tag, tsn } = established;
  sendMessage(established, { stream: 9, octets: 1400 });
  sendMessage(established, { stream: 0, octets: 3000 });
  sendMessage(established, { stream: 1, octets: 100 });

  const sent = bench.give(tag, [sack(tsn, [], 100_000)]);

  assert.deepEqual(chunksOf(sent, Extension.iData).map((one) => readIData(one).stream), [0, 0, 0, 1]);
});
