/** RFC 9260 chapter 3: packet and chunk format, unknown chunks and parameters. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  addressParameters,
  be,
  Bench,
  Cause,
  Chunk,
  chunk,
  chunksOf,
  connect,
  data,
  HERE,
  HERE_PORT,
  init,
  onlyChunk,
  packet,
  read,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
  tlvs,
} from "./bench.ts";

/** A chunk of a type that nobody knows, with the given two action bits. */
const unknownChunk = (actionBits: number) => chunk(actionBits << 6 | 0x3a, 0, [1, 2, 3]);
/** A parameter of a type that nobody knows, with the given two action bits. */
const unknownParameter = (actionBits: number) => tlv(actionBits << 14 | 0x3a3a, [1, 2, 3, 4]);

Deno.test("§3.1: an INIT goes out with verification tag zero, between the right ports", () => {
  const bench = new Bench();

  const sent = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });

  assert.equal(sent.length, 1);
  assert.equal(sent[0]!.tag, 0);
  assert.equal(read(sent[0]!.octets, 0, 2), HERE_PORT);
  assert.equal(read(sent[0]!.octets, 2, 2), THERE_PORT);
  assert.equal(sent[0]!.destination, THERE[0]);
});

Deno.test("§3.1: a zero source or destination port is not answered", () => {
  const bench = new Bench();

  const answers = [
    ...bench.give(0, [init(Chunk.init)], { sourcePort: 0 }),
    ...bench.give(0, [init(Chunk.init)], { destinationPort: 0 }),
  ];

  assert.equal(answers.length, 0);
});

Deno.test("§3.2: an unknown chunk with action bits 00 stops the packet and is not reported", () => {
  const { bench, tag } = accept();

  const answers = [...bench.give(tag, [unknownChunk(0), data({ tsn: THERE_TSN })]), ...bench.advance(500)];

  assert.equal(chunksOf(answers, Chunk.error).length, 0);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§3.2: an unknown chunk with action bits 01 stops the packet and is reported", () => {
  const { bench, tag } = accept();

  const answers = [...bench.give(tag, [unknownChunk(1), data({ tsn: THERE_TSN })]), ...bench.advance(500)];

  const causes = tlvs(onlyChunk(answers, Chunk.error).value, 0);
  assert.equal(causes[0]!.type, Cause.unrecognizedChunk);
  assert.deepEqual([...causes[0]!.value.subarray(0, 4)], [0x7a, 0, 0, 7]);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§3.2: an unknown chunk with action bits 10 is skipped and not reported", () => {
  const { bench, tag } = accept();

  const answers = [...bench.give(tag, [unknownChunk(2), data({ tsn: THERE_TSN })]), ...bench.advance(500)];

  assert.equal(chunksOf(answers, Chunk.error).length, 0);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§3.2: an unknown chunk with action bits 11 is skipped and reported", () => {
  const { bench, tag } = accept();

  const answers = [...bench.give(tag, [unknownChunk(3), data({ tsn: THERE_TSN })]), ...bench.advance(500)];

  assert.equal(tlvs(onlyChunk(answers, Chunk.error).value, 0)[0]!.type, Cause.unrecognizedChunk);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§3.2: the padding of a chunk is ignored", () => {
  const { bench, tag } = accept();
  const padded = data({ tsn: THERE_TSN, data: [7] });
  padded.fill(0xff, padded.length - 3);

  bench.give(tag, [padded]);

  assert.deepEqual(bench.eventsOf("message").map((event) => [...event.data]), [[7]]);
});

Deno.test("§3.2: a chunk whose length is beyond the packet does no harm", () => {
  const { bench, tag } = accept();
  const tooLong = data({ tsn: THERE_TSN });
  tooLong[3]! += 100;

  bench.give(tag, [tooLong]);

  assert.equal(bench.eventsOf("message").length, 0);
});

for (const [actionBits, reported] of [[0, false], [1, true], [2, false], [3, true]] as const) {
  Deno.test(`§3.2.1: an unknown INIT parameter with action bits ${actionBits.toString(2).padStart(2, "0")} is ${reported ? "" : "not "}reported`, () => {
    const bench = new Bench();

    const answer = onlyChunk(
      bench.give(0, [init(Chunk.init, { parameters: unknownParameter(actionBits) })]),
      Chunk.initAck,
    );

    const reports = tlvs(answer.value, 16).filter(({ type }) => type === 8);
    assert.equal(reports.length, reported ? 1 : 0);
    if (reported) assert.deepEqual([...reports[0]!.value], unknownParameter(actionBits));
  });
}

