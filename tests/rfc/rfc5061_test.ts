/** RFC 5061: dynamic address reconfiguration. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  MAX_CACHED_ASCONF_ACKS,
  MAX_CAUSE_OCTETS,
  MAX_DELETED_ADDRESSES,
} from "../../protocol/sctp/limits.ts";
import { ipAddressOctets, isIpv4 } from "../../protocol/net.ts";
import {
  acceptAuthentic,
  ASCONF,
  ASCONF_ACK,
  AUTH,
  authBench,
  type Authentic,
  authenticated,
  coveredBy,
  give,
  Hmac,
  initAckOf,
  offerParameters,
  Parameter,
  type PeerOffer,
} from "./auth_bench.ts";
import {
  addressParameters,
  answerHeartbeats,
  be,
  Bench,
  Chunk,
  chunk,
  chunksOf,
  data,
  ENDPOINT,
  type GiveOptions,
  HERE,
  onlyChunk,
  read,
  sack,
  type SentPacket,
  THERE,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
  tlvs,
} from "./bench.ts";

import { Extension, FORWARD_TSN_SUPPORTED } from "./data_bench.ts";

const ADD = 0xc001, DELETE = 0xc002, ERROR = 0xc003, SET_PRIMARY = 0xc004, SUCCESS = 0xc005;
const PAD = 132;
const NEW_THERE = "10.1.0.77", NEW_HERE = "10.1.0.99";
const OFFER: PeerOffer = { chunks: [ASCONF, ASCONF_ACK] };

interface DynamicOptions {
  readonly addresses?: readonly string[];
  readonly there?: readonly string[];
  readonly parameters?: readonly number[];
}

/** An association with dynamic addresses; the stack is bound to its first address alone unless said otherwise. */
function dynamic(
  { addresses = [HERE[0]!], there = [], parameters = [] }: DynamicOptions = {},
): Authentic {
  return acceptAuthentic({
    endpoint: { dynamicAddresses: true, addresses },
    offer: OFFER,
    parameters: [...addressParameters(there), ...parameters],
  });
}

function address(text: string): number[] {
  return tlv(isIpv4(text) ? 5 : 6, ipAddressOctets(text)!);
}

/** A request of the peer. */
function request(type: number, correlation: number, text: string): number[] {
  return tlv(type, [...be(4, correlation), ...address(text)]);
}

/** An ASCONF of the peer; its sequence numbers start at its initial TSN. */
function asconf(offset: number, requests: readonly number[], name: string = THERE[0]!): Uint8Array {
  return tlvChunk(ASCONF, 0, [...address(name), ...requests], be(4, THERE_TSN + offset));
}

function ack(serial: number, responses: readonly number[] = []): Uint8Array {
  return tlvChunk(ASCONF_ACK, 0, responses, be(4, serial));
}

/** What an ASCONF-ACK of the stack says of each request: its correlation ID and the cause, 0 = done. */
function answers(sent: readonly SentPacket[]): [number, number][] {
  const { value } = onlyChunk(sent, ASCONF_ACK);
  return tlvs(value, 4).map((one) => {
    assert.ok(one.type === SUCCESS || one.type === ERROR);
    return [read(one.value, 0, 4), one.type === SUCCESS ? 0 : read(one.value, 4, 2)];
  });
}

/** The requests in an ASCONF of the stack. */
function requests(sent: readonly SentPacket[]): { type: number; correlation: number; address: string }[] {
  const { value } = onlyChunk(sent, ASCONF);
  return tlvs(value, 4).slice(1).map((one) => ({
    type: one.type,
    correlation: read(one.value, 0, 4),
    address: [...one.value.slice(8)].join("."),
  }));
}

function peerAddresses({ bench, association }: Authentic): string[] {
  return bench.stack.status(association)!.paths.map((path) => path.address);
}

function changes(bench: Bench): string[] {
  return bench.eventsOf("path").map((event) => `${event.change} ${event.address}`);
}

/** The peer adds an address and proves it. */
function addProved(authentic: Authentic, text: string, offset = 0): void {
  const sent = give(authentic, [asconf(offset, request(ADD, 1, text))]);
  answerHeartbeats(authentic.bench, authentic.tag, sent);
}

/** The bench host gets an address, and the endpoint is bound to it. */
function addHere({ bench }: Authentic, text: string = NEW_HERE): SentPacket[] {
  bench.here = [...bench.here, text];
  bench.stack.addAddress(ENDPOINT, text, bench.now);
  return bench.collect();
}

// ------------------------------------------------------------------------------------------------ agreement, security

Deno.test("§4.2.7: both chunk types are listed as supported, and as to be authenticated", () => {
  const { bench } = dynamic();
  const { value } = onlyChunk(bench.give(0, [init()], { sourcePort: 1234 }), Chunk.initAck);
  const found = new Map(tlvs(value, 16).map((one) => [one.type, [...one.value]]));

  for (const type of [ASCONF, ASCONF_ACK]) {
    assert.ok(found.get(Parameter.extensions)!.includes(type));
    assert.ok(found.get(Parameter.chunks)!.includes(type));
  }
});

function init(): Uint8Array {
  const fixed = [...be(4, THERE_TAG), ...be(4, 100_000), ...be(2, 10), ...be(2, 10), ...be(4, THERE_TSN)];
  return tlvChunk(Chunk.init, 0, offerParameters(OFFER), fixed);
}

