/** RFC 9260 chapters 8 and 10: failures, strangers' packets, verification tags, ICMP. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  addressParameters,
  answerHeartbeats,
  Bench,
  Cause,
  Chunk,
  chunk,
  chunksOf,
  confirmPaths,
  connect,
  data,
  type Established,
  HERE,
  init,
  onlyChunk,
  packet,
  sack,
  type SentPacket,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
} from "./bench.ts";

const TWO_PATHS = { parameters: addressParameters([THERE[1]!]) };

function send({ bench, association }: Established, octets: number = 100): SentPacket[] {
  return bench.execute({ type: "send", association, data: new Uint8Array(octets), ppid: 0 });
}

Deno.test("§8.1: after Association.Max.Retrans + 1 time-outs in a row the association is lost", () => {
  const established = accept({ endpoint: { associationMaxRetransmissions: 3, heartbeatIntervalMs: 0 } });

  send(established);
  const sent = chunksOf(established.bench.advance(600_000), Chunk.data);

  assert.equal(sent.length, 3);
  const [down] = established.bench.eventsOf("down");
  assert.equal(down?.reason, "timeout");
  assert.equal(established.bench.eventsOf("sendFailed")[0]?.sent, true);
  assert.equal(established.bench.stack.nextTimeout(), undefined);
});

Deno.test("§8.1: whatever is acknowledged sets the association's error counter back", () => {
  const established = accept({ endpoint: { associationMaxRetransmissions: 2, heartbeatIntervalMs: 0 } });
  const { bench, tag, tsn } = established;

  for (let i = 0; i < 10; i++) {
    send(established);
    assert.equal(
      chunksOf(bench.advance(bench.stack.status(established.association)!.paths[0]!.rtoMs), Chunk.data)
        .length,
      1,
    );
    bench.give(tag, [sack(tsn + i)]);
  }

  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§8.2: after Path.Max.Retrans + 1 errors a path is told to be unreachable", () => {
  const established = accept(
    { endpoint: { pathMaxRetransmissions: 1, heartbeatIntervalMs: 500 } },
    TWO_PATHS,
  );
  confirmPaths(established);
  const { bench, tag } = established;

  for (let i = 0; i < 100; i++) {
    const sent = bench.advance(200);
    answerHeartbeats(bench, tag, sent.filter(({ destination }) => destination === THERE[0]));
  }

  const changes = bench.eventsOf("path").filter(({ change }) => change === "unreachable");
  assert.deepEqual(changes.map(({ address }) => address), [THERE[1]]);
  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§8.2: an unreachable path that answers a HEARTBEAT is available again", () => {
  const established = accept(
    { endpoint: { pathMaxRetransmissions: 1, heartbeatIntervalMs: 500 } },
    TWO_PATHS,
  );
  confirmPaths(established);
  const { bench, tag } = established;
  for (let i = 0; i < 100; i++) {
    answerHeartbeats(bench, tag, bench.advance(200).filter(({ destination }) => destination === THERE[0]));
  }

  for (let i = 0; i < 400; i++) answerHeartbeats(bench, tag, bench.advance(200));

  const changes = bench.eventsOf("path").filter(({ address }) => address === THERE[1]).map(({ change }) =>
    change
  );
  assert.deepEqual(changes.slice(-2), ["unreachable", "available"]);
});

Deno.test("§8.2, §6.4.1: new data leaves an unreachable primary path", () => {
  const established = accept(
    { endpoint: { pathMaxRetransmissions: 1, heartbeatIntervalMs: 500 } },
    TWO_PATHS,
  );
  confirmPaths(established);
  const { bench, tag } = established;
  for (let i = 0; i < 100; i++) {
    answerHeartbeats(bench, tag, bench.advance(200).filter(({ destination }) => destination === THERE[1]));
  }

  const sent = send(established);

  assert.equal(
    sent.find(({ chunks }) => chunks.some(({ type }) => type === Chunk.data))?.destination,
    THERE[1],
  );
});

Deno.test("§8.3: an idle path gets HEARTBEATs every HB.interval + RTO, give or take half an RTO", () => {
  const established = accept({ endpoint: { heartbeatIntervalMs: 30_000 } });
  const { bench, tag } = established;

  const times: number[] = [];
  for (let i = 0; i < 4000; i++) {
    const sent = bench.advance(100);
    if (chunksOf(sent, Chunk.heartbeat).length > 0) times.push(sent[0]!.at);
    answerHeartbeats(bench, tag, sent);
  }

  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  assert.ok(gaps.length >= 8);
  assert.ok(gaps.every((gap) => gap >= 30_000 && gap <= 31_600), gaps.join(" "));
});

Deno.test("§8.3: a HEARTBEAT is answered with what it holds, to where it came from", () => {
  const established = accept({}, TWO_PATHS);
  confirmPaths(established);
  const info = tlv(1, [5, 4, 3, 2, 1]);

  const answers = established.bench.give(established.tag, [tlvChunk(Chunk.heartbeat, 0, info)], {
    source: THERE[1]!,
    destination: HERE[1]!,
  });

  assert.deepEqual([...onlyChunk(answers, Chunk.heartbeatAck).value], info.slice(0, 9));
  assert.equal(answers[0]!.destination, THERE[1]);
  assert.equal(answers[0]!.tag, THERE_TAG);
});

Deno.test("§8.3: an unanswered HEARTBEAT ends an association with a peer that is gone", () => {
  const established = accept({
    endpoint: { heartbeatIntervalMs: 1000, associationMaxRetransmissions: 3, pathMaxRetransmissions: 3 },
  });

  established.bench.advance(600_000);

  assert.equal(established.bench.eventsOf("down")[0]?.reason, "timeout");
});

Deno.test("§8.3: a HEARTBEAT can be asked for, and its round trip counts", () => {
  const established = accept();
  const { bench, tag, association } = established;

  const sent = bench.execute({ type: "heartbeat", association });
  bench.advance(50);
  answerHeartbeats(bench, tag, sent);

  onlyChunk(sent, Chunk.heartbeat);
  assert.ok(Math.abs(bench.stack.status(association)!.paths[0]!.srttMs - 50) < 1);
});

Deno.test("§8.4 (2): a stranger's ABORT is discarded", () => {
  const bench = new Bench();

  const answers = bench.give(77, [chunk(Chunk.abort, 0, [])]);

  assert.equal(answers.length, 0);
});

Deno.test("§8.4 (5): a stranger's SHUTDOWN ACK is answered with SHUTDOWN COMPLETE, T bit, same tag", () => {
  const bench = new Bench();

  const answers = bench.give(77, [chunk(Chunk.shutdownAck, 0, [])]);

  assert.equal(onlyChunk(answers, Chunk.shutdownComplete).flags, 1);
  assert.equal(answers[0]!.tag, 77);
});

Deno.test("§8.4 (6): a stranger's SHUTDOWN COMPLETE is discarded", () => {
  const bench = new Bench();

  const answers = bench.give(77, [chunk(Chunk.shutdownComplete, 0, [])]);

  assert.equal(answers.length, 0);
});

Deno.test("§8.4 (7): a stranger's COOKIE ACK and stale cookie error are discarded", () => {
  const bench = new Bench();

  const answers = [
    ...bench.give(77, [chunk(Chunk.cookieAck, 0, [])]),
    ...bench.give(77, [tlvChunk(Chunk.error, 0, tlv(Cause.staleCookie, [0, 0, 0, 1]))]),
  ];

  assert.equal(answers.length, 0);
});

for (
  const [name, stranger] of [
    ["DATA", data({ tsn: 1 })],
    ["SACK", sack(1)],
    ["HEARTBEAT", tlvChunk(Chunk.heartbeat, 0, tlv(1, [1, 2, 3, 4]))],
    ["SHUTDOWN", chunk(Chunk.shutdown, 0, [0, 0, 0, 1])],
  ] as const
) {
  Deno.test(`§8.4 (8): a stranger's ${name} is answered with ABORT, T bit, same tag`, () => {
    const bench = new Bench();

    const answers = bench.give(77, [stranger]);

    assert.equal(onlyChunk(answers, Chunk.abort).flags, 1);
    assert.equal(answers[0]!.tag, 77);
    assert.equal(answers[0]!.destination, THERE[0]);
  });
}

Deno.test("§8.4: a packet for a port that nobody owns is not answered (embedded-sctp §4.8)", () => {
  const bench = new Bench();

  const answers = bench.give(77, [data({ tsn: 1 })], { destinationPort: 4321 });

  assert.equal(answers.length, 0);
  assert.equal(bench.stack.counters.foreignPort, 1);
});

Deno.test("§8.5: a packet with a wrong tag is discarded", () => {
  const { bench, tag } = accept();

  const answers = [...bench.give(tag ^ 1, [data({ tsn: THERE_TSN })]), ...bench.advance(1000)];

  assert.equal(chunksOf(answers, Chunk.sack).length, 0);
  assert.equal(bench.eventsOf("message").length, 0);
  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§8.5.1 A: a packet with tag zero that is not an INIT is discarded", () => {
  const bench = new Bench();

  const answers = [data({ tsn: 1 }), sack(1), chunk(Chunk.shutdownAck, 0, [])].flatMap((one) =>
    bench.give(0, [one])
  );

  assert.deepEqual(answers, []);
});

for (
  const [flags, which, taken] of [
    [0, "own", true],
    [1, "peer", true],
    [0, "peer", false],
    [1, "own", false],
  ] as const
) {
  const name = `an ABORT with T=${flags} and the receiver's ${which === "own" ? "own" : "peer's"} tag`;
  Deno.test(`§8.5.1 B: ${name} is ${taken ? "taken" : "discarded"}`, () => {
    const { bench, tag } = accept();

    const answers = bench.give(which === "own" ? tag : THERE_TAG, [chunk(Chunk.abort, flags, [])]);

    assert.equal(bench.eventsOf("down").length, taken ? 1 : 0);
    assert.equal(answers.length, 0);
  });
}

for (
  const [flags, which, taken] of [
    [0, "own", true],
    [1, "peer", true],
    [0, "peer", false],
    [1, "own", false],
  ] as const
) {
  const name = `a SHUTDOWN COMPLETE with T=${flags} and the receiver's ${
    which === "own" ? "own" : "peer's"
  } tag`;
  Deno.test(`§8.5.1 C: ${name} is ${taken ? "taken" : "discarded"}`, () => {
    const { bench, tag, tsn } = accept();
    onlyChunk(
      bench.give(tag, [
        chunk(
          Chunk.shutdown,
          0,
          [tsn - 1 >>> 24, tsn - 1 >>> 16, tsn - 1 >>> 8, tsn - 1].map((v) => v & 255),
        ),
      ]),
      Chunk.shutdownAck,
    );

    bench.give(which === "own" ? tag : THERE_TAG, [chunk(Chunk.shutdownComplete, flags, [])]);

    assert.equal(bench.eventsOf("down").length, taken ? 1 : 0);
  });
}

Deno.test("§8.5.1 C: a SHUTDOWN COMPLETE that was not asked for is discarded", () => {
  const { bench, tag } = accept();

  const answers = bench.give(tag, [chunk(Chunk.shutdownComplete, 0, [])]);

  assert.equal(answers.length, 0);
  assert.equal(bench.eventsOf("down").length, 0);
});

/** An ICMP message about a packet that the stack is said to have sent. */
function icmp(
  tag: number,
  kind: "port-unreachable" | "protocol-unreachable" | "host-unreachable" | "too-big",
  mtu?: number,
) {
  const quoted = packet(tag, [data({ tsn: 1 })], 7000, THERE_PORT).slice(0, 28);
  return { destination: THERE[0]!, udpPort: 0, kind, mtu, packet: quoted, localPort: 0 } as const;
}

