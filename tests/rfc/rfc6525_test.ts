/** RFC 6525: stream reconfiguration. Each test: init, act, check. */
import assert from "node:assert/strict";
import { ChunkType } from "../../protocol/sctp/chunk.ts";
import { NO_EXTENSIONS } from "../../protocol/sctp/extensions.ts";
import {
  makeReconfiguration,
  readReconfiguration,
  ReconfigurationResult as Result,
} from "../../protocol/sctp/reconfiguration_chunk.ts";
import type { ReconfigurationParameter } from "../../protocol/sctp/reconfiguration_chunk.ts";
import type { EndpointOptions, TransportCommand } from "../../protocol/net.ts";
import { SERVER_PORT } from "../protocol/sctp/harness.ts";
import { dataChunk, FakePeer, INIT, sackChunk } from "../protocol/sctp/packets.ts";
import type { ReadPacket } from "../protocol/sctp/packets.ts";
import { accept, addressParameters, confirmPaths, THERE } from "./bench.ts";
import { supportedExtensions } from "./data_bench.ts";

/** The first TSN of the hand-made peer, which is the number of its first request, too (§4.1). */
const FIRST = INIT.initialTsn;
const DATA = new Uint8Array(10);

/** A server under test whose peer offers reconfiguration. */
function connected(options: EndpointOptions = {}): { peer: FakePeer; id: number } {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, ...options });
  peer.connect({ extensions: { ...NO_EXTENSIONS, reconfiguration: true } });
  return { peer, id: peer.server.of(1, "up")[0]!.association };
}

/** Parameters of RE-CONFIG chunks. */
function parametersOf(packets: readonly ReadPacket[]): ReconfigurationParameter[] {
  return packets.flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.reconfiguration)
    .flatMap(({ octets }) => readReconfiguration(octets));
}

function ask(peer: FakePeer, ...parameters: ReconfigurationParameter[]): ReconfigurationParameter[] {
  return parametersOf(peer.send(peer.serverTag, [makeReconfiguration(parameters)]));
}

function command(peer: FakePeer, wanted: TransportCommand): ReconfigurationParameter[] {
  peer.server.execute(1, wanted);
  return parametersOf(peer.wait(1));
}

function response(request: number, result: number): ReconfigurationParameter {
  return { type: "response", response: request, result, tsns: undefined };
}

const resetOutgoing = (request: number, lastTsn: number, streams: number[]): ReconfigurationParameter => ({
  type: "resetOutgoing",
  request,
  response: 0,
  lastTsn,
  streams,
});

Deno.test("§4: every parameter is read as it was written", () => {
  const parameters: ReconfigurationParameter[] = [
    { type: "resetOutgoing", request: 1, response: 2, lastTsn: 0xffff_ffff, streams: [1, 2, 3] },
    { type: "resetIncoming", request: 1, streams: [] },
    { type: "resetAssociation", request: 7 },
    { type: "addOutgoing", request: 1, count: 65_535 },
    { type: "addIncoming", request: 1, count: 1 },
    response(9, 6),
    { type: "response", response: 9, result: 1, tsns: { sender: 5, receiver: 6 } },
  ];

  for (const parameter of parameters) {
    const chunk = makeReconfiguration([parameter]);

    assert.deepEqual(readReconfiguration(chunk), [parameter]);
    assert.equal(chunk.length % 4, 0);
  }
});

Deno.test("§4.1: an odd number of streams is padded, and the chunk's length does not count that", () => {
  const chunk = makeReconfiguration([resetOutgoing(1, 2, [3])]);

  assert.equal(chunk.length, 24);
  assert.equal(chunk[2]! << 8 | chunk[3]!, 22);
});

Deno.test("§5.1.1: INIT ACK lists RE-CONFIG among the extensions", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true });
  const off = new FakePeer({ port: SERVER_PORT, listen: true, reconfiguration: false });

  assert.equal(peer.initAck().extensions?.reconfiguration, true);
  assert.equal(off.initAck().extensions?.reconfiguration, false);
});