Deno.test("§4.2.7: without authentication there are no dynamic addresses: an ASCONF is an unknown chunk", () => {
  const authentic = acceptAuthentic({ endpoint: { dynamicAddresses: true }, offer: { extensions: [AUTH] } });

  const sent = give(authentic, [asconf(0, request(ADD, 1, NEW_THERE))]);

  assert.equal(read(onlyChunk(sent, Chunk.error).value, 0, 2), 6);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§5.2 D5: an ASCONF without AUTH is discarded silently, with the rest of the packet", () => {
  const authentic = dynamic();
  const { bench, tag } = authentic;

  const sent = bench.give(tag, [asconf(0, request(ADD, 1, NEW_THERE)), data({ tsn: THERE_TSN })]);

  assert.deepEqual(sent, []);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§5.2 D5: a forged ASCONF changes nothing", () => {
  const authentic = dynamic();
  const forged = { ...authentic, key: authentic.key.map((octet, i) => i === 0 ? octet ^ 1 : octet) };

  const sent = give(forged, [asconf(0, request(ADD, 1, NEW_THERE))]);

  assert.deepEqual(sent, []);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§4.1.2: an ASCONF-ACK goes authenticated", () => {
  const authentic = dynamic();

  const sent = give(authentic, [asconf(0, request(ADD, 1, NEW_THERE))]);

  assert.ok(sent.some((one) => coveredBy(one, authentic.key).includes(ASCONF_ACK)));
});

// ------------------------------------------------------------------------------------------ §5.2: receiving an ASCONF

Deno.test("§4.2.1, §5.2 V3: an address is added, and the answer has the correlation ID of the request", () => {
  const authentic = dynamic();

  const sent = give(authentic, [asconf(0, request(ADD, 0xabcdef01, NEW_THERE))]);

  assert.deepEqual(answers(sent), [[0xabcdef01, 0]]);
  assert.equal(read(onlyChunk(sent, ASCONF_ACK).value, 0, 4), THERE_TSN);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!, NEW_THERE]);
  assert.deepEqual(changes(authentic.bench), [`added ${NEW_THERE}`]);
});

Deno.test("§5.3 F1, F14: an added address is unconfirmed; only HEARTBEATs go there until one is answered", () => {
  const authentic = dynamic();
  const { bench, tag, association } = authentic;

  const sent = give(authentic, [asconf(0, request(ADD, 1, NEW_THERE))]);
  const there = sent.filter(({ destination }) => destination === NEW_THERE);
  assert.deepEqual(there.map(({ chunks }) => chunks.map(({ type }) => type)), [[Chunk.heartbeat]]);
  assert.equal(bench.stack.status(association)!.paths[1]!.state, "unconfirmed");

  answerHeartbeats(bench, tag, sent);
  assert.equal(bench.stack.status(association)!.paths[1]!.state, "active");
  assert.ok(changes(bench).includes(`confirmed ${NEW_THERE}`));
});

Deno.test("§5.2 E2: an ASCONF that comes again is answered with the same ASCONF-ACK, and not carried out again", () => {
  const authentic = dynamic();
  const one = asconf(0, request(ADD, 1, NEW_THERE));

  const first = give(authentic, [one]), second = give(authentic, [one]);

  assert.deepEqual(onlyChunk(second, ASCONF_ACK), onlyChunk(first, ASCONF_ACK));
  assert.equal(authentic.bench.eventsOf("path").length, 1);
});

Deno.test("§5.2 E5: an ASCONF with a sequence number out of turn is discarded", () => {
  const authentic = dynamic();

  for (const offset of [-1, 1, 7]) {
    assert.deepEqual(give(authentic, [asconf(offset, request(ADD, 1, NEW_THERE))]), []);
  }
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§5.5: bundled ASCONFs are carried out in order, and all answered", () => {
  const authentic = dynamic();

  const sent = give(authentic, [
    asconf(0, request(ADD, 1, NEW_THERE)),
    asconf(1, request(DELETE, 2, NEW_THERE)),
  ]);

  assert.deepEqual(chunksOf(sent, ASCONF_ACK).map(({ value }) => read(value, 0, 4)), [
    THERE_TSN,
    THERE_TSN + 1,
  ]);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§5.2 V2: an unknown request is reported by its action bits, with cause 8", () => {
  const authentic = dynamic();
  const unknown = (type: number, id: number) => tlv(type, [...be(4, id), 1, 2, 3, 4]);

  const sent = give(authentic, [
    asconf(0, [
      ...unknown(0xc0ff, 1),
      ...unknown(0x80ff, 2),
      ...request(ADD, 3, NEW_THERE),
      ...unknown(0x40ff, 4),
      ...request(ADD, 5, "10.1.0.78"),
    ]),
  ]);

  assert.deepEqual(answers(sent), [[1, 8], [3, 0], [4, 8]]);
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!, NEW_THERE]);
});

Deno.test("§5.2 D2, §5.3.2, E6: an ASCONF may come from an address that is not known yet; its answer goes there", () => {
  const authentic = dynamic();
  const from: GiveOptions = { source: NEW_THERE };

  const sent = give(authentic, [
    asconf(0, [...request(ADD, 1, NEW_THERE), ...request(DELETE, 2, THERE[0]!)], THERE[0]!),
  ], from);

  assert.deepEqual(answers(sent), [[1, 0], [2, 0]]);
  assert.ok(sent.every(({ destination }) => destination === NEW_THERE));
  assert.deepEqual(peerAddresses(authentic), [NEW_THERE]);
});

