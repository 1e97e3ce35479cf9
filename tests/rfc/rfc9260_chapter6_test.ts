/** RFC 9260 chapter 6: user data, acknowledgements, retransmission. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  addressParameters,
  answerHeartbeats,
  Cause,
  Chunk,
  chunksOf,
  confirmPaths,
  data,
  type Established,
  HERE,
  onlyChunk,
  packet,
  read,
  readSack,
  sack,
  type SentPacket,
  THERE,
  THERE_TSN,
  tlvs,
  tsnOf,
} from "./bench.ts";
import { acceptPartial, forwardTsn } from "./data_bench.ts";

/** Octets of user data in all DATA chunks. */
function userOctets(packets: readonly SentPacket[]): number {
  return chunksOf(packets, Chunk.data).reduce((sum, { value }) => sum + value.length - 12, 0);
}

/** The application sends a message. */
function send(
  { bench, association }: Established,
  octets: number,
  stream = 0,
  unordered = false,
): SentPacket[] {
  return bench.execute({
    type: "send",
    association,
    data: new Uint8Array(octets).fill(7),
    ppid: 3,
    stream,
    unordered,
  });
}

/** Sends a message and has it acknowledged after a while, so that a round-trip time is known. */
function roundTrip(established: Established, tsn: number, rttMs: number): void {
  send(established, 10);
  established.bench.advance(rttMs);
  established.bench.give(established.tag, [sack(tsn)]);
}

function rtoOf({ bench, association }: Established): number {
  return bench.stack.status(association)!.paths[0]!.rtoMs;
}

Deno.test("§6.1 A: no more is sent than the peer's window holds", () => {
  const established = accept({}, { window: 2000 });

  const sent = [...send(established, 1000), ...send(established, 900), ...send(established, 1000)];

  assert.equal(userOctets(sent), 1900);
});

Deno.test("§6.1 A: with a window of zero and nothing in flight, one chunk probes it", () => {
  const established = accept({}, { window: 1500 });
  const { bench, tag, tsn } = established;
  send(established, 1000);
  bench.give(tag, [sack(tsn, [], 0)]);
  send(established, 100);
  send(established, 100);

  const sent = bench.advance(1500);

  assert.equal(userOctets(sent), 100);
});

Deno.test("§6.1: window probes go on as long as the peer answers them, and nobody counts them as errors", () => {
  const established = accept({ endpoint: { associationMaxRetransmissions: 2 } }, { window: 1500 });
  const { bench, tag, tsn } = established;
  send(established, 1000);
  bench.give(tag, [sack(tsn, [], 0)]);
  send(established, 100);

  let probes = 0;
  for (let i = 0; i < 400; i++) {
    const sent = bench.advance(500);
    if (chunksOf(sent, Chunk.data).length === 0) continue;
    probes++;
    bench.give(tag, [sack(tsn, [], 0)]);
  }

  assert.ok(probes >= 3, `${probes} probes`);
  assert.equal(bench.eventsOf("down").length, 0);
  bench.give(tag, [sack(tsn + 1, [], 10_000)]);
  assert.equal(bench.stack.status(established.association)!.queuedOctets, 0);
});

Deno.test("§6.1: a SACK that opens the window lets data go", () => {
  const established = accept({}, { window: 1500 });
  const { bench, tag, tsn } = established;
  send(established, 1000);
  bench.give(tag, [sack(tsn, [], 0)]);
  send(established, 900);

  bench.advance(1500);
  const sent = bench.give(tag, [sack(tsn, [], 5000)]);
  const later = bench.advance(10_000);

  assert.ok(chunksOf([...sent, ...later], Chunk.data).length >= 1);
});

Deno.test("§6.2: a lone packet of data is acknowledged within 200 ms", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN })]);
  bench.give(tag, [data({ tsn: THERE_TSN + 1, ssn: 1 })]);

  const answers = [...bench.give(tag, [data({ tsn: THERE_TSN + 2, ssn: 2 })]), ...bench.advance(200)];

  assert.equal(readSack(onlyChunk(answers, Chunk.sack)).cumulative, THERE_TSN + 2);
});

Deno.test("§6.2: every second packet of data is acknowledged at once", () => {
  const { bench, tag } = accept();

  const answers = Array.from(
    { length: 10 },
    (_, i) => bench.give(tag, [data({ tsn: THERE_TSN + i, ssn: i })]),
  );

  const sacks = chunksOf(answers.flat(), Chunk.sack);
  assert.ok(sacks.length >= 5, `${sacks.length} SACKs`);
  for (let i = 1; i < answers.length; i++) {
    assert.ok(chunksOf([...answers[i - 1]!, ...answers[i]!], Chunk.sack).length >= 1);
  }
});

