/** RFC 6951: SCTP packets in UDP. Each test: init, act, check. */
import assert from "node:assert/strict";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import {
  accept,
  addressParameters,
  answerHeartbeats,
  Bench,
  Chunk,
  chunk,
  chunksOf,
  confirmPaths,
  data,
  type Established,
  HERE,
  init,
  onlyChunk,
  packet,
  read,
  sack,
  type SentPacket,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
} from "./bench.ts";

const UDP = { udpPort: 9899 } as const;

function send({ bench, association }: Established, octets: number = 100): SentPacket[] {
  return bench.execute({ type: "send", association, data: new Uint8Array(octets), ppid: 0 });
}

Deno.test("§4.1: the host-wide convention: UDP port = SCTP port + 10000, within 1-65535, one for each", () => {
  const ports = new Set<number>();

  for (let port = 1; port <= 65_535; port++) ports.add(encapsulationPort(port));

  assert.equal(ports.size, 65_535);
  assert.equal(Math.min(...ports), 1);
  assert.equal(Math.max(...ports), 65_535);
  assert.deepEqual([3863, 9901, 1234].map(encapsulationPort), [13_863, 19_901, 11_234]);
});

Deno.test("§5.1: a connect to an encapsulation port goes there", () => {
  const bench = new Bench();

  const sent = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 9899,
  });

  assert.deepEqual(sent.map(({ udpPort }) => udpPort), [9899]);
});

Deno.test("§5.3: an answer goes to the UDP port that the packet came from", () => {
  const bench = new Bench();

  const sent = bench.give(0, [init(Chunk.init)], { udpPort: 31_337 });

  assert.deepEqual(sent.map(({ udpPort }) => udpPort), [31_337]);
});

Deno.test("§5.3: what a stranger gets goes to the UDP port that the packet came from", () => {
  const bench = new Bench();

  const sent = bench.give(77, [data({ tsn: 1 })], UDP);

  onlyChunk(sent, Chunk.abort);
  assert.equal(sent[0]!.udpPort, 9899);
});

Deno.test("§5.3: an association that came over UDP stays on UDP, timers included", () => {
  const established = accept({}, {}, UDP);

  const sent = [...send(established), ...established.bench.advance(40_000)];

  assert.ok(sent.length >= 3);
  assert.ok(sent.every(({ udpPort }) => udpPort === 9899));
  assert.equal(established.bench.stack.status(established.association)!.paths[0]!.encapsulationPort, 9899);
});

Deno.test("§5.3: an association that came in plain SCTP stays so", () => {
  const established = accept();

  const sent = [...send(established), ...established.bench.advance(40_000)];

  assert.ok(sent.every(({ udpPort }) => udpPort === 0));
});

Deno.test("§5.4: the peer's UDP port is learnt anew from every valid packet", () => {
  const established = accept({}, {}, UDP);
  const { bench, tag } = established;

  bench.give(tag, [data({ tsn: THERE_TSN })], { udpPort: 40_000 });
  const sent = send(established);

  assert.ok(sent.every(({ udpPort }) => udpPort === 40_000));
});

Deno.test("§5.4: a packet with a wrong tag or checksum changes no UDP port", () => {
  const established = accept({}, {}, UDP);
  const { bench, tag } = established;
  const damaged = packet(tag, [data({ tsn: THERE_TSN })]);
  damaged[20]! ^= 1;

  bench.give(tag ^ 1, [data({ tsn: THERE_TSN })], { udpPort: 40_000 });
  bench.giveRaw(damaged, { udpPort: 40_000 });
  const sent = send(established);

  assert.ok(sent.every(({ udpPort }) => udpPort === 9899));
});

Deno.test("§5.4: an INIT with tag zero changes no UDP port of an association", () => {
  const established = accept({}, {}, UDP);

  established.bench.give(0, [init(Chunk.init, { tag: 1 })], { udpPort: 40_000 });
  const sent = send(established);

  assert.ok(sent.every(({ udpPort }) => udpPort === 9899));
});

Deno.test("§5.4: every path has a UDP port of its own", () => {
  const established = accept({}, { parameters: addressParameters([THERE[1]!]) }, UDP);
  confirmPaths(established);
  const { bench, tag, association } = established;

  bench.give(tag, [tlvChunk(Chunk.heartbeat, 0, tlv(1, [1, 2, 3, 4]))], {
    source: THERE[1]!,
    destination: HERE[1]!,
    udpPort: 5000,
  });

  const ports = Object.fromEntries(
    bench.stack.status(association)!.paths.map(({ address, encapsulationPort: port }) => [address, port]),
  );
  assert.deepEqual(ports, { [THERE[0]!]: 9899, [THERE[1]!]: 5000 });
});

