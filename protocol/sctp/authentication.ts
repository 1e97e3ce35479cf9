/**
 * The authentication of one association (RFC 4895 §6): which chunks need an AUTH chunk in front of them in either
 * direction, the association keys, and the HMACs.
 *
 * A packet has one AUTH chunk at most, so all it authenticates goes under one key. Whatever follows the first chunk that
 * needs it is authenticated along with it, which is allowed and keeps the order of chunks.
 */
import type { StackEnvironment } from "./environment.ts";
import { AUTH_HEADER_OCTETS, HmacId, hmacOctets, readAuth, writeAuth } from "./auth_chunk.ts";
import { mayBeAuthenticated, readKeyVector } from "./auth_offer.ts";
import type { KeyVectors } from "./auth_offer.ts";
import { ChunkType } from "./chunk.ts";
import type { SharedKeys } from "./shared_keys.ts";
import { sameOctets } from "./same_octets.ts";

/** What an AUTH chunk turned out to be. */
export const AuthOutcome = {
  /** All that follows is from the peer. */
  good: 0,
  /** Silently discarded with all that follows. */
  bad: 1,
  /** This side has not offered the algorithm: discarded, and the peer is told. */
  unsupported: 2,
} as const;

/** What is written along with user data. */
const DATA_CHUNKS = [ChunkType.data, ChunkType.iData, ChunkType.forwardTsn, ChunkType.iForwardTsn];

/** Authenticates what an association sends and receives. */
export class Authentication {
  readonly keys: SharedKeys;
  /** Chunk types that this side accepts after an AUTH chunk only, and those that the peer does; 1 = listed. */
  readonly #expected: Uint8Array;
  readonly #required: Uint8Array;
  readonly #offeredHmacs: readonly number[];
  readonly #hmacId: number;
  /** Whether the peer takes user data only after an AUTH chunk. */
  readonly requiresData: boolean;
  readonly localChunkTypes: readonly number[];
  readonly peerChunkTypes: readonly number[];
  readonly #vectors: KeyVectors;
  readonly #environment: StackEnvironment;
  /** The key that the peer used last. */
  peerKeyId = 0;
  #lastKey: { readonly shared: Uint8Array; readonly association: Uint8Array } | undefined;

  constructor(vectors: KeyVectors, keys: SharedKeys, environment: StackEnvironment) {
    const local = readKeyVector(vectors.local), peer = readKeyVector(vectors.peer);
    this.keys = keys;
    this.#vectors = vectors;
    this.#environment = environment;
    this.#expected = typeTable(local.chunkTypes ?? []);
    this.localChunkTypes = local.chunkTypes ?? [];
    this.peerChunkTypes = peer.chunkTypes ?? [];
    // Whatever the peer has listed, address changes go authenticated (RFC 5061 §4.1.1, §4.1.2).
    this.#required = typeTable([...this.peerChunkTypes, ChunkType.asconf, ChunkType.asconfAck]);
    this.requiresData = DATA_CHUNKS.some((type) => this.requires(type));
    this.#offeredHmacs = local.hmacIds;
    // The peer's first choice among those this side knows (§6.1).
    this.#hmacId = peer.hmacIds.find((id) => hmacOctets(id) !== undefined) ?? HmacId.sha1;
  }

