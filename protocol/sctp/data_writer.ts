/**
 * What data is sent next, where to, and how it becomes chunks (RFC 9260 §6.1, §6.9, §6.10).
 *
 * Chunks are cut when they are sent, so that they fit the path MTU of that moment, and get their TSN then. Without
 * interleaving a fragmented message is cut to its end before the next one begins. What the peer must pass over goes
 * first, then what was lost, then what is new.
 */
import type { Instant } from "../net.ts";
import { expired } from "./abandonment.ts";
import type { Abandonment } from "./abandonment.ts";
import type { AssociationCounts } from "./association_statistics.ts";
import { DataFlag } from "./data_chunk.ts";
import type { DataFormat } from "./data_format.ts";
import type { StackCounters } from "./environment.ts";
import { ChunkState } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { MAX_FLIGHT_CHUNKS } from "./limits.ts";
import type { OutboundBacklog } from "./outbound_backlog.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import type { OutboundStreams } from "./outbound_streams.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import type { PeerWindow } from "./peer_window.ts";
import { tsnAdd } from "./serial.ts";

/** What a writer takes from, and what it notes there. */
export interface DataWriterParts {
  readonly paths: PathSet;
  readonly settings: { readonly noDelay: boolean };
  readonly counters: StackCounters;
  readonly counts: AssociationCounts;
  readonly format: DataFormat;
  readonly flight: Flight;
  readonly streams: OutboundStreams;
  readonly backlog: OutboundBacklog;
  readonly window: PeerWindow;
  readonly abandonment: Abandonment;
}

/** Makes the DATA or I-DATA chunks of one association. */
export class DataWriter {
  readonly format: DataFormat;
  /** Most user data of one chunk. */
  fragmentOctets = 0;
  /** The next chunk that ends a message asks for a SACK at once: the association is shutting down. */
  hurry = false;
  /** The user waits for room, so that a delayed SACK would hold him up: the last chunk asks for one at once (RFC 7053 §4). */
  full = false;
  readonly #paths: PathSet;
  readonly #settings: { readonly noDelay: boolean };
  readonly #counters: StackCounters;
  readonly #counts: AssociationCounts;
  readonly #flight: Flight;
  readonly #streams: OutboundStreams;
  readonly #backlog: OutboundBacklog;
  readonly #window: PeerWindow;
  readonly #abandonment: Abandonment;

  constructor(parts: DataWriterParts) {
    this.format = parts.format;
    this.#paths = parts.paths;
    this.#settings = parts.settings;
    this.#counters = parts.counters;
    this.#counts = parts.counts;
    this.#flight = parts.flight;
    this.#streams = parts.streams;
    this.#backlog = parts.backlog;
    this.#window = parts.window;
    this.#abandonment = parts.abandonment;
  }

  /** The path that the next DATA chunk may leave on now; undefined when nothing may be sent. */
  nextPath(): Path | undefined {
    const path = this.#openPath();
    return path?.confirmed === true ? path : undefined; // when the peer has moved, its only path may be unproved
  }

  #openPath(): Path | undefined {
    const flight = this.#flight;
    if (this.#abandonment.due) return this.#paths.forData();
    if (flight.markedCount > 0) {
      const slot = flight.firstMarked() & flight.mask;
      const path = this.#paths.forRetransmission(flight.pathOf(slot));
      const open = path.fastRetransmitting || path.congestion.allows(path.flight);
      return open && this.#window.takes(flight.lengths[slot]!) ? path : undefined;
    }
    const message = this.#backlog.queue.first;
    if (message === undefined || flight.count >= MAX_FLIGHT_CHUNKS || this.#waitsForMore) return undefined;
    const path = this.#pathFor(message);
    if (!path.congestion.allows(path.flight)) return undefined;
    return this.#window.takes(this.#nextFragmentLength(message)) ? path : undefined;
  }

  /**
   * Nagle's algorithm (RFC 9260 §6.1): less than a packet waits until what is in flight is acknowledged, in the hope of
   * company. The rest of a longer message does not.
   */
  get #waitsForMore(): boolean {
    return !this.#settings.noDelay && this.#flight.octets > 0 && !this.hurry &&
      this.#backlog.queue.octets < this.fragmentOctets && this.#backlog.queue.first?.taken === 0;
  }