Deno.test("§4.2.1, §4.2.4: the unspecified address stands for the source of the packet", () => {
  for (const wildcard of ["0.0.0.0", "::"]) {
    const authentic = dynamic();

    const sent = give(authentic, [asconf(0, request(ADD, 1, wildcard))], { source: NEW_THERE });

    assert.deepEqual(answers(sent), [[1, 0]]);
    assert.deepEqual(peerAddresses(authentic), [THERE[0]!, NEW_THERE]);
  }
});

Deno.test("§4.2.2: deleting the unspecified address deletes all but the source of the packet", () => {
  const authentic = dynamic({ addresses: HERE, there: [THERE[1]!] });
  addProved(authentic, NEW_THERE);

  const sent = give(authentic, [asconf(1, request(DELETE, 9, "0.0.0.0"))], { source: NEW_THERE });

  assert.deepEqual(answers(sent), [[9, 0]]);
  assert.deepEqual(peerAddresses(authentic), [NEW_THERE]);
});

Deno.test("§4.2.2, F13: an address is deleted: nothing goes there any more, what comes from there is out of the blue", () => {
  const authentic = dynamic();
  addProved(authentic, NEW_THERE);
  const { bench, tag, association } = authentic;

  const sent = give(authentic, [asconf(1, request(DELETE, 2, THERE[0]!))], { source: NEW_THERE });
  assert.deepEqual(answers(sent), [[2, 0]]);
  assert.deepEqual(changes(bench).slice(-2), [`removed ${THERE[0]}`, `made-primary ${NEW_THERE}`]);

  const late = bench.give(tag, [data({ tsn: THERE_TSN })]);
  onlyChunk(late, Chunk.abort);
  assert.equal(bench.eventsOf("message").length, 0);

  const later = bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 });
  assert.deepEqual(later.map(({ destination }) => destination), [NEW_THERE]);
});

Deno.test("§5.3 F13: data in flight on a deleted path moves to another one at once", () => {
  const authentic = dynamic();
  addProved(authentic, NEW_THERE);
  const { bench, association, tsn } = authentic;
  const before = bench.execute({ type: "send", association, data: new Uint8Array(9000), ppid: 0 });
  const octets = chunksOf(before, Chunk.data).length;

  const after = give(authentic, [asconf(1, request(DELETE, 2, THERE[0]!))], { source: NEW_THERE });

  assert.ok(octets > 2);
  assert.ok(after.every(({ destination }) => destination === NEW_THERE));
  assert.equal(read(chunksOf(after, Chunk.data)[0]!.value, 0, 4), tsn);
});

Deno.test("§5.3 F14: when the only path is unproved, data waits for the answer to its HEARTBEAT", () => {
  const authentic = dynamic();
  const { bench, association, tag } = authentic;
  const both = [...request(ADD, 1, NEW_THERE), ...request(DELETE, 2, THERE[0]!)];
  const moved = give(authentic, [asconf(0, both)], { source: NEW_THERE });

  const held = bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 });
  assert.deepEqual(held, []);

  const sent = answerHeartbeats(bench, tag, moved);
  assert.deepEqual(chunksOf(sent, Chunk.data).length, 1);
  assert.equal(sent[0]!.destination, NEW_THERE);
});

Deno.test("§5.3 F7: the last address of the peer is not deleted: cause 0xA0 with the request", () => {
  const authentic = dynamic();
  const one = request(DELETE, 3, THERE[0]!);

  const sent = give(authentic, [asconf(0, one)]);

  const { value } = onlyChunk(sent, ASCONF_ACK);
  assert.deepEqual([...value.slice(4)], tlv(ERROR, [...be(4, 3), ...tlv(0xa0, one)]));
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§5.3 F8: the source address of the packet is not deleted: cause 0xA2", () => {
  const authentic = dynamic();
  addProved(authentic, NEW_THERE);

  const sent = give(authentic, [asconf(1, request(DELETE, 3, THERE[0]!))]);

  assert.deepEqual(answers(sent), [[3, 0xa2]]);
  assert.equal(peerAddresses(authentic).length, 2);
});

Deno.test("§5.3 F9, F11: too many addresses: cause 0xA1, and all behind it fail, deletes too", () => {
  const authentic = dynamic();
  const many = Array.from({ length: 16 }, (_, i) => request(ADD, i, `10.1.1.${i + 1}`));

  const sent = give(authentic, [asconf(0, [...many.flat(), ...request(DELETE, 99, "10.1.1.1")])]);

  const found = answers(sent);
  assert.deepEqual(found.slice(0, 15).map(([, cause]) => cause), Array(15).fill(0));
  assert.deepEqual(found.slice(15), [[15, 0xa1], [99, 0xa1]]);
  assert.equal(peerAddresses(authentic).length, 16);
});

Deno.test("§5.2: an address that belongs to another association is refused: cause 0xA4", () => {
  const authentic = dynamic();
  const { bench } = authentic;
  const other = onlyChunk(bench.give(0, [init()], { source: NEW_THERE }), Chunk.initAck).value;
  const cookie = tlvs(other, 16).find(({ type }) => type === 7)!.value;
  bench.give(read(other, 0, 4), [chunk(Chunk.cookieEcho, 0, cookie)], { source: NEW_THERE });

  const sent = give(authentic, [asconf(0, request(ADD, 1, NEW_THERE))]);

  assert.deepEqual(answers(sent), [[1, 0xa4]]);
});

