/**
 * Puts the packets of an association together, in place in the driver's buffer: what is most urgent decides where the
 * packet goes, the rest of what goes there fills it up. Control chunks come first, then a SACK, then DATA (RFC 9260
 * §6.10).
 */
import type { Instant, PacketTransmit } from "../net.ts";
import { assert } from "../wire/assert.ts";
import type { ControlQueue } from "./control_queue.ts";
import { putChecksum } from "./crc32c.ts";
import { DATA_HEADER_OCTETS } from "./data_chunk.ts";
import type { StackCounters } from "./environment.ts";
import type { Inbound } from "./inbound.ts";
import { MAX_PACKET_OCTETS } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import { COMMON_HEADER_OCTETS, viewBehind, writeHeader } from "./packet.ts";
import { Path } from "./path.ts";
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
}

/** Builds the packets of one association. */
export class PacketBuilder {
  readonly #localPort: number;
  readonly #peerPort: number;
  readonly #counters: StackCounters;
  readonly #sources: PacketSources;
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
    while (control.first !== undefined && control.first.chunk.length > buffer.length - COMMON_HEADER_OCTETS) {
      control.shift(); // only a peer's monstrous cookie is that long
      this.#counters.limited++;
    }
    const dataPath = mayCarryData ? outbound.nextPath() : undefined;
    const target: Target | undefined = control.first?.target ?? (sacks.due ? sacks.path : dataPath);
    if (target === undefined) return undefined;
    const sizes = target instanceof Path ? target : paths.primary;
    const limit = Math.min(sizes.packetOctets, buffer.length);
    const view = viewBehind(buffer), start = buffer.byteOffset;
    let at = this.#putControl(buffer, COMMON_HEADER_OCTETS, limit, target);
    at = this.#putSack(view, start, at, limit, target, dataPath);
    if (dataPath !== undefined && dataPath === target) {
      at = outbound.write(buffer, view, start, at, limit, dataPath, at === COMMON_HEADER_OCTETS, now);
    }
    assert(at > COMMON_HEADER_OCTETS, "a packet has a chunk");
    writeHeader(view, start, this.#localPort, this.#peerPort, tag);
    putChecksum(view, start, at);
    transmit.length = at;
    transmit.source = target.source;
    transmit.destination = target.address;
    transmit.udpPort = target.encapsulationPort;
    transmit.localPort = this.#localPort;
    return dataPath ?? paths.primary;
  }

  #putControl(buffer: Uint8Array, at: number, limit: number, target: Target): number {
    const { control } = this.#sources;
    for (let next = control.first; next?.target === target; next = control.first) {
      const { chunk } = next;
      if (at > COMMON_HEADER_OCTETS && at + chunk.length > limit) break;
      buffer.set(chunk, at);
      at += chunk.length;
      control.shift();
    }
    return at;
  }

  /**
   * A SACK that is due goes, alone if need be. One that could still wait goes along with data if it does not push the
   * data out of the packet: then data would be stuck behind it for ever.
   */
  #putSack(
    view: DataView,
    start: number,
    at: number,
    limit: number,
    target: Target,
    dataPath: Path | undefined,
  ): number {
    const { inbound, outbound, sacks } = this.#sources;
    if (target !== sacks.path || !(sacks.due || sacks.owed)) return at;
    const octets = inbound.sackOctets(limit - at);
    if (octets < SACK_HEADER_OCTETS || at + octets > limit) return at;
    if (!sacks.due) {
      if (dataPath !== target) return at;
      if (at + octets + DATA_HEADER_OCTETS + outbound.nextChunkOctets() > limit) return at;
    }
    inbound.writeSack(view, start + at, octets);
    this.#counters.sacksSent++;
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
    this.#sources.outbound.fragmentOctets = packet - COMMON_HEADER_OCTETS - DATA_HEADER_OCTETS;
  }
}