Deno.test("§3.2.1: action bit 'stop' hides the parameters behind, action bit 'skip' does not", () => {
  const addresses = addressParameters([THERE[1]!]);

  const stopped = accept({}, { parameters: [...unknownParameter(0), ...addresses] });
  const skipped = accept({}, { parameters: [...unknownParameter(2), ...addresses] });

  assert.deepEqual(stopped.bench.eventsOf("up")[0]!.peerAddresses, [THERE[0]]);
  assert.deepEqual([...skipped.bench.eventsOf("up")[0]!.peerAddresses].sort(), [...THERE]);
});

Deno.test("§3.2.2: an unknown INIT ACK parameter is reported beside the COOKIE ECHO", () => {
  const bench = new Bench();
  const asked = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });
  const tag = read(onlyChunk(asked, Chunk.init).value, 0, 4);

  const parameters = [...unknownParameter(3), ...tlv(7, [1, 2, 3, 4])];
  const answers = bench.give(tag, [init(Chunk.initAck, { parameters })]);

  assert.deepEqual([...onlyChunk(answers, Chunk.cookieEcho).value], [1, 2, 3, 4]);
  const causes = tlvs(onlyChunk(answers, Chunk.error).value, 0);
  assert.equal(causes[0]!.type, Cause.unrecognizedParameters);
  assert.deepEqual([...causes[0]!.value], unknownParameter(3));
});

Deno.test("§3.3.1: DATA without user data is answered with ABORT, cause 9 and the TSN", () => {
  const { bench, tag } = accept();

  const answers = bench.give(tag, [data({ tsn: THERE_TSN, data: [] })]);

  const causes = tlvs(onlyChunk(answers, Chunk.abort).value, 0);
  assert.equal(causes[0]!.type, Cause.noUserData);
  assert.equal(read(causes[0]!.value, 0, 4), THERE_TSN);
  assert.equal(bench.eventsOf("down")[0]?.reason, "aborted");
});

Deno.test("§3.3.1: reserved bits of a DATA chunk are ignored on receipt", () => {
  const { bench, tag } = accept();

  bench.give(tag, [data({ tsn: THERE_TSN, flags: 0xf3 })]);

  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§3.3.2: an INIT with initiate tag zero is discarded", () => {
  const bench = new Bench();

  const answers = bench.give(0, [init(Chunk.init, { tag: 0 })]);

  assert.equal(chunksOf(answers, Chunk.initAck).length, 0);
  assert.equal(bench.eventsOf("up").length, 0);
});

for (
  const [name, fields] of [
    ["outbound streams", { outbound: 0 }],
    ["inbound streams", { inbound: 0 }],
    ["a window of 1499", { window: 1499 }],
  ] as const
) {
  const what = name.startsWith("a") ? name : `no ${name}`;
  Deno.test(`§3.3.2: an INIT with ${what} is refused, if at all with an ABORT under its initiate tag`, () => {
    const bench = new Bench();

    const answers = bench.give(0, [init(Chunk.init, fields)]);

    assert.equal(chunksOf(answers, Chunk.initAck).length, 0);
    for (const answer of answers) {
      assert.equal(answer.tag, THERE_TAG);
      assert.equal(answer.chunks[0]!.type, Chunk.abort);
      assert.equal(answer.chunks[0]!.flags, 0);
    }
  });
}

Deno.test("§3.3.2: an INIT that is too short for its fixed part is not answered with INIT ACK", () => {
  const bench = new Bench();

  const answers = bench.give(0, [chunk(Chunk.init, 0, be(4, THERE_TAG))]);

  assert.equal(chunksOf(answers, Chunk.initAck).length, 0);
});

Deno.test("§3.3.2.1: a host name address in an INIT is answered with ABORT", () => {
  const bench = new Bench();

  const answers = bench.give(0, [init(Chunk.init, { parameters: tlv(11, [0x61, 0x2e, 0x62, 0]) })]);

  assert.equal(chunksOf(answers, Chunk.initAck).length, 0);
  assert.equal(answers[0]?.tag, THERE_TAG);
  onlyChunk(answers, Chunk.abort);
});

Deno.test("§3.3.3: an INIT ACK has a tag, streams, a window of 1500 at least and a cookie", () => {
  const bench = new Bench();

  const answer = onlyChunk(bench.give(0, [init(Chunk.init)]), Chunk.initAck);

  assert.notEqual(read(answer.value, 0, 4), 0);
  assert.ok(read(answer.value, 4, 4) >= 1500);
  assert.ok(read(answer.value, 8, 2) >= 1);
  assert.ok(read(answer.value, 10, 2) >= 1);
  assert.equal(tlvs(answer.value, 16).filter(({ type }) => type === 7).length, 1);
});