Deno.test("§5.2: loopback, multicast and unspecified families are not believed", () => {
  const authentic = dynamic();

  for (const [offset, text] of ["127.0.0.5", "224.0.0.1", "fe80::1"].entries()) {
    const [[, cause]] = answers(give(authentic, [asconf(offset, request(ADD, 1, text))])) as [
      [number, number],
    ];
    assert.equal(cause, 5);
  }
  assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
});

Deno.test("§5.4: the primary path is set as the peer asks", () => {
  const authentic = dynamic();
  addProved(authentic, NEW_THERE);

  const sent = give(authentic, [asconf(1, request(SET_PRIMARY, 4, NEW_THERE))]);

  assert.deepEqual(answers(sent), [[4, 0]]);
  assert.equal(changes(authentic.bench).at(-1), `made-primary ${NEW_THERE}`);
});

Deno.test("§5.4: one that is not proved yet becomes primary when it is", () => {
  const authentic = dynamic();
  const both = [...request(ADD, 1, NEW_THERE), ...request(SET_PRIMARY, 2, NEW_THERE)];

  const sent = give(authentic, [asconf(0, both)]);
  assert.ok(!changes(authentic.bench).includes(`made-primary ${NEW_THERE}`));
  answerHeartbeats(authentic.bench, authentic.tag, sent);

  assert.equal(changes(authentic.bench).at(-1), `made-primary ${NEW_THERE}`);
});

Deno.test("§5.4: an address that is not the peer's does not become primary", () => {
  const authentic = dynamic();

  const sent = give(authentic, [asconf(0, request(SET_PRIMARY, 4, NEW_THERE))]);

  assert.equal(answers(sent)[0]![1], 5);
  assert.equal(authentic.bench.eventsOf("path").length, 0);
});

Deno.test("§4.1.1: an ASCONF that is cut short anywhere changes nothing, and nothing is thrown", () => {
  const whole = asconf(0, request(ADD, 1, NEW_THERE));
  for (let length = 4; length < whole.length; length++) {
    const authentic = dynamic();
    const cut = new Uint8Array(length + 3 & ~3);
    cut.set(whole.subarray(0, length));
    cut[2] = 0;
    cut[3] = length;

    give(authentic, [cut]);

    assert.deepEqual(peerAddresses(authentic), [THERE[0]!]);
  }
});

// -------------------------------------------------------------------------------------------- §5.1: sending an ASCONF

Deno.test("§5.1 A1, A2: the sequence number starts at the initial TSN and grows by one; correlation IDs differ", () => {
  const authentic = dynamic();
  const { tsn } = authentic;

  const first = addHere(authentic);
  const second = give(authentic, [ack(tsn)]);
  assert.deepEqual(second, []);
  const third = addHere(authentic, "10.2.0.99");

  assert.equal(read(onlyChunk(first, ASCONF).value, 0, 4), tsn);
  assert.equal(read(onlyChunk(third, ASCONF).value, 0, 4), (tsn + 1) >>> 0);
  const [one] = requests(first), [other] = requests(third);
  assert.deepEqual([one!.type, one!.address, other!.address], [ADD, NEW_HERE, "10.2.0.99"]);
  assert.notEqual(one!.correlation, other!.correlation);
});

Deno.test("§4.1.1: the address parameter comes first and is one that the peer knows; the chunk goes authenticated", () => {
  const authentic = dynamic();

  const sent = addHere(authentic);

  const [name] = tlvs(onlyChunk(sent, ASCONF).value, 4);
  assert.deepEqual([name!.type, [...name!.value].join(".")], [5, HERE[0]!]);
  assert.deepEqual(coveredBy(sent[0]!, authentic.key), [ASCONF]);
});

Deno.test("§5.1 A3, C1: a second ASCONF waits for the answer to the first", () => {
  const authentic = dynamic();
  addHere(authentic);

  assert.deepEqual(addHere(authentic, "10.2.0.99"), []);
  const sent = give(authentic, [ack(authentic.tsn)]);

  assert.deepEqual(requests(sent).map((one) => one.address), ["10.2.0.99"]);
});

Deno.test("§5.1 A4, B1-B5: T4 repeats the same chunk with growing time-outs, on another path if there is one", () => {
  const authentic = dynamic({ addresses: HERE, there: [THERE[1]!] });
  const { bench, tag } = authentic;
  answerHeartbeats(bench, tag, bench.advance(100));
  bench.here = [...bench.here, NEW_HERE];
  bench.stack.addAddress(ENDPOINT, NEW_HERE, bench.now);
  const [first] = bench.collect();

  const again = bench.advance(20_000).filter((sent) => chunksOf([sent], ASCONF).length > 0);

  assert.ok(again.length >= 2);
  assert.notEqual(again[0]!.destination, first!.destination);
  for (const sent of again) assert.deepEqual(onlyChunk([sent], ASCONF), onlyChunk([first!], ASCONF));
});

Deno.test("§5.1 B2: an association whose ASCONF is never answered ends", () => {
  const authentic = dynamic();
  addHere(authentic);

  authentic.bench.advance(3_600_000);

  assert.equal(authentic.bench.eventsOf("down")[0]!.reason, "timeout");
});

Deno.test("§5.1 A5: the answer stops T4", () => {
  const authentic = dynamic();
  addHere(authentic);
  give(authentic, [ack(authentic.tsn)]);

  assert.equal(chunksOf(authentic.bench.advance(20_000), ASCONF).length, 0);
});

