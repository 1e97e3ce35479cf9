/**
 * The peer of RFC 4895 that the tests play: its parameters, keys and AUTH chunks are computed here, by `node:crypto` and
 * by the RFC's text, and not by the stack's own code.
 */
import assert from "node:assert/strict";
import type { EndpointOptions } from "../../protocol/net.ts";
import {
  be,
  Bench,
  type BenchOptions,
  Chunk,
  chunk,
  chunksOf,
  type GiveOptions,
  hmacSha1,
  hmacSha256,
  init,
  onlyChunk,
  packet,
  read,
  type SentPacket,
  THERE_PORT,
  tlv,
  tlvs,
} from "./bench.ts";
import { THERE } from "./bench.ts";

export const AUTH = 15, ASCONF = 193, ASCONF_ACK = 128;
export const Parameter = { random: 0x8002, chunks: 0x8003, hmacs: 0x8004, extensions: 0x8008 } as const;
export const Hmac = { sha1: 1, sha256: 3 } as const;

/** The random number of the peer: smaller than most. */
export const RANDOM: readonly number[] = Array.from({ length: 32 }, (_, i) => i);

export interface PeerOffer {
  readonly random?: readonly number[];
  /** Chunks that the peer wants authenticated; undefined = no list. */
  readonly chunks?: readonly number[] | undefined;
  readonly hmacs?: readonly number[];
  readonly extensions?: readonly number[];
}

/** The parameters of an INIT or INIT ACK of the peer. */
export function offerParameters(offer: PeerOffer = {}): number[] {
  const { extensions = [AUTH, ASCONF, ASCONF_ACK] } = offer;
  return [...tlv(Parameter.extensions, extensions), ...unpadded(offer).flatMap((one) => padded(one))];
}

function padded(parameter: readonly number[]): number[] {
  return [...parameter, ...Array<number>(-parameter.length & 3).fill(0)];
}

function unpadded({ random = RANDOM, chunks, hmacs = [Hmac.sha256, Hmac.sha1] }: PeerOffer): number[][] {
  const bare = (
    type: number,
    value: readonly number[],
  ) => [...be(2, type), ...be(2, 4 + value.length), ...value];
  return [
    bare(Parameter.random, random),
    ...(chunks === undefined ? [] : [bare(Parameter.chunks, chunks)]),
    bare(Parameter.hmacs, hmacs.flatMap((id) => be(2, id))),
  ];
}

/** The key vector of the peer. */
export function peerVector(offer: PeerOffer = {}): number[] {
  return unpadded(offer).flat();
}

/** The key vector in an INIT or INIT ACK that the stack sent. */
export function stackVector(value: Uint8Array): number[] {
  const found = tlvs(value, 16);
  return [Parameter.random, Parameter.chunks, Parameter.hmacs].flatMap((type) =>
    found.filter((one) => one.type === type)
      .flatMap((one) => [...be(2, type), ...be(2, 4 + one.value.length), ...one.value])
  );
}

/** The association key of §6.1. */
export function keyOf(
  shared: readonly number[],
  one: readonly number[],
  other: readonly number[],
): Uint8Array {
  const number = (vector: readonly number[]) => BigInt("0x" + Uint8Array.from(vector).toHex());
  const oneFirst = number(one) < number(other) ||
    (number(one) === number(other) && one.length < other.length);
  const [first, second] = oneFirst ? [one, other] : [other, one];
  return Uint8Array.from([...shared, ...first, ...second]);
}

/** The HMAC of octets by an identifier. */
export function hmacBy(id: number, key: Uint8Array, octets: Uint8Array): Uint8Array {
  return id === Hmac.sha1 ? hmacSha1(key, octets) : hmacSha256(key, octets);
}

export interface AuthFields {
  readonly keyId?: number;
  readonly hmacId?: number;
}

/** Chunks with an AUTH chunk in front of them. */
export function authenticated(
  key: Uint8Array,
  chunks: readonly Uint8Array[],
  { keyId = 0, hmacId = Hmac.sha256 }: AuthFields = {},
): Uint8Array[] {
  const octets = hmacId === Hmac.sha1 ? 20 : 32;
  const zero = chunk(AUTH, 0, [...be(2, keyId), ...be(2, hmacId), ...Array<number>(octets).fill(0)]);
  const data = Uint8Array.from([...zero, ...chunks.flatMap((one) => [...one])]);
  zero.set(hmacBy(hmacId, key, data), 8);
  return [zero, ...chunks];
}

/** An association in which both sides authenticate, and what the peer knows of it. */
export interface Authentic {
  readonly bench: Bench;
  readonly association: number;
  readonly tag: number;
  readonly tsn: number;
  /** The association key under the empty shared key. */
  readonly key: Uint8Array;
  readonly vectors: readonly [number[], number[]];
  /** What was sent when the association was up. */
  readonly established: readonly SentPacket[];
}