Deno.test("§5.1.1: a peer that does not offer it gets no request, and the user an error", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true }).connect();
  const association = peer.server.of(1, "up")[0]!.association;

  const sent = [
    ...command(peer, { type: "resetStreams", association, direction: "both", streams: [1] }),
    ...command(peer, { type: "resetAssociation", association }),
    ...command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 }),
  ];

  assert.deepEqual(sent, []);
  assert.deepEqual(peer.server.of(1, "streamsReset").map(({ outcome }) => outcome), ["failed", "failed"]);
  assert.equal(peer.server.of(1, "associationReset")[0]!.outcome, "failed");
  assert.equal(peer.server.of(1, "streamsAdded")[0]!.outcome, "failed");
});

Deno.test("§5.1.1: there is one request in flight, and the next follows its response", () => {
  const { peer, id: association } = connected();
  peer.server.execute(1, { type: "addStreams", association, outbound: 1, inbound: 0 });

  const first = command(peer, { type: "addStreams", association, outbound: 2, inbound: 0 });
  const second = ask(peer, response(peer.serverTsn, Result.performed));

  assert.deepEqual(first, [{ type: "addOutgoing", request: peer.serverTsn, count: 1 }]);
  assert.deepEqual(second, [{ type: "addOutgoing", request: peer.serverTsn + 1, count: 2 }]);
});

Deno.test("§5.1.1: a request is repeated after an RTO, which doubles, and counts errors", () => {
  const { peer, id: association } = connected({ heartbeatIntervalMs: 0 });
  const [request] = command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 });

  const early = parametersOf(peer.wait(990)), first = parametersOf(peer.wait(20));
  const between = parametersOf(peer.wait(1900)), second = parametersOf(peer.wait(120));

  assert.deepEqual([early, first, between, second], [[], [request], [], [request]]);
  assert.equal(peer.server.stack.status(association)!.paths[0]!.errors, 2);
});

Deno.test("§5.1.1: a response shows that its path works: data that was lost there goes there again, at once", () => {
  const parameters = [...addressParameters([THERE[1]!]), ...supportedExtensions([ChunkType.reconfiguration])];
  const established = accept({}, { parameters });
  confirmPaths(established);
  const { bench, association, tag, tsn } = established;
  bench.execute({ type: "send", association, data: new Uint8Array(50_000), ppid: 0 });
  bench.advance(500);
  bench.execute({ type: "addStreams", association, outbound: 1, inbound: 0 });
  bench.advance(600); // T3 has expired, the request's timer has not
  assert.equal(bench.stack.status(association)!.paths[0]!.errors, 1);

  const sent = bench.give(tag, [makeReconfiguration([response(tsn, Result.inProgress)])]);

  assert.ok(
    sent.some(({ destination, chunks }) =>
      destination === THERE[0] && chunks.some(({ type }) => type === ChunkType.data)
    ),
  );
});

Deno.test("§5.1.2: a message that is given up does not let the reset overtake those before it", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, sendBuffer: 2000 });
  const extensions = { ...NO_EXTENSIONS, reconfiguration: true, partialReliability: true };
  peer.connect({ receiveWindow: 1500, extensions });
  const association = peer.server.of(1, "up")[0]!.association;
  const send = (octets: number, stream: number, priority: number): void =>
    peer.server.execute(1, {
      type: "send",
      association,
      data: new Uint8Array(octets),
      ppid: 0,
      stream,
      reliability: { policy: "prio", priority },
    });
  send(1000, 1, 0); // goes out and fills the window
  send(900, 1, 0);
  send(600, 1, 10);

  const early = command(peer, { type: "resetStreams", association, direction: "outgoing", streams: [1] });
  send(600, 2, 1); // the last message of stream 1 makes room for it
  early.push(...parametersOf(peer.wait(1)));
  const late = parametersOf(peer.send(peer.serverTag, [sackChunk(peer.serverTsn, 100_000)]));

  assert.deepEqual(peer.server.of(1, "sendFailed").map(({ data }) => data.length), [600]);
  assert.deepEqual(early, []);
  assert.deepEqual(late, [{
    ...resetOutgoing(peer.serverTsn, peer.serverTsn + 1, [1]),
    response: FIRST - 1,
  }]);
});

