/**
 * Puts the packets of an association together, in place in the driver's buffer: what is most urgent decides where the
 * packet goes, the rest of what goes there fills it up. Control chunks come first, then a SACK, then DATA (RFC 9260
 * §6.10).
 */
import type { Instant, PacketTransmit } from "../net.ts";
import { assert } from "../wire/assert.ts";
import type { AssociationCounts } from "./association_statistics.ts";
import type { Authentication } from "./authentication.ts";
import { ChunkType } from "./chunk.ts";
import type { ControlQueue } from "./control_queue.ts";
import { putChecksum } from "./crc32c.ts";
import type { StackCounters } from "./environment.ts";
import type { Inbound } from "./inbound.ts";
import { MAX_PACKET_OCTETS } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import { COMMON_HEADER_OCTETS, viewBehind, writeHeader } from "./packet.ts";
import { LoneTarget, Path } from "./path.ts";
import type { Target } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import { SACK_HEADER_OCTETS } from "./sack_chunk.ts";
import type { SackSchedule } from "./sack_schedule.ts";

/** Where the chunks of packets come from. */
export interface PacketSources {
  readonly paths: PathSet;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly control: ControlQueue;
  readonly sacks: SackSchedule;
  /** Absent = the association does not authenticate. */
  readonly authentication?: Authentication | undefined;
  readonly counts: AssociationCounts;
  readonly settings: { readonly maxSegment: number };
}

/** Builds the packets of one association. */
export class PacketBuilder {
  readonly #localPort: number;
  readonly #peerPort: number;
  readonly #counters: StackCounters;
  readonly #sources: PacketSources;
  /** Where the AUTH chunk of the packet at hand starts; -1 = it has none. */
  #authAt = -1;
  /** The smallest buffer that packets were built in. */
  #bufferOctets = MAX_PACKET_OCTETS;

  constructor(localPort: number, peerPort: number, counters: StackCounters, sources: PacketSources) {
    this.#localPort = localPort;
    this.#peerPort = peerPort;
    this.#counters = counters;
    this.#sources = sources;
  }

  /**
   * Builds the next packet.
   *
   * @param mayCarryData whether the association's state lets DATA go
   * @returns the path whose T3 may have been started, or any path; undefined = there is nothing to send
   */
  build(
    buffer: Uint8Array,
    transmit: PacketTransmit,
    tag: number,
    mayCarryData: boolean,
    now: Instant,
  ): Path | undefined {
    if (buffer.length < this.#bufferOctets) this.#fitBuffer(buffer.length);
    const { control, outbound, sacks, paths } = this.#sources;
    this.#authAt = -1;
    while (control.first !== undefined && this.#octetsAlone(control.first.chunk) > buffer.length) {
      control.shift(); // how long answers to ASCONF and RE-CONFIG are, and cookies, is up to the peer
      this.#counters.limited++;
    }
    const dataPath = mayCarryData ? outbound.writer.nextPath() : undefined;
    const target: Target | undefined = control.first?.target ??
      (sacks.due && sacks.path.confirmed ? sacks.path : dataPath);
    if (target === undefined) return undefined;
    const sizes = target instanceof Path ? target : paths.primary;
    const limit = Math.min(sizes.packetOctets, buffer.length);
    const view = viewBehind(buffer), start = buffer.byteOffset;
    let at = this.#putControl(buffer, COMMON_HEADER_OCTETS, limit, target);
    at = this.#putSack(buffer, view, start, at, limit, target, dataPath);
    if (dataPath !== undefined && dataPath === target) {
      at = this.#putData(buffer, view, start, at, limit, dataPath, now);
    }
    if (this.#authAt >= 0) this.#sources.authentication?.finish(buffer, this.#authAt, at);
    assert(at > COMMON_HEADER_OCTETS, "a packet has a chunk");
    this.#sources.counts.packetsSent++;
    writeHeader(view, start, this.#localPort, this.#peerPort, tag);
    putChecksum(view, start, at);
    transmit.length = at;
    transmit.source = target.source;
    transmit.destination = target.address;
    transmit.udpPort = target.encapsulationPort;
    transmit.localPort = this.#localPort;
    if (target instanceof LoneTarget) transmit.fragmentation = target.fragmentation;
    else if (at > sizes.packetOctets) transmit.fragmentation = "always"; // a chunk that was cut before the MTU fell
    return dataPath ?? paths.primary;
  }

  /** Octets of the AUTH chunk that a chunk needs in front of it; 0 = none, or there is one already. */
  #authOctets(chunkType: number): number {
    const { authentication } = this.#sources;
    if (authentication === undefined || this.#authAt >= 0 || !authentication.requires(chunkType)) return 0;
    return authentication.chunkOctets;
  }

  /** Octets of a packet with one control chunk, and the AUTH chunk that it may need. */
  #octetsAlone(chunk: Uint8Array): number {
    return COMMON_HEADER_OCTETS + this.#authOctets(chunk[0]!) + chunk.length;
  }

  #beginAuth(buffer: Uint8Array, at: number, keyId?: number): number {
    const { authentication } = this.#sources;
    if (authentication === undefined) return at;
    this.#authAt = at;
    return authentication.begin(buffer, at, keyId ?? authentication.keys.activeId);
  }

  #putData(
    buffer: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    limit: number,
    path: Path,
    now: Instant,
  ): number {
    const { outbound, authentication } = this.#sources;
    const alone = at === COMMON_HEADER_OCTETS;
    if (authentication?.requiresData !== true) {
      return outbound.writer.write(buffer, view, start, at, limit, path, alone, -1, now);
    }
    const keyId = outbound.writer.nextKeyId();
    if (this.#authAt >= 0) { // one AUTH chunk, one key
      if (keyId >= 0 && keyId !== authentication.keys.activeId) return at;
      return outbound.writer.write(buffer, view, start, at, limit, path, alone, keyId, now);
    }
    const dataAt = this.#beginAuth(buffer, at, keyId < 0 ? authentication.keys.activeId : keyId);
    const end = outbound.writer.write(buffer, view, start, dataAt, limit, path, alone, keyId, now);
    if (end > dataAt) return end;
    this.#authAt = -1; // no DATA has found room: there is nothing to authenticate
    return at;
  }

