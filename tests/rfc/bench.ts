/**
 * One SCTP stack on a workbench: the tests play its peer with packets made by hand, octet by octet, and look at what
 * it sends. The encoder and decoder here are deliberately not the stack's own.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  type EndpointOptions,
  ipAddressOctets,
  isIpv4,
  type PacketError,
  type PacketTransmit,
  type TransportCommand,
  type TransportEvent,
} from "../../protocol/net.ts";
import { Prng } from "../../protocol/machine.ts";
import { SctpStack } from "../../protocol/sctp/mod.ts";
import { checkPacket, findChunks, repairChecksum } from "../../protocol/sim/wire_rules.ts";

/** Chunk types (RFC 9260 §3.2). */
export const Chunk = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;

/** Error causes (RFC 9260 §3.3.10). */
export const Cause = {
  invalidStream: 1,
  missingParameter: 2,
  staleCookie: 3,
  outOfResource: 4,
  unresolvableAddress: 5,
  unrecognizedChunk: 6,
  invalidParameter: 7,
  unrecognizedParameters: 8,
  noUserData: 9,
  cookieInShutdown: 10,
  restartNewAddresses: 11,
  userInitiatedAbort: 12,
  protocolViolation: 13,
} as const;

/** Addresses of the stack on the bench and of the peer that the tests play: two networks. */
export const HERE: readonly string[] = ["10.1.0.1", "10.2.0.1"];
export const THERE: readonly string[] = ["10.1.0.2", "10.2.0.2"];
export const HERE_PORT = 7000;
export const THERE_PORT = 8000;
/** The tag that the stack must put into its packets. */
export const THERE_TAG = 0x0a0b0c0d;
/** The first TSN that the tests send. */
export const THERE_TSN = 1000;
export const ENDPOINT = 5;

/** Big-endian octets: `be(2, 0x102)` is 01 02. */
export function be(length: number, value: number): number[] {
  return Array.from({ length }, (_, i) => Math.floor(value / 2 ** (8 * (length - 1 - i))) & 0xff);
}

/** A chunk with its padding. */
export function chunk(type: number, flags: number, value: ArrayLike<number>): Uint8Array {
  const length = 4 + value.length;
  const octets = new Uint8Array(length + (-length & 3));
  octets.set([type, flags, length >> 8, length & 0xff]);
  octets.set(Array.from(value), 4);
  return octets;
}

/** A parameter or error cause with its padding. */
export function tlv(type: number, value: ArrayLike<number>): number[] {
  const length = 4 + value.length;
  return [...be(2, type), ...be(2, length), ...Array.from(value), ...Array<number>(-length & 3).fill(0)];
}

/** A chunk of parameters or causes; the padding of the last one is the chunk's, and not in its length (§3.2). */
export function tlvChunk(
  type: number,
  flags: number,
  tlvs: readonly number[],
  fixed: readonly number[] = [],
): Uint8Array {
  let end = 0;
  for (let at = 0; at < tlvs.length; at = end + (-end & 3)) end = at + (tlvs[at + 2]! << 8 | tlvs[at + 3]!);
  return chunk(type, flags, [...fixed, ...tlvs.slice(0, end)]);
}

export interface InitFields {
  readonly tag?: number;
  readonly window?: number;
  readonly outbound?: number;
  readonly inbound?: number;
  readonly tsn?: number;
  readonly parameters?: readonly number[];
}

/** An INIT or INIT ACK. */
export function init(type: 1 | 2, fields: InitFields = {}): Uint8Array {
  const { tag = THERE_TAG, window = 100_000, outbound = 10, inbound = 10, tsn = THERE_TSN, parameters = [] } =
    fields;
  const fixed = [...be(4, tag), ...be(4, window), ...be(2, outbound), ...be(2, inbound), ...be(4, tsn)];
  return tlvChunk(type, 0, parameters, fixed);
}

/** Address parameters. */
export function addressParameters(addresses: readonly string[]): number[] {
  return addresses.flatMap((address) => tlv(isIpv4(address) ? 5 : 6, ipAddressOctets(address)!));
}