Deno.test("§6.2: nothing new in a packet of DATA: a SACK at once, with the duplicate TSNs", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN }), data({ tsn: THERE_TSN + 1, ssn: 1 })]);
  bench.advance(500);

  const answers = bench.give(tag, [data({ tsn: THERE_TSN }), data({ tsn: THERE_TSN + 1, ssn: 1 })]);

  const answer = readSack(onlyChunk(answers, Chunk.sack));
  assert.equal(answer.cumulative, THERE_TSN + 1);
  assert.deepEqual(answer.duplicates, [THERE_TSN, THERE_TSN + 1]);
  assert.equal(bench.eventsOf("message").length, 2);
});

Deno.test("§6.2: duplicates are reported once", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN })]);
  bench.advance(500);
  bench.give(tag, [data({ tsn: THERE_TSN })]);

  const answers = [...bench.give(tag, [data({ tsn: THERE_TSN + 1, ssn: 1 })]), ...bench.advance(500)];

  assert.deepEqual(readSack(onlyChunk(answers, Chunk.sack)).duplicates, []);
});

Deno.test("§6.2: a SACK goes to where the data came from", () => {
  const established = accept({}, { parameters: addressParameters([THERE[1]!]) });
  confirmPaths(established);
  const { bench, tag } = established;

  const answers = [THERE_TSN, THERE_TSN + 1].flatMap((tsn, i) =>
    bench.give(tag, [data({ tsn, ssn: i })], { source: THERE[1]!, destination: HERE[1]! })
  );

  const answer = answers.find(({ chunks }) => chunks.some(({ type }) => type === Chunk.sack));
  assert.equal(answer?.destination, THERE[1]);
});

Deno.test("§6.2, §6.4: a SACK goes to where the data came from, though HEARTBEATs have found no answer there", () => {
  const established = accept({}, { parameters: addressParameters([THERE[1]!]) });
  confirmPaths(established);
  const { bench, tag, association } = established;
  const second = () => bench.stack.status(association)!.paths[1]!;
  for (let i = 0; i < 1000 && second().state === "active"; i++) {
    const answered = bench.advance(1000).filter(({ destination }) => destination === THERE[0]);
    answerHeartbeats(bench, tag, answered);
  }
  assert.equal(second().state, "inactive");

  const answers = [THERE_TSN, THERE_TSN + 1].flatMap((tsn, i) =>
    bench.give(tag, [data({ tsn, ssn: i })], { source: THERE[1]!, destination: HERE[1]! })
  );

  const answer = answers.find(({ chunks }) => chunks.some(({ type }) => type === Chunk.sack));
  assert.equal(answer?.destination, THERE[1]);
});

Deno.test("§6.2: a reader that takes nothing makes the advertised window smaller", () => {
  const { bench, tag, association } = accept({ endpoint: { manualReceive: true, receiveBuffer: 10_000 } });
  const fill = new Uint8Array(1000);

  const before = [THERE_TSN, THERE_TSN + 1].flatMap((tsn, i) =>
    bench.give(tag, [data({ tsn, ssn: i, data: fill })])
  );
  const window = readSack(chunksOf(before, Chunk.sack).at(-1)!).window;
  bench.execute({ type: "consumed", association, octets: 2000 });
  const after = [2, 3].flatMap((i) => bench.give(tag, [data({ tsn: THERE_TSN + i, ssn: i, data: [1] })]));

  assert.ok(window <= 8000, `window ${window}`);
  assert.ok(readSack(chunksOf([...after, ...bench.advance(500)], Chunk.sack).at(-1)!).window > window + 1000);
});

Deno.test("§6.2: data beyond a closed window is dropped, and a SACK says where we are", () => {
  const { bench, tag } = accept({ endpoint: { manualReceive: true, receiveBuffer: 3000 } });
  const fill = new Uint8Array(1000);

  for (let i = 0; i < 20; i++) bench.give(tag, [data({ tsn: THERE_TSN + i, ssn: i, data: fill })]);
  const answers = bench.give(tag, [data({ tsn: THERE_TSN + 20, ssn: 20, data: fill })]);

  assert.ok(bench.eventsOf("message").length <= 5, "a little beyond the window at most");
  const answer = readSack(chunksOf([...answers, ...bench.advance(500)], Chunk.sack).at(-1)!);
  assert.equal(answer.cumulative, THERE_TSN + bench.eventsOf("message").length - 1);
  assert.equal(answer.window, 0);
});