  #putControl(buffer: Uint8Array, at: number, limit: number, target: Target): number {
    const { control, counts } = this.#sources;
    for (let next = control.first; next?.target === target; next = control.first) {
      const { chunk } = next;
      const needed = this.#authOctets(chunk[0]!);
      if (at > COMMON_HEADER_OCTETS && at + needed + chunk.length > limit) break;
      if (needed > 0) at = this.#beginAuth(buffer, at);
      buffer.set(chunk, at);
      at += chunk.length;
      control.shift();
      counts.controlChunksSent++;
    }
    return at;
  }

  /**
   * A SACK that is due goes, alone if need be. One that could still wait goes along with data if it does not push the
   * data out of the packet: then data would be stuck behind it for ever.
   */
  #putSack(
    buffer: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    limit: number,
    target: Target,
    dataPath: Path | undefined,
  ): number {
    const { inbound, outbound, sacks, counts } = this.#sources;
    if (target !== sacks.path || !(sacks.due || sacks.owed) || !sacks.path.confirmed) return at;
    const needed = this.#authOctets(ChunkType.sack);
    const octets = inbound.sackOctets(limit - at - needed);
    if (octets < SACK_HEADER_OCTETS || at + needed + octets > limit) return at;
    if (!sacks.due) {
      if (dataPath !== target) return at;
      const authOctets = needed > 0 ? needed : this.#authOctets(ChunkType.data);
      if (at + authOctets + octets + outbound.writer.nextChunkOctets() > limit) return at;
    }
    if (needed > 0) at = this.#beginAuth(buffer, at);
    inbound.writeSack(view, start + at, octets);
    this.#counters.sacksSent++;
    counts.sacksSent++;
    counts.controlChunksSent++; // the kernel counts SACKs twice, too
    sacks.sent();
    return at + octets;
  }

  /** The driver's buffers are smaller than the path MTU: nothing longer is cut. */
  #fitBuffer(octets: number): void {
    this.#bufferOctets = octets;
    this.measureFragments();
  }

  /** Paths have changed: chunks are cut so that they fit into every one of them (§6.9). */
  measureFragments(): void {
    let packet = this.#bufferOctets & ~3;
    for (const path of this.#sources.paths.list) packet = Math.min(packet, path.packetOctets);
    const { authentication, outbound, settings: { maxSegment } } = this.#sources;
    if (authentication?.requiresData === true) packet -= authentication.chunkOctets;
    const octets = packet - COMMON_HEADER_OCTETS - outbound.writer.format.headerOctets;
    outbound.writer.fragmentOctets = maxSegment === 0 ? octets : Math.min(octets, maxSegment);
  }
}