export interface DataFields {
  readonly tsn: number;
  readonly stream?: number;
  readonly ssn?: number;
  readonly ppid?: number;
  /** I 8, U 4, B 2, E 1; default BE. */
  readonly flags?: number;
  readonly data?: ArrayLike<number>;
}

/** A DATA chunk. */
export function data(
  { tsn, stream = 0, ssn = 0, ppid = 0, flags = 3, data = [1, 2, 3, 4] }: DataFields,
): Uint8Array {
  return chunk(Chunk.data, flags, [
    ...be(4, tsn),
    ...be(2, stream),
    ...be(2, ssn),
    ...be(4, ppid),
    ...Array.from(data),
  ]);
}

/** A SACK; gaps are [start, end] offsets from the cumulative TSN. */
export function sack(
  cumulative: number,
  gaps: readonly (readonly [number, number])[] = [],
  window = 100_000,
  duplicates: readonly number[] = [],
): Uint8Array {
  return chunk(Chunk.sack, 0, [
    ...be(4, cumulative),
    ...be(4, window),
    ...be(2, gaps.length),
    ...be(2, duplicates.length),
    ...gaps.flatMap(([start, end]) => [...be(2, start), ...be(2, end)]),
    ...duplicates.flatMap((tsn) => be(4, tsn)),
  ]);
}

/** A packet with a right checksum. */
export function packet(
  tag: number,
  chunks: readonly Uint8Array[],
  from: number = THERE_PORT,
  to: number = HERE_PORT,
): Uint8Array {
  const body = chunks.flatMap((one) => Array.from(one));
  const octets = Uint8Array.from([...be(2, from), ...be(2, to), ...be(4, tag), 0, 0, 0, 0, ...body]);
  repairChecksum(octets);
  return octets;
}

/** A chunk that the stack sent. */
export interface SentChunk {
  readonly type: number;
  readonly flags: number;
  /** Without the chunk header and padding. */
  readonly value: Uint8Array;
}

/** A packet that the stack sent. */
export interface SentPacket {
  readonly at: number;
  readonly source: string | undefined;
  readonly destination: string;
  readonly udpPort: number;
  readonly tag: number;
  readonly chunks: readonly SentChunk[];
  readonly octets: Uint8Array;
}

/** Reads big-endian. */
export function read(octets: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + octets[at + i]!;
  return value;
}

/** Parameters or causes in octets. */
export function tlvs(octets: Uint8Array, start: number): { type: number; value: Uint8Array }[] {
  const found: { type: number; value: Uint8Array }[] = [];
  for (let at = start; at + 4 <= octets.length;) {
    const length = read(octets, at + 2, 2);
    found.push({ type: read(octets, at, 2), value: octets.slice(at + 4, at + length) });
    at += length + (-length & 3);
  }
  return found;
}

export interface ReadSack {
  readonly cumulative: number;
  readonly window: number;
  readonly gaps: readonly (readonly [number, number])[];
  readonly duplicates: readonly number[];
}

/** Reads a SACK. */
export function readSack({ value }: SentChunk): ReadSack {
  const gapCount = read(value, 8, 2), duplicateCount = read(value, 10, 2);
  return {
    cumulative: read(value, 0, 4),
    window: read(value, 4, 4),
    gaps: Array.from(
      { length: gapCount },
      (_, i) => [read(value, 12 + 4 * i, 2), read(value, 14 + 4 * i, 2)] as const,
    ),
    duplicates: Array.from({ length: duplicateCount }, (_, i) => read(value, 12 + 4 * gapCount + 4 * i, 4)),
  };
}

/** The TSN of a DATA chunk. */
export function tsnOf(dataChunk: SentChunk): number {
  return read(dataChunk.value, 0, 4);
}

/** HMAC-SHA-256. */
export function hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(octets).digest());
}

/** HMAC-SHA-1. */
export function hmacSha1(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha1", key).update(octets).digest());
}