Deno.test("§6.2: the places up to a chunk that lies far ahead count against the receive buffer", () => {
  const gapsOf = (receiveBuffer: number, ahead: number, stream: number) => {
    const { bench, tag } = accept({ endpoint: { receiveBuffer } });
    const far = data({ tsn: THERE_TSN + ahead, stream });
    return readSack(onlyChunk(bench.give(tag, [far]), Chunk.sack)).gaps.length;
  };

  for (const stream of [0, 0xfff0]) { // the latter is none of this association's
    assert.deepEqual([gapsOf(100_000, 5000, stream), gapsOf(100_000, 20_000, stream)], [1, 0]);
    assert.equal(gapsOf(1 << 20, 30_000, stream), 1);
  }
});

Deno.test("§6.2: the places up to a chunk that lay far ahead are free again when the gap is closed, or passed over", () => {
  const far = THERE_TSN + 5000;
  const fill = Array.from({ length: 5000 }, (_, i) => data({ tsn: THERE_TSN + i, ssn: i }));
  for (const gap of [fill, [forwardTsn(far, [[0, 5000]])]]) {
    const { bench, tag } = acceptPartial({ receiveBuffer: 100_000 });
    bench.give(tag, [data({ tsn: far, ssn: 5000 })]);
    for (let i = 0; i < gap.length; i += 500) bench.give(tag, gap.slice(i, i + 500));
    const large = new Uint8Array(1000);

    const last = Array.from({ length: 90 }, (_, i) => data({ tsn: far + 2 + i, ssn: 5002 + i, data: large }))
      .map((one) => bench.give(tag, [one])).at(-1)!;

    const { cumulative, gaps } = readSack(onlyChunk(last, Chunk.sack));
    assert.deepEqual([cumulative, gaps], [far, [[2, 91]]]);
  }
});

Deno.test("§6.2: the window opens again for a sender that waits", () => {
  const { bench, tag, association } = accept({ endpoint: { manualReceive: true, receiveBuffer: 3000 } });
  for (let i = 0; i < 4; i++) {
    bench.give(tag, [data({ tsn: THERE_TSN + i, ssn: i, data: new Uint8Array(1000) })]);
  }
  bench.advance(500);

  const answers = bench.execute({ type: "consumed", association, octets: 3000 });

  const answer = readSack(chunksOf([...answers, ...bench.advance(500)], Chunk.sack).at(-1)!);
  assert.ok(answer.window >= 2000, `window ${answer.window}`);
});

Deno.test("§6.2.1: a SACK older than the last one is dropped", () => {
  const established = accept();
  const { bench, tag, tsn, association } = established;
  send(established, 100);
  send(established, 100);
  bench.give(tag, [sack(tsn + 1)]);
  send(established, 100);

  bench.give(tag, [sack(tsn - 1, [], 0)]);

  assert.equal(bench.stack.status(association)!.queuedOctets, 100);
  assert.ok(bench.stack.status(association)!.peerReceiveWindow > 10_000);
});

Deno.test("§6.2.1: what a SACK acknowledges is not sent again, gaps included", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  for (let i = 0; i < 3; i++) send(established, 100);
  bench.give(tag, [sack(tsn, [[2, 2]])]);

  const again = bench.advance(1000);

  assert.deepEqual(chunksOf(again, Chunk.data).map(tsnOf), [tsn + 1]);
});

Deno.test("§6.2.1: a chunk whose gap acknowledgement is taken back is sent again", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  for (let i = 0; i < 3; i++) send(established, 100);
  bench.give(tag, [sack(tsn, [[2, 2]])]);

  bench.give(tag, [sack(tsn)]);
  const again = bench.advance(3000);

  assert.ok(chunksOf(again, Chunk.data).map(tsnOf).includes(tsn + 2));
});

Deno.test("§6.2.1: a SACK for what was never sent does not do harm", () => {
  const established = accept();
  const { bench, tag, tsn, association } = established;
  send(established, 100);

  bench.give(tag, [sack(tsn + 1000)]);

  const status = bench.stack.status(association);
  assert.ok(
    status === undefined || status.queuedOctets === 100,
    "ABORT, or nothing is taken as acknowledged",
  );
});