Deno.test("§5.1 A9: a peer that does not know ASCONF after all is not asked again", () => {
  const authentic = dynamic();
  const sent = addHere(authentic);
  const octets = [ASCONF, 0, 0, 8, ...onlyChunk(sent, ASCONF).value.slice(0, 4)];
  give(authentic, [tlvChunk(Chunk.error, 0, tlv(6, octets))]);

  const later = [...authentic.bench.advance(20_000), ...addHere(authentic, "10.2.0.99")];

  assert.equal(chunksOf(later, ASCONF).length, 0);
});

Deno.test("§5.1 A9: what such a peer was asked to delete is not given up: an ABORT that comes there counts", () => {
  const authentic = dynamic({ addresses: HERE });
  const { bench } = authentic;
  bench.stack.removeAddress(ENDPOINT, HERE[1]!, bench.now);
  const octets = [ASCONF, 0, 0, 8, ...onlyChunk(bench.collect(), ASCONF).value.slice(0, 4)];
  give(authentic, [tlvChunk(Chunk.error, 0, tlv(6, octets))]);

  bench.give(authentic.tag, [chunk(Chunk.abort, 0, [])], { destination: HERE[1]! });

  assert.equal(bench.eventsOf("down")[0]?.reason, "aborted");
});

Deno.test("§5.3 F0: an ASCONF-ACK for an ASCONF that was not sent ends the association with cause 0xA3", () => {
  const authentic = dynamic();

  const sent = give(authentic, [ack(authentic.tsn)]);

  assert.equal(read(onlyChunk(sent, Chunk.abort).value, 0, 2), 0xa3);
  assert.equal(authentic.bench.eventsOf("down").length, 1);
});

Deno.test("§5.3 F0: an old ASCONF-ACK is nothing to worry about", () => {
  const authentic = dynamic();
  addHere(authentic);
  give(authentic, [ack(authentic.tsn)]);

  assert.deepEqual(give(authentic, [ack(authentic.tsn)]), []);
  assert.equal(authentic.bench.eventsOf("down").length, 0);
});

Deno.test("§5.3 F1, F2: a new address is no source before the ASCONF-ACK, and may be one after it", () => {
  const authentic = dynamic();
  const { bench, tag, association } = authentic;
  addHere(authentic, "10.2.0.99");
  give(authentic, [asconf(0, request(ADD, 1, THERE[1]!))]);
  const source = () => bench.stack.status(association)!.paths[1]!.localAddress;
  assert.notEqual(source(), "10.2.0.99");

  bench.here = ["10.1.0.1", "10.2.0.99"];
  give(authentic, [ack(authentic.tsn)]);

  assert.equal(source(), "10.2.0.99");
  assert.ok(tag > 0);
});

Deno.test("§5.3 F4: an address under deletion is no source any more, takes packets, and ignores an ABORT", () => {
  const authentic = dynamic({ addresses: HERE, there: [THERE[1]!] });
  const { bench, tag, association } = authentic;
  answerHeartbeats(bench, tag, bench.advance(100));
  bench.stack.removeAddress(ENDPOINT, HERE[1]!, bench.now);
  const sent = bench.collect();

  assert.deepEqual(requests(sent).map(({ type, address }) => [type, address]), [[DELETE, HERE[1]!]]);
  assert.ok(sent.every(({ source }) => source === HERE[0]));
  assert.ok(bench.stack.status(association)!.paths.every(({ localAddress }) => localAddress === HERE[0]));
  bench.give(tag, [chunk(Chunk.abort, 0, [])], { source: THERE[1]!, destination: HERE[1]! });
  assert.equal(bench.eventsOf("down").length, 0);
  bench.give(tag, [data({ tsn: THERE_TSN })], { source: THERE[1]!, destination: HERE[1]! });
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§5.1 A7: after a failure, requests without an answer behind it have failed; those before it have not", () => {
  const authentic = dynamic();
  const { bench, association, tsn } = authentic;
  const first = addHere(authentic);
  assert.equal(requests(first).length, 1);
  for (const text of ["10.2.0.97", "10.2.0.98", "10.2.0.99"]) addHere(authentic, text);
  const second = give(authentic, [ack(tsn)]);
  const [, middle] = requests(second);

  give(authentic, [ack(tsn + 1, tlv(ERROR, [...be(4, middle!.correlation), ...tlv(0xa1, [])]))]);

  const primary = (text: string) => () => bench.stack.setPeerPrimary(ENDPOINT, association, text, bench.now);
  assert.doesNotThrow(primary("10.2.0.97"));
  assert.throws(primary("10.2.0.98"), { code: "EADDRNOTAVAIL" });
  assert.throws(primary("10.2.0.99"), { code: "EADDRNOTAVAIL" });
  assert.equal(bench.eventsOf("remoteError").length, 1);
});

Deno.test("§5.3 F3a: a peer that does not understand Add is not asked to add or delete again", () => {
  const authentic = dynamic();
  const [one] = requests(addHere(authentic));
  give(authentic, [ack(authentic.tsn, tlv(ERROR, [...be(4, one!.correlation), ...tlv(8, [])]))]);

  assert.deepEqual(addHere(authentic, "10.2.0.99"), []);
});