Deno.test("§5.6: the UDP header counts in the path MTU", () => {
  const plain = accept({}, { window: 100_000 }), udp = accept({}, { window: 100_000 }, UDP);

  const longest = [plain, udp].map((established) =>
    Math.max(...send(established, 4000).map(({ octets }) => octets.length))
  );

  assert.equal(longest[0], 1480);
  assert.ok(longest[1]! <= 1472 && longest[1]! > 1464, String(longest[1]));
});

Deno.test("§5.5: port unreachable with the right tag ends an association over UDP", () => {
  const { bench } = accept({}, {}, UDP);

  bench.giveError({
    destination: THERE[0]!,
    udpPort: 9899,
    kind: "port-unreachable",
    mtu: undefined,
    packet: packet(THERE_TAG, [sack(1)], 7000, THERE_PORT).slice(0, 20),
    localPort: 7000,
  });

  assert.equal(bench.eventsOf("down").length, 1);
});

Deno.test("§5.5: port unreachable with a wrong tag is ignored", () => {
  const { bench } = accept({}, {}, UDP);

  bench.giveError({
    destination: THERE[0]!,
    udpPort: 9899,
    kind: "port-unreachable",
    mtu: undefined,
    packet: packet(THERE_TAG ^ 1, [sack(1)], 7000, THERE_PORT).slice(0, 20),
    localPort: 7000,
  });

  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§5.5: port unreachable about an INIT is a refusal when there is no other way", () => {
  const bench = new Bench();
  const [sent] = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 9899,
  });

  bench.giveError({
    destination: THERE[0]!,
    udpPort: 9899,
    kind: "port-unreachable",
    mtu: undefined,
    packet: sent!.octets.slice(0, 20),
    localPort: 7000,
  });

  assert.equal(bench.eventsOf("down")[0]?.reason, "refused");
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("embedded-sctp §4.5: an initiator tries plain SCTP first, UDP soon after, with the same INIT", () => {
  const bench = new Bench();

  const sent = [
    ...bench.execute({ type: "connect", request: 1, addresses: [THERE[0]!], port: THERE_PORT }),
    ...bench.advance(900),
  ].filter(({ chunks }) => chunks[0]!.type === Chunk.init);

  assert.equal(sent[0]!.udpPort, 0);
  assert.ok(sent.some(({ udpPort, at }) => udpPort === encapsulationPort(THERE_PORT) && at <= 300));
  assert.equal(new Set(sent.map(({ octets }) => octets.toHex())).size, 1);
});

Deno.test("embedded-sctp §4.5: without raw sockets only UDP is tried", () => {
  const bench = new Bench({ raw: false });

  const sent = [
    ...bench.execute({ type: "connect", request: 1, addresses: [THERE[0]!], port: THERE_PORT }),
    ...bench.advance(10_000),
  ];

  assert.ok(sent.length >= 2);
  assert.ok(sent.every(({ udpPort }) => udpPort === encapsulationPort(THERE_PORT)));
});

Deno.test("embedded-sctp §4.5: protocol unreachable starts the next candidate at once", () => {
  const bench = new Bench();
  const [first] = bench.execute({ type: "connect", request: 1, addresses: [THERE[0]!], port: THERE_PORT });

  const sent = bench.giveError({
    destination: THERE[0]!,
    udpPort: 0,
    kind: "protocol-unreachable",
    mtu: undefined,
    packet: first!.octets.slice(0, 28),
    localPort: 0,
  });

  assert.deepEqual(sent.map(({ udpPort }) => udpPort), [encapsulationPort(THERE_PORT)]);
});

Deno.test("embedded-sctp §4.5: the first INIT ACK wins, a second one over the other way is ignored", () => {
  const bench = new Bench();
  const sent = [
    ...bench.execute({ type: "connect", request: 1, addresses: [THERE[0]!], port: THERE_PORT }),
    ...bench.advance(500),
  ];
  const tag = read(chunksOf(sent, Chunk.init)[0]!.value, 0, 4);
  const port = encapsulationPort(THERE_PORT);

  const echo = bench.give(tag, [init(Chunk.initAck, { parameters: tlv(7, [1, 1, 1, 1]) })], {
    udpPort: port,
  });
  const late = bench.give(tag, [init(Chunk.initAck, { tag: 5, parameters: tlv(7, [2, 2, 2, 2]) })]);
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])], { udpPort: port });

  assert.equal(echo[0]!.udpPort, port);
  assert.equal(late.length, 0);
  assert.equal(bench.eventsOf("up").length, 1);
});

Deno.test("embedded-sctp §4.4: HEARTBEAT ACKs keep a path on the UDP port that works", () => {
  const established = accept({ endpoint: { heartbeatIntervalMs: 1000 } }, {}, UDP);
  const { bench, tag } = established;

  for (let i = 0; i < 20; i++) answerHeartbeats(bench, tag, bench.advance(500));

  assert.ok(send(established).every(({ udpPort }) => udpPort === 9899));
  assert.equal(bench.eventsOf("down").length, 0);
});