for (const [name, fields] of [["initiate tag", { tag: 0 }], ["outbound streams", { outbound: 0 }]] as const) {
  Deno.test(`§3.3.3: an INIT ACK without ${name} does not lead to an association`, () => {
    const bench = new Bench();
    const asked = bench.execute({
      type: "connect",
      request: 1,
      addresses: [THERE[0]!],
      port: THERE_PORT,
      encapsulationPort: 0,
    });
    const tag = read(onlyChunk(asked, Chunk.init).value, 0, 4);

    const answers = bench.give(tag, [init(Chunk.initAck, { ...fields, parameters: tlv(7, [1, 2, 3, 4]) })]);

    assert.equal(chunksOf(answers, Chunk.cookieEcho).length, 0);
    bench.advance(600_000);
    assert.equal(bench.eventsOf("up").length, 0);
    assert.equal(bench.eventsOf("down").length, 1);
  });
}

Deno.test("§3.3.3: an INIT ACK without a cookie is answered with ABORT, cause 2", () => {
  const bench = new Bench();
  const asked = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });
  const tag = read(onlyChunk(asked, Chunk.init).value, 0, 4);

  const answers = bench.give(tag, [init(Chunk.initAck)]);

  assert.equal(answers[0]?.tag, THERE_TAG);
  const causes = tlvs(onlyChunk(answers, Chunk.abort).value, 0);
  assert.equal(causes[0]?.type, Cause.missingParameter);
  assert.deepEqual([...causes[0].value], [...be(4, 1), ...be(2, 7)]);
  assert.equal(bench.eventsOf("down").length, 1);
});

Deno.test("§3.3.7: an ABORT ends the association without an answer, its cause is reported", () => {
  const { bench, association, tag } = accept();

  const answers = bench.give(tag, [tlvChunk(Chunk.abort, 0, tlv(Cause.userInitiatedAbort, [0x68, 0x69]))]);

  assert.equal(answers.length, 0);
  const down = bench.eventsOf("down")[0]!;
  assert.equal(down.association, association);
  assert.equal(down.reason, "aborted");
  assert.equal(down.origin, "peer");
  assert.equal(down.cause?.code, Cause.userInitiatedAbort);
  assert.deepEqual([...down.cause.info], [0x68, 0x69]);
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§3.3.10: an ERROR is told to the application and changes nothing", () => {
  const { bench, tag } = accept();

  bench.give(tag, [tlvChunk(Chunk.error, 0, tlv(Cause.invalidStream, [0, 9, 0, 0]))]);

  assert.equal(bench.eventsOf("remoteError")[0]?.cause.code, Cause.invalidStream);
  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§6.8: a packet with a wrong checksum is discarded without a word", () => {
  const { bench, tag } = accept();
  const octets = packet(tag, [data({ tsn: THERE_TSN })]);
  octets[octets.length - 1]! ^= 1;

  const answers = [...bench.giveRaw(octets), ...bench.advance(1000)];

  assert.equal(chunksOf(answers, Chunk.sack).length, 0);
  assert.equal(bench.eventsOf("message").length, 0);
  assert.equal(bench.stack.counters.checksumErrors, 1);
});

Deno.test("§6.10: an INIT that is bundled with something is discarded", () => {
  const bench = new Bench();

  const answers = bench.give(0, [init(Chunk.init), data({ tsn: THERE_TSN })]);

  assert.equal(chunksOf(answers, Chunk.initAck).length, 0);
});

Deno.test("§6.10: a COOKIE ECHO may come with DATA, which is taken", () => {
  const bench = new Bench();
  const answer = onlyChunk(bench.give(0, [init(Chunk.init)]), Chunk.initAck);
  const tag = read(answer.value, 0, 4);
  const cookie = tlvs(answer.value, 16).find(({ type }) => type === 7)!.value;

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie), data({ tsn: THERE_TSN })]);

  assert.equal(answers[0]!.chunks[0]!.type, Chunk.cookieAck);
  assert.deepEqual(bench.events.map(({ type }) => type).filter((type) => type !== "path"), ["up", "message"]);
});

Deno.test("§6.10: messages that wait together share a packet, up to the path MTU", () => {
  const { bench, association } = accept();
  for (let i = 0; i < 3; i++) {
    bench.stack.execute(5, { type: "send", association, data: new Uint8Array(100), ppid: 0 }, bench.now);
  }

  const sent = bench.collect();

  assert.equal(sent.length, 1);
  assert.equal(chunksOf(sent, Chunk.data).length, 3);
});

Deno.test("§3: any octets at all are survived", () => {
  const { bench, tag } = connect();

  for (let length = 0; length < 80; length++) {
    bench.giveRaw(new Uint8Array(length).fill(length), { source: HERE[0]! });
    bench.give(tag, [Uint8Array.from({ length }, (_, i) => i * length & 0xff)]);
  }

  assert.equal(bench.stack.counters.packetsReceived > 0, true);
});