Deno.test("§5.4: the peer is asked for a primary address, by its place in the API and as a socket option", () => {
  const authentic = dynamic({ addresses: HERE });
  const { bench, association, tsn } = authentic;

  bench.stack.setPeerPrimary(ENDPOINT, association, HERE[1]!, bench.now);
  const first = bench.collect();
  give(authentic, [ack(tsn)]);
  bench.stack.setOption(ENDPOINT, "set_peer_primary_addr", { address: HERE[0]! }, { association }, bench.now);
  const second = bench.collect();

  const asked = [first, second].map((sent) => requests(sent).map(({ type, address }) => [type, address]));
  assert.deepEqual(asked, [[[SET_PRIMARY, HERE[1]!]], [[SET_PRIMARY, HERE[0]!]]]);
});

// ----------------------------------------------------------------------------------- the API (RFC 6458 §9.1, §8.3.1)

Deno.test("RFC 6458 §9.1: what cannot be added or removed is refused with a reason", () => {
  const { stack, now } = dynamic().bench;

  assert.throws(() => stack.addAddress(ENDPOINT, "192.0.2.1", now), { code: "EADDRNOTAVAIL" });
  assert.throws(() => stack.addAddress(ENDPOINT, HERE[0]!, now), { code: "EADDRINUSE" });
  assert.throws(() => stack.removeAddress(ENDPOINT, HERE[1]!, now), { code: "EINVAL" });
  assert.throws(() => stack.removeAddress(ENDPOINT, HERE[0]!, now), { code: "EINVAL" }); // the last one
  const wildcard = authBench();
  assert.throws(() => wildcard.stack.addAddress(ENDPOINT, HERE[0]!, 0), { code: "EINVAL" });
});

Deno.test("RFC 6458 §8.3.1: without dynamic addresses a peer cannot be asked", () => {
  const { bench, association } = acceptAuthentic();

  assert.throws(() => bench.stack.setPeerPrimary(ENDPOINT, association, HERE[0]!, 0), { code: "EPERM" });
  assert.throws(() => bench.stack.setPeerPrimary(ENDPOINT, 99, HERE[0]!, 0), { code: "ENOTCONN" });
});

Deno.test("RFC 6458 §9.1: associations without dynamic addresses stay as they are, those to come use the new ones", () => {
  const authentic = acceptAuthentic({ endpoint: { addresses: [HERE[0]!] } });
  const { bench } = authentic;

  assert.deepEqual(addHere(authentic), []);
  const { value } = onlyChunk(bench.give(0, [init()], { sourcePort: 99 }), Chunk.initAck);

  const listed = tlvs(value, 16).filter(({ type }) => type === 5).map((one) => [...one.value].join("."));
  assert.deepEqual(listed, [HERE[0]!, NEW_HERE]);
});

// ------------------------------------------------------------------------------------ changes of the host's addresses

Deno.test("RFC 6458 §8.1.23: an address that the host gets is added, one that it loses is deleted", () => {
  const authentic = dynamic({ addresses: [] });
  const { bench, tsn } = authentic;

  bench.here = [...HERE, NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);
  const added = bench.collect();
  give(authentic, [ack(tsn)]);
  bench.here = [HERE[0]!, NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);
  const deleted = bench.collect();

  assert.deepEqual(requests(added).map(({ type, address }) => [type, address]), [[ADD, NEW_HERE]]);
  assert.deepEqual(requests(deleted).map(({ type, address }) => [type, address]), [[DELETE, HERE[1]!]]);
});

Deno.test("§5.3.2: a host that is renumbered adds the new address from that address, and deletes the old one behind it", () => {
  const authentic = dynamic({ addresses: [] });
  const { bench, tsn, association } = authentic;
  bench.here = [HERE[0]!];
  bench.stack.localAddressesChanged(bench.now);
  bench.collect();
  give(authentic, [ack(tsn)]);

  bench.here = [];
  bench.stack.localAddressesChanged(bench.now);
  assert.deepEqual(bench.collect(), []); // F5: the last address is not deleted
  bench.here = [NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);
  const sent = bench.collect();

  assert.deepEqual(requests(sent).map(({ type, address }) => [type, address]), [[ADD, NEW_HERE], [
    DELETE,
    HERE[0]!,
  ]]);
  assert.equal(sent[0]!.source, NEW_HERE);
  give(authentic, [ack(tsn + 1)]);
  assert.equal(bench.stack.status(association)!.paths[0]!.localAddress, NEW_HERE);
});

Deno.test("§5.3 F6: an ASCONF that deletes an address waits while there is no way: the system might choose that address", () => {
  const { bench } = dynamic({ addresses: [] });
  bench.here = [HERE[1]!];
  bench.stack.localAddressesChanged(bench.now);
  assert.deepEqual(chunksOf(bench.collect(), ASCONF), []);

  bench.here = [HERE[1]!, HERE[0]!]; // it is back, but nobody has heard of that
  const sent = bench.advance(1500);

  assert.deepEqual(requests(sent).map(({ type, address }) => [type, address]), [[DELETE, HERE[0]!]]);
  assert.equal(sent[0]!.source, HERE[1]);
});

/** A host that had one address gets another one in its place; the peer has not answered yet. */
function renumber({ bench }: Authentic): SentPacket[] {
  bench.here = [NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);
  return bench.collect();
}