Deno.test("§6.2.1: gap blocks that make no sense do no harm", () => {
  const established = accept();
  const { bench, tag, tsn, association } = established;
  for (let i = 0; i < 3; i++) send(established, 100);

  bench.give(tag, [sack(tsn, [[9, 2], [0, 0], [60_000, 65_535], [2, 2], [2, 2], [1, 65_535]])]);

  const status = bench.stack.status(association);
  assert.ok(status === undefined || status.queuedOctets > 0);
});

Deno.test("§6.3.1 C1, §16: the time-out begins with one second", () => {
  const established = accept();

  const [first] = send(established, 10);
  const [again] = established.bench.advance(1000).filter(({ chunks }) => chunks[0]!.type === Chunk.data);

  assert.equal(again!.at - first!.at, 1000);
});

Deno.test("§6.3.1 C2: the first round trip makes the time-out three times as long", () => {
  const established = accept();

  roundTrip(established, established.tsn, 600);

  assert.equal(rtoOf(established), 1800);
});

Deno.test("§6.3.1 C3: later round trips are smoothed with one eighth and one quarter", () => {
  const established = accept();
  roundTrip(established, established.tsn, 800);

  roundTrip(established, established.tsn + 1, 400);

  // SRTT 800 -> 750; RTTVAR 400 -> 0.75 * 400 + 0.25 * |800 - 400| = 400.
  assert.ok(Math.abs(rtoOf(established) - (750 + 4 * 400)) < 1);
});

Deno.test("§6.3.1 C5: no round trip is taken from a chunk that was sent twice", () => {
  const established = accept();
  const { bench, tag, tsn, association } = established;
  send(established, 10);
  bench.advance(1000);

  bench.advance(300);
  bench.give(tag, [sack(tsn)]);

  assert.equal(bench.stack.status(association)!.paths[0]!.srttMs, 0);
});

Deno.test("§6.3.1 C6: the time-out is never below RTO.Min", () => {
  const established = accept();

  for (let i = 0; i < 20; i++) roundTrip(established, established.tsn + i, 1);

  assert.equal(rtoOf(established), 1000);
});

Deno.test("§6.3.1 C7: the time-out is never above RTO.Max", () => {
  const established = accept({ endpoint: { rto: { initialMs: 1000, minMs: 1000, maxMs: 3000 } } });

  send(established, 10);
  const times = established.bench.advance(20_000)
    .filter(({ chunks }) => chunks.some(({ type }) => type === Chunk.data)).map(({ at }) => at);

  assert.deepEqual(times.slice(0, 5), [1000, 3000, 6000, 9000, 12_000]);
});

Deno.test("§6.3.2 R2: when all is acknowledged nothing is sent again", () => {
  const established = accept({ endpoint: { heartbeatIntervalMs: 0 } });
  const { bench, tag, tsn } = established;
  send(established, 10);

  bench.give(tag, [sack(tsn)]);

  assert.deepEqual(bench.advance(60_000), []);
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§6.3.2 R3: a SACK for the earliest chunk starts the timer anew", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  send(established, 10);
  send(established, 10);
  bench.advance(900);
  bench.give(tag, [sack(tsn)]);
  const rto = rtoOf(established);

  const early = chunksOf(bench.advance(rto - 1), Chunk.data);
  const due = chunksOf(bench.advance(2), Chunk.data);

  assert.equal(early.length, 0);
  assert.deepEqual(due.map(tsnOf), [tsn + 1]);
});

Deno.test("§6.3.3 E2: the time-out doubles with every expiry", () => {
  const established = accept();

  send(established, 10);
  const times = established.bench.advance(15_000)
    .filter(({ chunks }) => chunks.some(({ type }) => type === Chunk.data)).map(({ at }) => at);

  assert.deepEqual(times, [1000, 3000, 7000, 15_000]);
});

Deno.test("§6.3.3 E3: after a time-out one packet is sent again, the earliest chunks first", () => {
  const established = accept();
  const { bench, tsn } = established;
  for (let i = 0; i < 3; i++) send(established, 1400);

  const again = bench.advance(1000);

  assert.deepEqual(chunksOf(again, Chunk.data).map(tsnOf), [tsn]);
});

Deno.test("§6.4: data goes to the primary path", () => {
  const established = accept({}, { parameters: addressParameters([THERE[1]!]) });
  confirmPaths(established);

  established.bench.execute({ type: "setPrimary", association: established.association, address: THERE[1]! });
  const sent = send(established, 100);

  assert.equal(
    sent.find(({ chunks }) => chunks.some(({ type }) => type === Chunk.data))?.destination,
    THERE[1],
  );
  assert.equal(sent[0]!.source, HERE[1]);
});

