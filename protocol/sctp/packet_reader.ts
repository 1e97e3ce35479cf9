/**
 * Takes the packets of an association apart. DATA and SACK are read where they stand in the packet, without a copy and
 * without a view: there are many. All other chunks go to control_chunks.ts.
 */
import type { Instant, PacketMeta } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { Authentication, AuthOutcome } from "./authentication.ts";
import { behindAuth, readAuth } from "./auth_chunk.ts";
import { unsupportedHmacCause } from "./causes.ts";
import { chunkLengthAt, ChunkType, nextChunkAt } from "./chunk.ts";
import { ControlChunks } from "./control_chunks.ts";
import { MAX_CHUNKS_PER_PACKET } from "./limits.ts";
import { answerToStranger } from "./out_of_the_blue.ts";
import { COMMON_HEADER_OCTETS, readU32 } from "./packet.ts";
import type { Path } from "./path.ts";
import { Reception } from "./reception.ts";

/** Reads the packets of one association. */
export class PacketReader {
  readonly #parts: AssociationParts;
  readonly #reception: Reception;
  readonly #control: ControlChunks;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
    this.#reception = new Reception(parts);
    this.#control = new ControlChunks(parts, this.#reception);
  }

  /**
   * Reads a packet whose checksum and verification tag are right.
   *
   * @param from where to start
   * @throws {DecodeError} when a chunk cannot be read; what stood before it has been taken
   */
  read(packet: Uint8Array, meta: PacketMeta, now: Instant, from: number): void {
    const { paths, dynamic, counts } = this.#parts;
    const path = paths.find(meta.source);
    if (path === undefined && dynamic?.hasDeleted(meta.source) === true && !changesAddresses(packet)) {
      return this.#answerStranger(packet, meta);
    }
    if (path !== undefined && path.encapsulationPort !== meta.udpPort) {
      this.#learnEncapsulation(path, packet, meta);
    }
    counts.packetsReceived++;
    this.#reception.begin();
    try {
      this.#readChunks(packet, path, meta, now, from);
    } finally { // what stood before a chunk that cannot be read has been taken and is acknowledged
      this.#reception.finish(path, now);
    }
  }

  #readChunks(
    packet: Uint8Array,
    path: Path | undefined,
    meta: PacketMeta,
    now: Instant,
    from: number,
  ): void {
    const parts = this.#parts;
    const { authentication, association, format: { chunkType: dataType } } = parts;
    let at = from, verified = from > COMMON_HEADER_OCTETS;
    for (let count = 0; at < packet.length && count < MAX_CHUNKS_PER_PACKET; count++) {
      const length = chunkLengthAt(packet, at);
      const type = packet[at]!;
      if (authentication !== undefined && !verified && type === ChunkType.authentication) {
        if (!this.#verify(authentication, packet, at, length, now)) return;
        verified = true;
      } else if (authentication !== undefined && !verified && authentication.expects(type)) {
        if (type === ChunkType.asconf) return; // the rest of the packet goes with it (RFC 5061 §5.2 D5)
      } else if (type === dataType) {
        this.#reception.data(packet, at, length, now);
      } else if (type === ChunkType.sack) {
        parts.counts.controlChunksReceived++;
        parts.progress.sack(packet, at, length, path, now);
      } else {
        const chunk = packet.subarray(at, at + length);
        if (!this.#control.take(type, chunk, readU32(packet, 4), path, meta, now)) return;
      }
      if (association.state === "closed") return;
      at = nextChunkAt(at, length);
    }
  }

  /** @returns whether what follows the AUTH chunk is the peer's (RFC 4895 §6.3) */
  #verify(
    authentication: Authentication,
    packet: Uint8Array,
    at: number,
    length: number,
    now: Instant,
  ): boolean {
    const { keyId, hmacId } = readAuth(packet, at, length);
    const outcome = authentication.verify(packet, at, length);
    if (outcome === AuthOutcome.unsupported) this.#parts.sendError(unsupportedHmacCause(hmacId), now);
    if (outcome !== AuthOutcome.good) {
      this.#parts.host.counters.unauthenticated++;
      return false;
    }
    if (keyId !== authentication.peerKeyId) {
      authentication.peerKeyId = keyId;
      this.#parts.events.keyChanged("new-key", keyId);
    }
    return true;
  }

  /** The peer's UDP port is where its last valid packet came from (RFC 6951 §5.4). */
  #learnEncapsulation(path: Path, packet: Uint8Array, meta: PacketMeta): void {
    const { state } = this.#parts.association;
    if (state === "cookie-echoed" || packet[COMMON_HEADER_OCTETS] === ChunkType.initAck) return;
    path.encapsulationPort = meta.udpPort;
    this.#parts.measureFragments();
  }

  /** From an address that the peer has deleted (RFC 5061 §5.3 F13). */
  #answerStranger(packet: Uint8Array, meta: PacketMeta): void {
    const { host, endpoint, association: { peerPort, localTag } } = this.#parts;
    host.counters.outOfTheBlue++;
    const answer = answerToStranger(packet);
    if (answer !== undefined) host.reply(endpoint, endpoint.targetOf(meta), peerPort, localTag, [answer]);
  }
}

/** Whether a packet has an ASCONF or its answer behind its AUTH chunk: these may come from anywhere. */
function changesAddresses(packet: Uint8Array): boolean {
  const type = packet[behindAuth(packet)];
  return type === ChunkType.asconf || type === ChunkType.asconfAck;
}