/** The bench's host has one address, and the peer knows no other. */
function onOneAddress(options: DynamicOptions = {}): Authentic {
  const authentic = dynamic({ ...options, addresses: [] });
  const { bench, tsn } = authentic;
  bench.here = [HERE[0]!];
  bench.stack.localAddressesChanged(bench.now);
  bench.collect();
  give(authentic, [ack(tsn)]);
  return authentic;
}

Deno.test("§5.3 F1: nothing but the ASCONF comes from the new address of a host before the ASCONF-ACK; data does after it", () => {
  const authentic = onOneAddress();
  const { bench, association, tsn } = authentic;
  renumber(authentic);

  const before = [
    ...bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 }),
    ...bench.execute({ type: "heartbeat", association }),
    ...bench.advance(1500),
  ];
  const after = give(authentic, [ack(tsn + 1)]);

  for (const { source, chunks } of before) {
    assert.equal(source, chunks.some(({ type }) => type === ASCONF) ? NEW_HERE : HERE[0]);
  }
  assert.ok(chunksOf(before, ASCONF).length > 0 && chunksOf(before, Chunk.data).length > 0);
  assert.deepEqual(after.map(({ source }) => source), [NEW_HERE]);
  assert.equal(chunksOf(after, Chunk.data).length, 1);
});

Deno.test("an association that is shutting down asks for no addresses, and goes on from the new address of its host", () => {
  const authentic = onOneAddress();
  const { bench, association } = authentic;
  bench.execute({ type: "shutdown", association });

  const sent = [...renumber(authentic), ...bench.advance(1500)];

  assert.equal(chunksOf(sent, ASCONF).length, 0);
  assert.equal(chunksOf(sent, Chunk.shutdown).length, 1);
  assert.ok(sent.every(({ source }) => source === NEW_HERE));
});

Deno.test("RFC 3758 §3.5 C5: a FORWARD TSN that left before a host was renumbered goes again from the new address", () => {
  const authentic = onOneAddress({ parameters: FORWARD_TSN_SUPPORTED });
  const { bench, association, tsn } = authentic;
  const reliability = { policy: "rtx", retransmissions: 0 } as const;
  bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0, reliability });
  const first = bench.advance(1500);
  renumber(authentic);

  const again = give(authentic, [ack(tsn + 1)]);

  assert.equal(chunksOf(first, Extension.forwardTsn).length, 1);
  assert.equal(chunksOf(again, Extension.forwardTsn).length, 1);
  assert.equal(again[0]!.source, NEW_HERE);
});

Deno.test("RFC 6458 §8.1.23: an interface that comes and goes while an ASCONF is under way leaves nothing to ask", () => {
  const authentic = dynamic({ addresses: [] });
  const { bench, tsn } = authentic;
  const set = (...here: string[]) => {
    bench.here = here;
    bench.stack.localAddressesChanged(bench.now);
  };
  set(...HERE, NEW_HERE);
  bench.collect();

  for (let i = 0; i < 1000; i++) {
    set(...HERE, NEW_HERE, "10.1.0.98");
    set(...HERE, NEW_HERE);
  }

  assert.deepEqual(give(authentic, [ack(tsn)]), []);
});

Deno.test("RFC 6458 §8.1.23: auto_asconf can be switched off", () => {
  const authentic = dynamic({ addresses: [] });
  const { bench } = authentic;
  bench.stack.setOption(ENDPOINT, "auto_asconf", { value: false }, {}, bench.now);

  bench.here = [...HERE, NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);

  assert.deepEqual(bench.collect(), []);
});

Deno.test("a bound address that vanishes is no source any more where there is another", () => {
  const authentic = dynamic({ addresses: [HERE[0]!, NEW_HERE] });
  const { bench, association, tsn, tag } = authentic;
  const say = () => bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 });
  bench.here = [HERE[0]!, NEW_HERE];
  const before = say();
  bench.give(tag, [sack(tsn)]);

  bench.here = [NEW_HERE];
  bench.stack.localAddressesChanged(bench.now);

  assert.deepEqual([before, say()].map((sent) => sent.map(({ source }) => source)), [[HERE[0]], [NEW_HERE]]);
});

// ------------------------------------------------------------------------------- paths that come and go, and limits

Deno.test("§5.3 F14: the path MTU of an added address is looked for once it is confirmed (RFC 8899 §5.2)", () => {
  const authentic = acceptAuthentic({
    endpoint: { dynamicAddresses: true, addresses: [HERE[0]!], plpmtudProbeIntervalMs: 5000 },
    offer: OFFER,
  });
  const { bench, tag } = authentic;
  const sent = give(authentic, [asconf(0, request(ADD, 1, NEW_THERE))]);
  assert.ok(chunksOf(sent, PAD).length === 0);

  const probes = answerHeartbeats(bench, tag, sent).filter(({ destination }) => destination === NEW_THERE);

  assert.equal(chunksOf(probes, PAD).length, 1);
});

Deno.test("§5.3 F13: a removed path leaves no HEARTBEAT, no probe and no timer behind", () => {
  const authentic = acceptAuthentic({
    endpoint: {
      dynamicAddresses: true,
      addresses: [HERE[0]!],
      plpmtudProbeIntervalMs: 5000,
      heartbeatIntervalMs: 1000,
    },
    offer: OFFER,
  });
  const { bench, tag } = authentic;
  addProved(authentic, NEW_THERE); // a probe of its MTU is out
  bench.stack.execute(ENDPOINT, { type: "heartbeat", association: authentic.association }, bench.now);

  const sent = give(authentic, [asconf(1, request(DELETE, 2, NEW_THERE))]);
  for (let second = 0; second < 30; second++) {
    const packets = bench.advance(1000);
    sent.push(...packets, ...answerHeartbeats(bench, tag, packets));
  }

  assert.deepEqual(sent.filter(({ destination }) => destination === NEW_THERE), []);
  assert.ok(sent.length > 10);
});