Deno.test("§5.1.2 A1: new messages of the stream wait for the response, those of others do not", () => {
  const { peer, id: association } = connected();
  command(peer, { type: "resetStreams", association, direction: "outgoing", streams: [1] });
  const send = (stream: number): void =>
    peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0, stream });

  send(1);
  send(2);
  const before = peer.wait(1).flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.data);
  const after = peer.send(peer.serverTag, [makeReconfiguration([response(peer.serverTsn, Result.performed)])])
    .flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.data);

  assert.deepEqual(before.map(({ octets }) => octets[9]), [2]);
  assert.deepEqual(after.map(({ octets }) => octets[9]), [1]);
});

Deno.test("§5.1.2 A3, A4: the last assigned TSN, the streams, and the peer's last request number", () => {
  const { peer, id: association } = connected();
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0, stream: 3 });
  peer.wait(1);

  const some = command(peer, {
    type: "resetStreams",
    association,
    direction: "outgoing",
    streams: [3, 4, 3],
  });
  ask(peer, response(peer.serverTsn, Result.performed));
  const all = command(peer, { type: "resetStreams", association, direction: "outgoing", streams: [] });

  const common = { type: "resetOutgoing", response: FIRST - 1, lastTsn: peer.serverTsn } as const;
  assert.deepEqual(some, [{ ...common, request: peer.serverTsn, streams: [3, 4] }]);
  assert.deepEqual(all, [{ ...common, request: peer.serverTsn + 1, streams: [] }]);
});

Deno.test("§5.1.4 C2: a reset of the association waits until nothing is outstanding", () => {
  const { peer, id: association } = connected();
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0 });
  peer.wait(1);

  const early = command(peer, { type: "resetAssociation", association });
  const late = parametersOf(peer.send(peer.serverTag, [sackChunk(peer.serverTsn, 100_000)]));

  assert.deepEqual([early, late], [[], [{ type: "resetAssociation", request: peer.serverTsn }]]);
});

Deno.test("§5.1.4: one reset of the association within 30 seconds", () => {
  const { peer, id: association } = connected();
  command(peer, { type: "resetAssociation", association });
  ask(peer, response(peer.serverTsn, Result.denied));

  assert.deepEqual(command(peer, { type: "resetAssociation", association }), []);
  assert.deepEqual(peer.server.of(1, "associationReset").map(({ outcome }) => outcome), ["denied", "failed"]);
  peer.wait(30_000);
  assert.equal(command(peer, { type: "resetAssociation", association }).length, 1);
});

Deno.test("§5.2.1: a repeated request gets the same answer, and nothing happens twice", () => {
  const { peer } = connected();
  const request: ReconfigurationParameter = { type: "addOutgoing", request: FIRST, count: 3 };

  const answers = [ask(peer, request), ask(peer, request)];

  assert.deepEqual(answers, [[response(FIRST, Result.performed)], [response(FIRST, Result.performed)]]);
  assert.equal(peer.server.of(1, "streamsAdded").length, 1);
});

Deno.test("§5.2.1: a number that is not due is answered with Bad Sequence Number", () => {
  const { peer } = connected();

  for (const number of [FIRST + 1, FIRST - 1, FIRST - 100]) {
    const answer = ask(peer, { type: "addOutgoing", request: number, count: 1 });
    assert.deepEqual(answer, [response(number >>> 0, Result.badSequenceNumber)]);
  }
  assert.deepEqual(peer.server.of(1, "streamsAdded"), []);
});

Deno.test("§5.2.1: a request is answered with a SACK, in the same packet", () => {
  const { peer } = connected();

  const [packet] = peer.send(peer.serverTag, [makeReconfiguration([resetOutgoing(FIRST, FIRST - 1, [])])]);

  assert.deepEqual(packet!.chunks.map(({ type }) => type), [ChunkType.reconfiguration, ChunkType.sack]);
});