export interface BenchOptions {
  readonly endpoint?: EndpointOptions;
  readonly raw?: boolean;
  readonly mtu?: number;
  readonly seed?: number;
}

/** The bench with one endpoint on port 7000. */
export class Bench {
  readonly stack: SctpStack;
  /** Addresses of the stack's host; tests change them. */
  here: readonly string[] = HERE;
  /** Virtual time in milliseconds. */
  now = 0;
  readonly events: TransportEvent[] = [];
  closed = false;
  readonly #buffer: Uint8Array = new Uint8Array(65_535);

  constructor({ endpoint = {}, raw = true, mtu = 1500, seed = 1 }: BenchOptions = {}) {
    const prng = new Prng(seed);
    this.stack = new SctpStack({
      random: (octets) => {
        for (let i = 0; i < octets.length; i++) octets[i] = prng.below(256);
      },
      mac: hmacSha256,
      macSha1: hmacSha1,
      route: (destination) => {
        const source = this.here.find((address) => destination.startsWith(address.slice(0, 5)));
        return source === undefined ? undefined : { source, mtu };
      },
      localAddresses: () => [...this.here, "127.0.0.1", "::1"],
      raw,
    });
    this.stack.open(
      ENDPOINT,
      { port: HERE_PORT, listen: true, ...endpoint } as EndpointOptions & { port: number },
      0,
    );
    this.collect();
  }

  /** Takes what the stack has to send and to tell. */
  collect(): SentPacket[] {
    const sent: SentPacket[] = [];
    const transmit: PacketTransmit = {
      length: 0,
      source: undefined,
      destination: "",
      udpPort: 0,
      localPort: 0,
    };
    for (;;) {
      const events = this.stack.drain();
      for (const { endpoint, event } of events) {
        assert.equal(endpoint, ENDPOINT);
        if (event.type === "closed") this.closed = true;
        else this.events.push(event);
      }
      let quiet = events.length === 0;
      while (this.stack.pollTransmit(this.#buffer, transmit, this.now)) {
        quiet = false;
        assert.ok(sent.length < 10_000, "the stack stops sending by itself");
        sent.push(this.#read(this.#buffer.slice(0, transmit.length), transmit));
      }
      if (quiet && !this.stack.hasEvents) break;
    }
    this.stack.checkInvariants();
    return sent;
  }

  /** Gives a packet to the stack and returns what it sends at once. */
  give(tag: number, chunks: readonly Uint8Array[], from: GiveOptions = {}): SentPacket[] {
    return this.giveRaw(packet(tag, chunks, from.sourcePort, from.destinationPort), from);
  }

  /** Gives octets to the stack. */
  giveRaw(octets: Uint8Array, from: GiveOptions = {}): SentPacket[] {
    const meta = {
      source: from.source ?? THERE[0]!,
      destination: from.destination ?? HERE[0]!,
      udpPort: from.udpPort ?? 0,
    };
    this.stack.receive(octets, meta, this.now);
    this.stack.endOfBatch(this.now);
    return this.collect();
  }

  /** Tells the stack of an ICMP message. */
  giveError(error: PacketError): SentPacket[] {
    this.stack.receiveError(error, this.now);
    return this.collect();
  }

  /** Lets the application ask for something. */
  execute(command: TransportCommand): SentPacket[] {
    this.stack.execute(ENDPOINT, command, this.now);
    return this.collect();
  }

  /** Lets time pass and returns what is sent in it. */
  advance(ms: number): SentPacket[] {
    const until = this.now + ms;
    const sent: SentPacket[] = [];
    for (let rounds = 0;; rounds++) {
      assert.ok(rounds < 100_000, "timers come to an end");
      const next = this.stack.nextTimeout();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      this.stack.tick(this.now);
      sent.push(...this.collect());
    }
    this.now = until;
    return sent;
  }

  /** Events of one type. */
  eventsOf<Type extends TransportEvent["type"]>(type: Type): Extract<TransportEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<TransportEvent, { type: Type }> =>
      event.type === type
    );
  }