Deno.test("§10: protocol unreachable with the right tag ends an established association", () => {
  const { bench } = accept();

  bench.giveError(icmp(THERE_TAG, "protocol-unreachable"));

  assert.equal(bench.eventsOf("down").length, 1);
});

Deno.test("§10: an ICMP message with a wrong tag is ignored", () => {
  const { bench } = accept();

  bench.giveError(icmp(THERE_TAG ^ 1, "protocol-unreachable"));
  bench.giveError(icmp(THERE_TAG ^ 1, "too-big", 600));

  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§10: host unreachable does not end an association", () => {
  const { bench } = accept();

  bench.giveError(icmp(THERE_TAG, "host-unreachable"));

  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§10: protocol unreachable about an INIT is a refusal when there is no other way", () => {
  const bench = new Bench();
  const [sent] = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });

  bench.giveError({ ...icmp(0, "protocol-unreachable"), packet: sent!.octets.slice(0, 28) });
  bench.advance(60_000);

  assert.equal(bench.eventsOf("down")[0]?.reason, "refused");
});

Deno.test("§6.9, §7.3: packet too big makes packets smaller, and the data arrives in them", () => {
  const established = connect({}, { window: 1_000_000 });
  const { bench, tag, tsn } = established;

  bench.giveError(icmp(THERE_TAG, "too-big", 800));
  const sent = send(established, 5000);
  for (let i = 0, highest = tsn - 1; i < 20; i++) {
    highest += i === 0 ? chunksOf(sent, Chunk.data).length : 0;
    const more = bench.give(tag, [sack(highest, [], 1_000_000)]);
    highest += chunksOf(more, Chunk.data).length;
    sent.push(...more);
    if (chunksOf(more, Chunk.data).length === 0) break;
    bench.give(tag, [sack(highest, [], 1_000_000)]).forEach((one) => sent.push(one));
  }

  assert.ok(
    sent.every(({ octets }) => octets.length + 20 <= 800),
    sent.map(({ octets }) => octets.length).join(" "),
  );
});

Deno.test("§10: packet too big with a nonsensical MTU does not make packets tiny", () => {
  const established = connect({}, { window: 1_000_000 });

  established.bench.giveError(icmp(THERE_TAG, "too-big", 0));
  established.bench.giveError(icmp(THERE_TAG, "too-big", 68));
  const sent = send(established, 3000);

  assert.ok(chunksOf(sent, Chunk.data).length <= 8);
});

Deno.test("§8.4: an INIT for an association that exists gets an INIT ACK, and the association lives on", () => {
  const { bench, tag } = accept();

  bench.give(0, [init(Chunk.init, { tag: 4711 })]);
  bench.give(tag, [data({ tsn: THERE_TSN })]);

  assert.equal(bench.eventsOf("message").length, 1);
  assert.equal(bench.eventsOf("down").length, 0);
});