Deno.test("§5.2.1: what the user does not permit is denied, until he does", () => {
  const { peer, id: association } = connected();
  const permit = (value: boolean): void =>
    peer.server.stack.setOption(
      1,
      "enable_stream_reset",
      { streams: value, association: value, change: value },
      { association },
      peer.world.now,
    );
  permit(false);
  const requests: ReconfigurationParameter[] = [
    resetOutgoing(FIRST, FIRST - 1, []),
    { type: "resetIncoming", request: FIRST + 1, streams: [] },
    { type: "resetAssociation", request: FIRST + 2 },
    { type: "addOutgoing", request: FIRST + 3, count: 1 },
    { type: "addIncoming", request: FIRST + 4, count: 1 },
  ];

  for (const [i, request] of requests.entries()) {
    assert.deepEqual(ask(peer, request), [response(FIRST + i, Result.denied)]);
  }
  permit(true);
  assert.deepEqual(ask(peer, { type: "addOutgoing", request: FIRST + 5, count: 1 }), [
    response(FIRST + 5, Result.performed),
  ]);
});

Deno.test("§5.2.2 E2: while TSNs are missing the reset is in progress; then it is performed and told", () => {
  const { peer } = connected();

  const early = ask(peer, resetOutgoing(FIRST, FIRST + 1, [0]));
  peer.send(peer.serverTag, [dataChunk(FIRST + 1, DATA, { ssn: 1 })]);
  const again = ask(peer, resetOutgoing(FIRST, FIRST + 1, [0]));
  const late = parametersOf(peer.send(peer.serverTag, [dataChunk(FIRST, DATA, { ssn: 0 })]));

  assert.deepEqual([early, again], [[response(FIRST, Result.inProgress)], [
    response(FIRST, Result.inProgress),
  ]]);
  assert.deepEqual(late, [response(FIRST, Result.performed)]);
  assert.deepEqual(peer.events.slice(1), ["message", "message", "streamsReset"]);
});

Deno.test("§5.2.2 E2: data of after a deferred reset is not delivered before it", () => {
  const { peer } = connected();
  ask(peer, resetOutgoing(FIRST, FIRST, [0]));

  peer.send(peer.serverTag, [dataChunk(FIRST + 1, DATA, { ssn: 0 })]);
  peer.send(peer.serverTag, [dataChunk(FIRST, DATA, { ssn: 0 })]);
  peer.send(peer.serverTag, [dataChunk(FIRST + 1, DATA, { ssn: 0 })]);

  assert.deepEqual(peer.events.slice(1), ["message", "streamsReset", "message"]);
});

Deno.test("§5.2.2 E3: the listed streams start again at 0, others go on", () => {
  const { peer } = connected();
  peer.send(peer.serverTag, [
    dataChunk(FIRST, DATA, { stream: 1 }),
    dataChunk(FIRST + 1, DATA, { stream: 2 }),
  ]);

  ask(peer, resetOutgoing(FIRST, FIRST + 1, [1]));
  peer.send(peer.serverTag, [
    dataChunk(FIRST + 2, DATA, { stream: 1, ssn: 0 }),
    dataChunk(FIRST + 3, DATA, { stream: 2, ssn: 1 }),
  ]);

  assert.equal(peer.server.of(1, "message").length, 4);
  assert.deepEqual(peer.server.of(1, "streamsReset").map(({ streams, direction }) => [direction, streams]), [
    ["incoming", [1]],
  ]);
});

Deno.test("§5.2.2: a stream that does not exist cannot be reset", () => {
  const { peer } = connected();

  assert.deepEqual(ask(peer, resetOutgoing(FIRST, FIRST - 1, [65_535])), [response(FIRST, Result.wrongSsn)]);
});

Deno.test("§5.2.3 F1: an incoming reset is answered by an outgoing one with the same streams and its number", () => {
  const { peer, id: association } = connected();
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0, stream: 2 });
  peer.wait(1);

  const answer = ask(peer, { type: "resetIncoming", request: FIRST, streams: [2] });

  assert.deepEqual(answer, [{
    type: "resetOutgoing",
    request: peer.serverTsn,
    response: FIRST,
    lastTsn: peer.serverTsn,
    streams: [2],
  }]);
});