  #read(octets: Uint8Array, transmit: PacketTransmit): SentPacket {
    const { source, destination, udpPort } = transmit;
    checkPacket({
      source: source ?? HERE[0]!,
      destination,
      udpSource: udpPort,
      udpDestination: udpPort,
      octets,
    });
    const chunks = findChunks(octets)!.map(({ type, flags, start, end }) => ({
      type,
      flags,
      value: octets.slice(start + 4, end),
    }));
    return { at: this.now, source, destination, udpPort, tag: read(octets, 4, 4), chunks, octets };
  }
}

export interface GiveOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly udpPort?: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** All chunks of a type in some packets. */
export function chunksOf(packets: readonly SentPacket[], type: number): SentChunk[] {
  return packets.flatMap(({ chunks }) => chunks.filter((one) => one.type === type));
}

/** The one chunk of a type in some packets. */
export function onlyChunk(packets: readonly SentPacket[], type: number): SentChunk {
  const found = chunksOf(packets, type);
  const all = packets.map(({ chunks }) => chunks.map((one) => one.type).join("+")).join(" ");
  assert.equal(found.length, 1, `one chunk of type ${type} in [${all}]`);
  return found[0]!;
}

/** An association on the bench. */
export interface Established {
  readonly bench: Bench;
  /** The stack's name for it. */
  readonly association: number;
  /** The tag that the peer must put into its packets. */
  readonly tag: number;
  /** The first TSN that the stack will send. */
  readonly tsn: number;
}

/** A peer sets up an association with the stack. */
export function accept(
  options: BenchOptions = {},
  fields: InitFields = {},
  from: GiveOptions = {},
): Established {
  const bench = new Bench(options);
  const answer = onlyChunk(bench.give(0, [init(Chunk.init, fields)], from), Chunk.initAck);
  const tag = read(answer.value, 0, 4), tsn = read(answer.value, 12, 4);
  const cookie = tlvs(answer.value, 16).find(({ type }) => type === 7)!.value;
  const echoed = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)], from);
  onlyChunk(echoed, Chunk.cookieAck);
  const up = bench.eventsOf("up");
  assert.equal(up.length, 1);
  return { bench, association: up[0]!.association, tag, tsn };
}

/** The stack sets up an association with a peer; ends with the COOKIE ACK. */
export function connect(options: BenchOptions = {}, fields: InitFields = {}): Established {
  const bench = new Bench(options);
  const asked = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });
  const first = onlyChunk(asked, Chunk.init);
  const tag = read(first.value, 0, 4), tsn = read(first.value, 12, 4);
  const parameters = [...(fields.parameters ?? []), ...tlv(7, [1, 2, 3, 4, 5, 6, 7, 8])];
  onlyChunk(bench.give(tag, [init(Chunk.initAck, { ...fields, parameters })]), Chunk.cookieEcho);
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);
  const up = bench.eventsOf("up");
  assert.equal(up.length, 1);
  return { bench, association: up[0]!.association, tag, tsn };
}

/** Both addresses of the peer confirmed by heartbeats, as long as that takes. */
export function confirmPaths({ bench, tag }: Established): void {
  for (
    let i = 0;
    i < 20 && bench.eventsOf("path").filter(({ change }) => change === "confirmed").length < 2;
    i++
  ) {
    answerHeartbeats(bench, tag, bench.advance(500));
  }
}

/** Answers the HEARTBEATs among some packets. */
export function answerHeartbeats(bench: Bench, tag: number, packets: readonly SentPacket[]): SentPacket[] {
  return packets.flatMap((sent) =>
    sent.chunks.filter(({ type }) => type === Chunk.heartbeat).flatMap(({ value }) =>
      bench.give(tag, [chunk(Chunk.heartbeatAck, 0, value)], {
        source: sent.destination,
        destination: sent.source ?? HERE[0]!,
        udpPort: sent.udpPort,
      })
    )
  );
}