Deno.test("§6.4.1: what timed out is sent again on another active path", () => {
  const established = accept({}, { parameters: addressParameters([THERE[1]!]) });
  confirmPaths(established);

  const [first] = send(established, 100);
  const again = established.bench.advance(1000).filter(({ chunks }) =>
    chunks.some(({ type }) => type === Chunk.data)
  );

  assert.equal(first!.destination, THERE[0]);
  assert.equal(again[0]?.destination, THERE[1]);
});

Deno.test("§6.5: data on a stream that does not exist: ERROR cause 1, acknowledged, not delivered", () => {
  const { bench, tag } = accept({ endpoint: { maxInboundStreams: 4 } });

  const answers = [...bench.give(tag, [data({ tsn: THERE_TSN, stream: 4 })]), ...bench.advance(500)];

  const causes = tlvs(onlyChunk(answers, Chunk.error).value, 0);
  assert.equal(causes[0]?.type, Cause.invalidStream);
  assert.equal(read(causes[0].value, 0, 2), 4);
  assert.equal(readSack(chunksOf(answers, Chunk.sack).at(-1)!).cumulative, THERE_TSN);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.5: sequence numbers of a stream begin with 0, each stream for itself", () => {
  const established = accept();

  const sent = [0, 0, 1].flatMap((stream) => send(established, 10, stream));

  const numbers = chunksOf(sent, Chunk.data).map(({ value }) => [read(value, 4, 2), read(value, 6, 2)]);
  assert.deepEqual(numbers, [[0, 0], [0, 1], [1, 0]]);
});

Deno.test("§6.5: the sequence number of a stream goes from 65535 to 0", () => {
  const { bench, tag } = accept();
  let tsn = THERE_TSN;

  for (let ssn = 0; ssn < 65_540; ssn += 20) {
    const chunks = Array.from(
      { length: 20 },
      (_, i) => data({ tsn: tsn++, ssn: ssn + i & 0xffff, data: [1] }),
    );
    bench.stack.receive(
      packet(tag, chunks),
      { source: THERE[0]!, destination: HERE[0]!, udpPort: 0 },
      bench.now,
    );
    bench.stack.endOfBatch(bench.now);
    bench.collect();
  }

  assert.equal(bench.eventsOf("message").length, 65_540);
});

Deno.test("§6.6: ordered messages wait for the one before them, other streams do not", () => {
  const { bench, tag } = accept();

  bench.give(tag, [data({ tsn: THERE_TSN + 1, stream: 1, ssn: 1 })]);
  bench.give(tag, [data({ tsn: THERE_TSN + 2, stream: 2, ssn: 0 })]);
  const before = bench.eventsOf("message").map(({ stream, ssn }) => [stream, ssn]);
  bench.give(tag, [data({ tsn: THERE_TSN, stream: 1, ssn: 0 })]);

  assert.deepEqual(before, [[2, 0]]);
  assert.deepEqual(bench.eventsOf("message").map(({ stream, ssn }) => [stream, ssn]), [[2, 0], [1, 0], [
    1,
    1,
  ]]);
});

Deno.test("§6.6: unordered messages wait for nothing", () => {
  const { bench, tag } = accept();

  bench.give(tag, [data({ tsn: THERE_TSN + 5, flags: 7 })]);

  assert.equal(bench.eventsOf("message")[0]?.unordered, true);
});

Deno.test("§6.6: an unordered message goes out with the U bit", () => {
  const established = accept();

  const sent = send(established, 10, 0, true);

  assert.equal(onlyChunk(sent, Chunk.data).flags & 4, 4);
});

Deno.test("§6.7: a gap is reported at once, counted from the cumulative TSN", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN })]);

  const answers = bench.give(tag, [
    data({ tsn: THERE_TSN + 2, ssn: 2 }),
    data({ tsn: THERE_TSN + 3, ssn: 3 }),
  ]);

  const answer = readSack(onlyChunk(answers, Chunk.sack));
  assert.equal(answer.cumulative, THERE_TSN);
  assert.deepEqual(answer.gaps, [[2, 3]]);
});