Deno.test("§5.2.3: streams that stand at 0, or are being reset, leave nothing to do", () => {
  const { peer, id: association } = connected();
  const fresh = ask(peer, { type: "resetIncoming", request: FIRST, streams: [2] });
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0, stream: 2 });
  peer.wait(1);
  command(peer, { type: "resetStreams", association, direction: "outgoing", streams: [2, 3] });

  const crossing = ask(peer, { type: "resetIncoming", request: FIRST + 1, streams: [2] });

  assert.deepEqual(fresh, [response(FIRST, Result.nothingToDo)]);
  assert.deepEqual(crossing, [response(FIRST + 1, Result.nothingToDo)]);
});

Deno.test("§5.2.4: the response to an association reset says the next TSNs of both", () => {
  const { peer, id: association } = connected();
  peer.send(peer.serverTag, [dataChunk(FIRST, DATA)]);

  const [answer] = ask(peer, { type: "resetAssociation", request: FIRST });
  const receiver = (FIRST + 1 + 0x8000_0000) >>> 0; // the smallest TSN not acknowledged plus 2^31 (G1)
  peer.send(peer.serverTag, [dataChunk(receiver, DATA, { ssn: 0 })]);

  assert.deepEqual(answer, {
    type: "response",
    response: FIRST,
    result: Result.performed,
    tsns: { sender: peer.serverTsn, receiver },
  });
  assert.equal(peer.server.of(1, "message").length, 2);
  assert.deepEqual(peer.server.of(1, "associationReset"), [{
    type: "associationReset",
    association,
    localTsn: peer.serverTsn,
    peerTsn: receiver,
    outcome: "performed",
  }]);
});

Deno.test("§5.2.4: an association reset is in progress while data is not acknowledged, so that none is lost", () => {
  const { peer, id: association } = connected();
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0 });
  peer.wait(1);

  const early = ask(peer, { type: "resetAssociation", request: FIRST });
  const late = parametersOf(peer.send(peer.serverTag, [sackChunk(peer.serverTsn, 100_000)]));

  assert.deepEqual(early, [response(FIRST, Result.inProgress)]);
  assert.equal(late[0]?.type === "response" && late[0].result, Result.performed);
});

Deno.test("§5.2.5: added streams can be used, and more than the user takes are denied", () => {
  const { peer } = connected({ maxInboundStreams: 12 });

  const answers = [
    ask(peer, { type: "addOutgoing", request: FIRST, count: 2 }),
    ask(peer, { type: "addOutgoing", request: FIRST + 1, count: 1 }),
    ask(peer, { type: "addOutgoing", request: FIRST + 2, count: 65_535 }),
  ];
  peer.send(peer.serverTag, [dataChunk(FIRST, DATA, { stream: 11 })]);

  assert.deepEqual(answers.map(([answer]) => answer?.type === "response" && answer.result), [
    Result.performed,
    Result.denied,
    Result.denied,
  ]);
  assert.equal(peer.server.of(1, "message")[0]!.stream, 11);
});

Deno.test("§5.2.6: a request for incoming streams is answered by one for outgoing ones, within a limit", () => {
  const { peer, id: association } = connected();

  const answer = ask(peer, { type: "addIncoming", request: FIRST, count: 5 });
  ask(peer, response(peer.serverTsn, Result.performed));
  const greedy = ask(peer, { type: "addIncoming", request: FIRST + 1, count: 65_535 });

  assert.deepEqual(answer, [{ type: "addOutgoing", request: peer.serverTsn, count: 5 }]);
  assert.deepEqual(greedy, [response(FIRST + 1, Result.denied)]);
  assert.equal(peer.server.stack.status(association)!.outboundStreams, 15);
});