export interface AuthenticOptions {
  readonly endpoint?: EndpointOptions;
  readonly offer?: PeerOffer;
  readonly parameters?: readonly number[];
  /** The peer's tag. */
  readonly tag?: number;
  readonly prepare?: (bench: Bench) => void;
  /** What happens between INIT ACK and COOKIE ECHO. */
  readonly onInitAck?: (bench: Bench) => void;
  readonly bench?: BenchOptions;
}

/** The INIT ACK of a stack that authenticates, and its cookie. */
export function initAckOf(
  bench: Bench,
  options: AuthenticOptions = {},
): { value: Uint8Array; cookie: Uint8Array } {
  const parameters = [...offerParameters(options.offer), ...(options.parameters ?? [])];
  const fields = options.tag === undefined ? { parameters } : { parameters, tag: options.tag };
  const { value } = onlyChunk(bench.give(0, [init(Chunk.init, fields)]), Chunk.initAck);
  return { value, cookie: tlvs(value, 16).find(({ type }) => type === 7)!.value };
}

/** A bench whose endpoint authenticates. */
export function authBench(options: AuthenticOptions = {}): Bench {
  const bench = new Bench({ ...options.bench, endpoint: { authentication: true, ...options.endpoint } });
  options.prepare?.(bench);
  return bench;
}

/** A peer sets up an association with the stack. */
export function acceptAuthentic(options: AuthenticOptions = {}): Authentic {
  const bench = authBench(options);
  const { value, cookie } = initAckOf(bench, options);
  const tag = read(value, 0, 4), tsn = read(value, 12, 4);
  const vectors: [number[], number[]] = [stackVector(value), peerVector(options.offer)];
  const key = keyOf([], ...vectors);
  options.onInitAck?.(bench);
  const established = bench.give(tag, authenticated(key, [chunk(Chunk.cookieEcho, 0, cookie)]));
  onlyChunk(established, Chunk.cookieAck);
  const [up] = bench.eventsOf("up");
  assert.ok(up !== undefined);
  return { bench, association: up.association, tag, tsn, key, vectors, established };
}

/** The stack sets up an association with the peer; ends with the COOKIE ACK. */
export function connectAuthentic(options: AuthenticOptions = {}): Authentic {
  const bench = authBench(options);
  const asked = bench.execute({
    type: "connect",
    request: 1,
    addresses: [THERE[0]!],
    port: THERE_PORT,
    encapsulationPort: 0,
  });
  const first = onlyChunk(asked, Chunk.init);
  const tag = read(first.value, 0, 4), tsn = read(first.value, 12, 4);
  const vectors: [number[], number[]] = [stackVector(first.value), peerVector(options.offer)];
  const key = keyOf([], ...vectors);
  const parameters = [
    ...offerParameters(options.offer),
    ...(options.parameters ?? []),
    ...tlv(7, [1, 2, 3, 4]),
  ];
  onlyChunk(bench.give(tag, [init(Chunk.initAck, { parameters })]), Chunk.cookieEcho);
  bench.give(tag, authenticated(key, [chunk(Chunk.cookieAck, 0, [])]));
  const [up] = bench.eventsOf("up");
  assert.ok(up !== undefined);
  return { bench, association: up.association, tag, tsn, key, vectors, established: [] };
}

/** Chunks of the peer that go authenticated. */
export function give(
  { bench, tag, key }: Authentic,
  chunks: readonly Uint8Array[],
  from?: GiveOptions,
): SentPacket[] {
  return bench.give(tag, authenticated(key, chunks), from);
}

/** Says of a packet of the stack which chunks its AUTH chunk covers; fails when the HMAC is wrong. */
export function coveredBy(
  sent: SentPacket,
  key: Uint8Array,
  { keyId = 0, hmacId = Hmac.sha256 }: AuthFields = {},
): number[] {
  const index = sent.chunks.findIndex(({ type }) => type === AUTH);
  if (index < 0) return [];
  const auth = sent.chunks[index]!;
  assert.equal(read(auth.value, 0, 2), keyId, "the shared key identifier");
  assert.equal(read(auth.value, 2, 2), hmacId, "the HMAC identifier");
  assert.equal(chunksOf([sent], AUTH).length, 1, "one AUTH chunk a packet");
  let at = 12;
  for (let i = 0; i < index; i++) at += 4 + sent.chunks[i]!.value.length + 3 & ~3;
  const data = sent.octets.slice(at);
  data.fill(0, 8, 4 + auth.value.length);
  assert.deepEqual(auth.value.slice(4), hmacBy(hmacId, key, data), "the HMAC is over all that follows");
  return sent.chunks.slice(index + 1).map(({ type }) => type);
}

export { packet };