Deno.test("§6.7: gaps are reported as blocks in order, and vanish when they are filled", () => {
  const { bench, tag } = accept();

  let answers: SentPacket[] = [];
  for (const offset of [1, 3, 5, 7]) {
    answers = bench.give(tag, [data({ tsn: THERE_TSN + offset, ssn: offset })]);
  }
  const gaps = readSack(onlyChunk(answers, Chunk.sack)).gaps;
  for (const offset of [2, 6, 0]) bench.give(tag, [data({ tsn: THERE_TSN + offset, ssn: offset })]);
  answers = [...bench.give(tag, [data({ tsn: THERE_TSN + 4, ssn: 4 })]), ...bench.advance(500)];

  assert.deepEqual(gaps, [[2, 2], [4, 4], [6, 6], [8, 8]]);
  const last = readSack(chunksOf(answers, Chunk.sack).at(-1)!);
  assert.equal(last.cumulative, THERE_TSN + 7);
  assert.deepEqual(last.gaps, []);
});

Deno.test("§6.9: a message longer than the path MTU goes in fragments: one SSN, TSNs in a row, B to E", () => {
  const established = accept();

  const sent = send(established, 4000);

  const chunks = chunksOf(sent, Chunk.data);
  assert.equal(userOctets(sent), 4000);
  assert.deepEqual(chunks.map(tsnOf), chunks.map((_, i) => established.tsn + i >>> 0));
  assert.ok(chunks.every(({ value }) => read(value, 6, 2) === 0 && read(value, 8, 4) === 3));
  assert.deepEqual(chunks.map(({ flags }) => flags & 3), [2, ...chunks.slice(2).map(() => 0), 1]);
  assert.ok(sent.every(({ octets }) => octets.length + 20 <= 1500));
});

Deno.test("§6.9: fragments in any order make one message", () => {
  const { bench, tag } = accept();

  bench.give(tag, [data({ tsn: THERE_TSN + 2, flags: 1, data: [5, 6] })]);
  bench.give(tag, [data({ tsn: THERE_TSN, flags: 2, data: [1, 2] })]);
  bench.give(tag, [data({ tsn: THERE_TSN + 1, flags: 0, data: [3, 4] })]);

  const [message] = bench.eventsOf("message");
  assert.deepEqual([...message!.data], [1, 2, 3, 4, 5, 6]);
  assert.equal(message!.tsn, THERE_TSN);
});

Deno.test("§6.9: fragments that contradict each other never become a message", () => {
  const { bench, tag } = accept();

  bench.give(tag, [
    data({ tsn: THERE_TSN, flags: 2, data: [1] }),
    data({ tsn: THERE_TSN + 1, flags: 2, data: [2] }),
  ]);
  bench.give(tag, [data({ tsn: THERE_TSN + 2, flags: 1, data: [3] })]);

  assert.ok(bench.eventsOf("message").every((event) => event.data.length === 2));
});

Deno.test("§6.9: TSNs wrap around, fragments with them", () => {
  const { bench, tag } = accept({}, { tsn: 0xffffffff });

  bench.give(tag, [data({ tsn: 0xffffffff, flags: 2, data: [1] })]);
  const answers = bench.give(tag, [data({ tsn: 0, flags: 1, data: [2] })]);

  assert.deepEqual([...bench.eventsOf("message")[0]!.data], [1, 2]);
  assert.equal(readSack(onlyChunk(answers, Chunk.sack)).cumulative, 0);
});

Deno.test("RFC 7053 §5.2: the I bit asks for a SACK at once", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN }), data({ tsn: THERE_TSN + 1, ssn: 1 })]);
  bench.advance(500);

  const answers = bench.give(tag, [data({ tsn: THERE_TSN + 2, ssn: 2, flags: 11 })]);

  onlyChunk(answers, Chunk.sack);
});

Deno.test("§6: the lesson of the trial: full fragments with a SACK to bundle do not stop", () => {
  const established = accept();
  const { bench, tag } = established;
  let sent = [...bench.give(tag, [data({ tsn: THERE_TSN })]), ...send(established, 16_384)];

  const received = new Set<number>();
  for (let i = 0; i < 40; i++) {
    for (const one of chunksOf(sent, Chunk.data)) received.add(tsnOf(one));
    let cumulative = established.tsn - 1;
    while (received.has(cumulative + 1)) cumulative++;
    sent = bench.give(tag, [sack(cumulative), data({ tsn: THERE_TSN + 1 + i, ssn: 1 + i })]);
  }

  assert.equal(bench.stack.status(established.association)!.queuedOctets, 0);
});