Deno.test("§5.2.7 H1: a response to something else is ignored", () => {
  const { peer, id: association } = connected();
  command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 });

  ask(peer, response(peer.serverTsn + 1, Result.performed));

  assert.deepEqual(peer.server.of(1, "streamsAdded"), []);
});

Deno.test("§5.2.7 H2: after In progress the request is repeated without counting errors", () => {
  const { peer, id: association } = connected({ heartbeatIntervalMs: 0 });
  const [request] = command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 });
  ask(peer, response(peer.serverTsn, Result.inProgress));

  const repeated = parametersOf(peer.wait(10_000));

  assert.ok(repeated.length >= 2);
  assert.deepEqual(repeated[0], request);
  assert.equal(peer.server.stack.status(association)!.paths[0]!.errors, 0);
});

Deno.test("§5.2.7 H3: denied and failed requests change nothing, and are told", () => {
  for (const [result, outcome] of [[Result.denied, "denied"], [Result.wrongSsn, "failed"]] as const) {
    const { peer, id: association } = connected();
    command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 });
    ask(peer, response(peer.serverTsn, result));
    command(peer, { type: "resetStreams", association, direction: "outgoing", streams: [1] });
    ask(peer, response(peer.serverTsn + 1, result));

    assert.equal(peer.server.of(1, "streamsAdded")[0]!.outcome, outcome);
    assert.equal(peer.server.of(1, "streamsReset")[0]!.outcome, outcome);
    assert.equal(peer.server.stack.status(association)!.outboundStreams, 10);
  }
});

Deno.test("§5.2.7 H5: after an association reset data goes on from the Receiver's Next TSN with SSN 0", () => {
  const { peer, id: association } = connected();
  command(peer, { type: "resetAssociation", association });
  peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0 });

  const answer = peer.send(peer.serverTag, [makeReconfiguration([
    {
      type: "response",
      response: peer.serverTsn,
      result: Result.performed,
      tsns: { sender: 77, receiver: 5000 },
    },
  ])]);
  peer.send(peer.serverTag, [dataChunk(77, DATA, { ssn: 0 })]);

  const data = answer.flatMap(({ chunks }) => chunks).find(({ type }) => type === ChunkType.data)!;
  assert.deepEqual([...data.octets.subarray(4, 12)], [0, 0, 5000 >> 8, 5000 & 255, 0, 0, 0, 0]);
  assert.equal(peer.server.of(1, "message").length, 1);
});

Deno.test("§5.2.7 H6: added streams are used after the positive response only", () => {
  const { peer, id: association } = connected();
  command(peer, { type: "addStreams", association, outbound: 1, inbound: 0 });
  const send = (): void =>
    peer.server.execute(1, { type: "send", association, data: DATA, ppid: 0, stream: 10 });

  send();
  peer.wait(1);
  const refused = peer.server.of(1, "sendFailed").length;
  ask(peer, response(peer.serverTsn, Result.performed));
  send();

  assert.equal(refused, 1);
  assert.ok(peer.wait(1).some(({ chunks }) => chunks.some(({ type }) => type === ChunkType.data)));
});

Deno.test("§7: truncated and overlong requests are harmless", () => {
  const { peer, id: association } = connected();
  const streams = Array.from({ length: 30_000 }, (_, i) => i % 10);
  const chunks = [
    makeReconfiguration([resetOutgoing(FIRST, FIRST - 1, streams)]),
    makeReconfiguration([{ type: "addIncoming", request: FIRST + 1, count: 65_535 }]),
    makeReconfiguration([resetOutgoing(FIRST + 2, FIRST + 0x7fff_0000, [])]),
  ];

  for (const chunk of chunks) peer.send(peer.serverTag, [chunk]);
  const whole = makeReconfiguration([resetOutgoing(FIRST + 3, FIRST, [1, 2, 3])]);
  for (let length = 4; length < whole.length; length++) {
    const cut = whole.slice(0, length + 3 & ~3);
    cut[2] = length >> 8;
    cut[3] = length;
    peer.send(peer.serverTag, [cut]);
  }

  assert.equal(peer.server.stack.status(association)!.state, "established");
});