  /** Octets of an AUTH chunk that this side sends. */
  get chunkOctets(): number {
    return AUTH_HEADER_OCTETS + (hmacOctets(this.#hmacId) ?? 0);
  }

  /** Whether this side takes chunks of a type only after an AUTH chunk. */
  expects(chunkType: number): boolean {
    return this.#expected[chunkType] === 1;
  }

  /** Whether the peer takes chunks of a type only after an AUTH chunk. */
  requires(chunkType: number): boolean {
    return this.#required[chunkType] === 1;
  }

  /** The key that a message is to be sent with; undefined = it needs none. */
  keyForData(wanted: number | undefined): number | undefined {
    return this.requiresData ? wanted ?? this.keys.activeId : undefined;
  }

  /** Makes room for an AUTH chunk. @returns where the chunks that it authenticates start */
  begin(packet: Uint8Array, at: number, keyId: number): number {
    return writeAuth(packet, at, keyId, this.#hmacId);
  }

  /**
   * Fills in the HMAC of an AUTH chunk that `begin` has written.
   *
   * @param at where the AUTH chunk starts
   * @param end where the packet ends
   */
  finish(packet: Uint8Array, at: number, end: number): void {
    const { keyId } = readAuth(packet, at, AUTH_HEADER_OCTETS);
    const hmac = this.#hmac(this.#hmacId, keyId, packet.subarray(at, end));
    if (hmac !== undefined) packet.set(hmac, at + AUTH_HEADER_OCTETS);
  }

  /** A chunk for a packet of its own, with an AUTH chunk in front of it if the peer wants that. */
  protect(chunk: Uint8Array): Uint8Array[] {
    if (!this.requires(chunk[0]!)) return [chunk];
    const packet = new Uint8Array(this.chunkOctets + chunk.length);
    const at = this.begin(packet, 0, this.keys.activeId);
    packet.set(chunk, at);
    this.finish(packet, 0, packet.length);
    return [packet];
  }

  /**
   * Verifies what follows an AUTH chunk (§6.3).
   *
   * @param packet is as before when the call returns
   * @param at where the AUTH chunk starts
   * @param length of the AUTH chunk
   * @returns an {@linkcode AuthOutcome}
   * @throws {DecodeError} when the chunk is too short
   */
  verify(packet: Uint8Array, at: number, length: number): number {
    const { keyId, hmacId } = readAuth(packet, at, length);
    if (!this.#offeredHmacs.includes(hmacId)) return AuthOutcome.unsupported;
    const hmacAt = at + AUTH_HEADER_OCTETS;
    const received = packet.slice(hmacAt, at + length);
    if (received.length !== hmacOctets(hmacId)) return AuthOutcome.bad;
    packet.fill(0, hmacAt, at + length);
    const computed = this.#hmac(hmacId, keyId, packet.subarray(at));
    packet.set(received, hmacAt);
    return computed !== undefined && sameOctets(computed, received) ? AuthOutcome.good : AuthOutcome.bad;
  }

  /** The HMAC of data; undefined when there is no such key or algorithm. */
  #hmac(hmacId: number, keyId: number, data: Uint8Array): Uint8Array | undefined {
    const shared = this.keys.get(keyId);
    const mac = hmacId === HmacId.sha1
      ? this.#environment.macSha1
      : hmacId === HmacId.sha256
      ? this.#environment.mac
      : undefined;
    if (shared === undefined || mac === undefined) return undefined;
    if (this.#lastKey?.shared !== shared) {
      this.#lastKey = { shared, association: associationKey(shared, this.#vectors) };
    }
    return mac(this.#lastKey.association, data);
  }
}

/**
 * The association shared key (§6.1): the endpoint pair's key, the key vector that is smaller as a number, the larger one.
 *
 * @param shared the endpoint pair's key; may be empty
 */
export function associationKey(shared: Uint8Array, { local, peer }: KeyVectors): Uint8Array {
  const [first, second] = compareNumbers(local, peer) <= 0 ? [local, peer] : [peer, local];
  const key = new Uint8Array(shared.length + first.length + second.length);
  key.set(shared);
  key.set(first, shared.length);
  key.set(second, shared.length + first.length);
  return key;
}

/** Compares octets as numbers in network order; of equal numbers the shorter vector comes first. */
function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i - length + a.length] ?? 0) - (b[i - length + b.length] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** One octet for each chunk type; those that must not be listed are passed over (§3.2). */
function typeTable(chunkTypes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const type of chunkTypes) {
    if (mayBeAuthenticated(type)) table[type] = 1;
  }
  return table;
}