  /** New data goes to the user's destination if that works, else to the primary path (RFC 6458 §5.3.4). */
  #pathFor(message: OutboundMessage): Path {
    if (message.destination !== undefined) {
      const wanted = this.#paths.find(message.destination);
      if (wanted !== undefined && wanted.usable) return wanted;
    }
    return this.#paths.forData();
  }

  /** The shared key of the chunk that would be sent next; -1 = it needs none. */
  nextKeyId(): number {
    const flight = this.#flight;
    if (flight.markedCount > 0) return flight.messages[flight.firstMarked() & flight.mask]?.authKeyId ?? -1;
    return this.#backlog.queue.first?.authKeyId ?? -1;
  }

  /** Octets of the chunk that would be sent next, without padding; 0 = there is none. */
  nextChunkOctets(): number {
    const { headerOctets, forwardEntryOctets } = this.format;
    if (this.#abandonment.due) return headerOctets + forwardEntryOctets;
    if (this.#flight.markedCount > 0) {
      return headerOctets + this.#flight.lengths[this.#flight.firstMarked() & this.#flight.mask]!;
    }
    const message = this.#backlog.queue.first;
    return message === undefined ? 0 : headerOctets + this.#nextFragmentLength(message);
  }

  /**
   * Writes DATA chunks for a path into a packet: as many as fit and as the windows allow, but at least one into a
   * packet that has nothing else, since a chunk that was cut for a larger path MTU has to go all the same.
   *
   * @param view the buffer behind the packet
   * @param start where the packet starts in `view`
   * @param at where the next chunk starts in the packet
   * @param limit where the packet must end
   * @param path as `nextPath` gave it
   * @param force the packet is empty but for its header
   * @param keyId the shared key of all that goes into the packet; -1 = it makes no difference
   * @returns where the packet ends now
   */
  write(
    packet: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    limit: number,
    path: Path,
    force: boolean,
    keyId: number,
    now: Instant,
  ): number {
    const begin = at;
    if (this.#abandonment.due) at = this.#abandonment.write(view, start, at, limit, path, now);
    // The windows are asked once a packet: cwnd may be exceeded by less than a packet (§6.1 B).
    const open = path.congestion.allows(path.flight);
    if (this.#flight.markedCount > 0 && (open || path.fastRetransmitting)) {
      at = this.#writeMarked(packet, view, start, at, limit, path, force && at === begin, keyId, now);
    }
    if (open && this.#flight.markedCount === 0) {
      at = this.#writeNew(packet, view, start, at, limit, path, force && at === begin, keyId, now);
    }
    if (at > begin) {
      path.fastRetransmitting = false;
      path.lastSentAt = now;
      path.startT3(now);
    }
    return at;
  }

  #writeMarked(
    packet: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    limit: number,
    path: Path,
    force: boolean,
    keyId: number,
    now: Instant,
  ): number {
    const flight = this.#flight;
    const begin = at;
    const end = flight.nextTsn;
    for (let tsn = flight.firstMarked(); tsn !== end && flight.markedCount > 0; tsn = tsnAdd(tsn, 1)) {
      const slot = tsn & flight.mask;
      if (flight.states[slot] !== ChunkState.marked) continue;
      const length = flight.lengths[slot]!;
      const fits = at + this.format.headerOctets + length <= limit || (force && at === begin);
      if (!fits || !this.#window.takes(length)) break;
      if (this.#paths.forRetransmission(flight.pathOf(slot)) !== path) break;
      const message = flight.messages[slot];
      if (expired(message, now)) break; // the next packet sees to it
      if (message !== undefined && keyId >= 0 && message.authKeyId !== keyId) break;
      if (tsn === flight.firstTsn) path.t3At = NEVER; // T3 begins anew for the first outstanding chunk (§7.2.4)
      at = this.#writeChunk(packet, view, start, at, tsn, slot, path, now);
      this.#counters.retransmissions++;
      this.#counts.retransmittedChunks++;
    }
    return at;
  }

  #writeNew(
    packet: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    limit: number,
    path: Path,
    force: boolean,
    keyId: number,
    now: Instant,
  ): number {
    const flight = this.#flight;
    const queue = this.#backlog.queue;
    const begin = at;
    if (this.#waitsForMore) return at;
    let stream = -1;
    for (let message = queue.first; message !== undefined; message = queue.first) {
      const length = this.#nextFragmentLength(message);
      const fits = at + this.format.headerOctets + length <= limit || (force && at === begin);
      if (!fits || flight.count >= MAX_FLIGHT_CHUNKS || !this.#window.takes(length)) break;
      if (this.#pathFor(message) !== path || expired(message, now)) break;
      if (keyId >= 0 && message.authKeyId !== keyId) break;
      if (!queue.mixesStreams && stream >= 0 && stream !== message.stream) break;
      stream = message.stream;
      if (path.flight === 0 && now - path.lastSentAt >= path.timeout.rtoMs) {
        path.congestion.resumed(now - path.lastSentAt, path.timeout.rtoMs);
      }
      const tsn = flight.nextTsn;
      const slot = this.#cut(message, length);
      at = this.#writeChunk(packet, view, start, at, tsn, slot, path, now);
      this.#counts.dataSent(message.unordered);
      if (!path.timing) {
        path.timing = true;
        path.timedTsn = tsn;
      }
    }
    if (stream >= 0) queue.endPacket();
    return at;
  }

  /** Makes the next chunk of the first message in the queue. */
  #cut(message: OutboundMessage, length: number): number {
    const slot = this.#flight.add(message, message.taken, length);
    let flags = message.unordered ? DataFlag.unordered : 0;
    if (message.taken === 0) {
      flags |= DataFlag.begin;
      message.ssn = this.#streams.next(message.stream, message.unordered);
    }
    this.#backlog.queue.took(length);
    if (message.taken === message.data.length) {
      flags |= DataFlag.end;
      const asks = (this.hurry || this.full) && this.#backlog.queue.length === 0;
      if (message.immediate || asks) flags |= DataFlag.immediate;
    }
    this.#flight.flags[slot] = flags;
    return slot;
  }

  #writeChunk(
    packet: Uint8Array,
    view: DataView,
    start: number,
    at: number,
    tsn: number,
    slot: number,
    path: Path,
    now: Instant,
  ): number {
    const { format } = this;
    const flight = this.#flight;
    const message = flight.messages[slot]!;
    const length = flight.lengths[slot]!, offset = flight.offsets[slot]!;
    const probing = !this.#window.holds(length);
    this.#window.probing = probing;
    let flags = flight.flags[slot]!;
    if (probing) flags |= DataFlag.immediate;
    format.writeHeader(view, start + at, flags, length, tsn, message, flight.fragments[slot]!);
    at += format.headerOctets;
    const { data } = message;
    packet.set(length === data.length ? data : data.subarray(offset, offset + length), at);
    at += length;
    while ((at & 3) !== 0) packet[at++] = 0;
    flight.noteSent(slot, path, now);
    flight.ends[slot] = at;
    this.#counters.dataChunksSent++;
    return at;
  }

  #nextFragmentLength(message: OutboundMessage): number {
    return Math.min(message.data.length - message.taken, this.fragmentOctets);
  }
}