Deno.test("limit: so many answers to ASCONFs are kept, and no more", () => {
  const authentic = dynamic();
  const one = (offset: number) => asconf(offset, request(SET_PRIMARY, 1, THERE[0]!));
  for (let i = 0; i <= MAX_CACHED_ASCONF_ACKS; i++) give(authentic, [one(i)]);

  const answered = [0, 1, MAX_CACHED_ASCONF_ACKS].map((i) =>
    chunksOf(give(authentic, [one(i)]), ASCONF_ACK).length
  );

  assert.deepEqual(answered, [0, 1, 1]);
});

/** An "add 127.0.0.1", which is refused, and goes back whole. */
function refusedRequest(octets: number): number[] {
  return tlv(ADD, [...be(4, 1), ...address("127.0.0.1"), ...Array<number>(octets - 16).fill(0)]);
}

Deno.test("limit: an answer that fits into a packet only without its AUTH chunk is dropped, and the association lives on", () => {
  const authentic = dynamic();
  const { bench, tag, association } = authentic;
  const sizes = [...Array<number>(63).fill(1012), 968];
  const one = asconf(0, sizes.flatMap(refusedRequest));

  const sent = bench.give(tag, authenticated(authentic.key, [one], { hmacId: Hmac.sha1 }));

  assert.equal(8 + sizes.reduce((sum, octets) => sum + octets + 12, 0), 65_500); // of 65,535, with header and AUTH
  assert.deepEqual(sent, []);
  assert.equal(bench.stack.counters.limited, 1);
  onlyChunk(bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 }), Chunk.data);
});

Deno.test("limit: of a request that is refused so many octets go back, and no more", () => {
  const sent = give(dynamic(), [asconf(0, refusedRequest(60_000))]);

  const [answer] = tlvs(onlyChunk(sent, ASCONF_ACK).value, 4);
  const [cause] = tlvs(answer!.value, 4);
  assert.equal(cause!.value.length, MAX_CAUSE_OCTETS);
});

Deno.test("limit: so many deleted addresses are remembered, and no more", () => {
  const authentic = dynamic();
  const { bench, tag } = authentic;
  const address = (i: number) => `10.1.7.${i + 1}`;
  for (let i = 0; i <= MAX_DELETED_ADDRESSES; i++) {
    give(authentic, [asconf(i, [...request(ADD, 1, address(i)), ...request(DELETE, 2, address(i))])]);
  }

  const from = (i: number) => bench.give(tag, [data({ tsn: THERE_TSN })], { source: address(i) });

  onlyChunk(from(MAX_DELETED_ADDRESSES), Chunk.abort);
  onlyChunk(from(1), Chunk.abort);
  assert.equal(chunksOf(from(0), Chunk.abort).length, 0);
});

Deno.test("addresses that change between INIT ACK and COOKIE ECHO are told as soon as the association is up", () => {
  const authentic = acceptAuthentic({
    endpoint: { dynamicAddresses: true },
    offer: OFFER,
    onInitAck: (bench) => bench.here = [HERE[0]!, NEW_HERE],
  });

  assert.deepEqual(requests(authentic.established).map(({ type, address }) => [type, address]), [
    [ADD, NEW_HERE],
    [DELETE, HERE[1]!],
  ]);
});

Deno.test("addresses that change between INIT ACK and COOKIE ECHO of a restart are told as soon as it is done", () => {
  const { bench } = dynamic({ addresses: [] });
  const { value, cookie } = initAckOf(bench, { tag: 0x77777777, offer: OFFER });
  bench.here = [HERE[0]!, NEW_HERE];

  const sent = bench.give(read(value, 0, 4), [chunk(Chunk.cookieEcho, 0, cookie)]);

  assert.equal(bench.eventsOf("restarted").length, 1);
  assert.deepEqual(requests(sent).map(({ type, address }) => [type, address]), [
    [ADD, NEW_HERE],
    [DELETE, HERE[1]!],
  ]);
});

Deno.test("a COOKIE ECHO that comes again from a new address has its answer there: the peer may have moved meanwhile", () => {
  const { bench, tag, echo } = dynamicCookie();
  bench.give(tag, [echo]);

  const sent = bench.give(tag, [echo], { source: NEW_THERE });

  assert.deepEqual(sent.map(({ destination }) => destination), [NEW_THERE]);
  onlyChunk(sent, Chunk.cookieAck);
});

Deno.test("a cookie makes no association for an address that it does not name", () => {
  const { bench, tag, echo } = dynamicCookie();

  assert.deepEqual(bench.give(tag, [echo], { source: NEW_THERE }), []);
  assert.equal(bench.eventsOf("up").length, 0);
});

/** A peer with dynamic addresses has its cookie. */
function dynamicCookie(): { bench: Bench; tag: number; echo: Uint8Array } {
  const bench = authBench({ endpoint: { dynamicAddresses: true }, offer: OFFER });
  const { value, cookie } = initAckOf(bench, { offer: OFFER });
  return { bench, tag: read(value, 0, 4), echo: chunk(Chunk.cookieEcho, 0, cookie) };
}
