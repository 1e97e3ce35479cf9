/**
 * The sending half of an association's data: the queue, fragmentation, what is in flight, and what a SACK says of it
 * (RFC 9260 §6.1, §6.2.1, §6.3, §7.2).
 *
 * A message waits whole in the queue. Chunks are cut when they are sent, so that they fit the path MTU of that moment,
 * and get their TSN then; a fragmented message is cut to its end before the next one begins. Sent chunks live in
 * {@linkcode Flight}. Octets are counted three times, and the invariants tie these together: whole chunks per path for
 * its congestion window, and user data for the peer's receive window, both of chunks in state "sent"; and user data for
 * all that the user gave and the peer has not acknowledged.
 */
import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { DATA_HEADER_OCTETS, DataFlag } from "./data_chunk.ts";
import type { StackCounters } from "./environment.ts";
import { ChunkState, Flight } from "./flight.ts";
import type { OutboundMessage } from "./flight.ts";
import { MAX_FLIGHT_CHUNKS, MAX_GAP_BLOCKS } from "./limits.ts";
import { MessageQueue } from "./message_queue.ts";
import { readU16 } from "./packet.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import { SACK_ITEM_OCTETS } from "./sack_chunk.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

/** Missing reports that make a chunk lost (RFC 9260 §7.2.4). */
const MISSES_UNTIL_LOST = 3;

/** What a SACK turned out to be. */
export const SackOutcome = {
  taken: 0,
  /** Overtaken by a later one. */
  old: 1,
  /** It acknowledges what was never sent. */
  violation: 2,
} as const;

/** Messages out, chunks in flight. */
export class Outbound {
  readonly flight: Flight;
  readonly queue: MessageQueue = new MessageQueue();
  /** Octets accepted from the user and not acknowledged cumulatively. */
  queuedOctets = 0;
  /** Octets of user data of chunks in state "sent". */
  flightOctets = 0;
  markedCount = 0;
  gapAckedCount = 0;
  /** The peer's last a_rwnd. */
  peerWindow: number;
  /** The only thing in flight is a probe of a closed window: silence is not the path's fault (§6.1 A). */
  probing = false;
  /** Most user data of one chunk. */
  fragmentOctets = 0;
  /** The next chunk that ends a message asks for a SACK at once: the association is shutting down. */
  hurry = false;

  readonly #paths: PathSet;
  readonly #counters: StackCounters;
  readonly #nextSsn: Uint16Array;
  /** No chunk before this TSN is marked. */
  #markHint: number;

  constructor(
    paths: PathSet,
    counters: StackCounters,
    initialTsn: number,
    streams: number,
    peerWindow: number,
  ) {
    this.#paths = paths;
    this.#counters = counters;
    this.flight = new Flight(initialTsn);
    this.#markHint = initialTsn;
    this.#nextSsn = new Uint16Array(streams);
    this.peerWindow = peerWindow;
  }

  get streams(): number {
    return this.#nextSsn.length;
  }

  /** Everything was sent and acknowledged. */
  get idle(): boolean {
    return this.flight.count === 0 && this.queue.length === 0;
  }

  /** The highest TSN that is acknowledged cumulatively. */
  get cumulativeAck(): number {
    return tsnAdd(this.flight.firstTsn, -1);
  }

  /** Takes a message of the user. */
  send(message: OutboundMessage): void {
    this.queue.push(message);
    this.queuedOctets += message.data.length;
  }

  /**
   * The path that the next DATA chunk may leave on now; undefined when nothing may be sent. What was lost goes before
   * what is new.
   */
  nextPath(): Path | undefined {
    if (this.markedCount > 0) {
      const slot = this.#firstMarked() & this.flight.mask;
      const path = this.#paths.forRetransmission(this.#paths.list[this.flight.paths[slot]!]!);
      const open = path.fastRetransmitting || path.congestion.allows(path.flight);
      return open && this.#windowTakes(this.flight.lengths[slot]!) ? path : undefined;
    }
    const message = this.queue.first;
    if (message === undefined || this.flight.count >= MAX_FLIGHT_CHUNKS) return undefined;
    const path = this.#paths.forData();
    if (!path.congestion.allows(path.flight)) return undefined;
    return this.#windowTakes(this.#nextFragmentLength(message)) ? path : undefined;
  }

  /** Octets of user data of the chunk that would be sent next; 0 = there is none. */
  nextChunkOctets(): number {
    if (this.markedCount > 0) return this.flight.lengths[this.#firstMarked() & this.flight.mask]!;
    const message = this.queue.first;
    return message === undefined ? 0 : this.#nextFragmentLength(message);
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
    now: Instant,
  ): number {
    const begin = at;
    // The windows are asked once a packet: cwnd may be exceeded by less than a packet (§6.1 B).
    const open = path.congestion.allows(path.flight);
    if (this.markedCount > 0) at = this.#writeMarked(packet, view, start, at, limit, path, force, now);
    if (open && this.markedCount === 0 && this.queue.length > 0 && this.#paths.forData() === path) {
      at = this.#writeNew(packet, view, start, at, limit, path, force && at === begin, now);
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
    now: Instant,
  ): number {
    const { flight } = this;
    const begin = at;
    const end = flight.nextTsn;
    for (let tsn = this.#firstMarked(); tsn !== end && this.markedCount > 0; tsn = tsnAdd(tsn, 1)) {
      const slot = tsn & flight.mask;
      if (flight.states[slot] !== ChunkState.marked) continue;
      const length = flight.lengths[slot]!;
      const fits = at + DATA_HEADER_OCTETS + length <= limit || (force && at === begin);
      if (!fits || !this.#windowTakes(length)) break;
      const lostOn = this.#paths.list[flight.paths[slot]!]!;
      if (this.#paths.forRetransmission(lostOn) !== path) break;
      this.markedCount--;
      if (tsn === flight.firstTsn) path.t3At = NEVER; // T3 begins anew for the first outstanding chunk (§7.2.4)
      at = this.#writeChunk(packet, view, start, at, tsn, slot, path, now);
      this.#counters.retransmissions++;
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
    now: Instant,
  ): number {
    const { flight, queue } = this;
    const begin = at;
    for (let message = queue.first; message !== undefined; message = queue.first) {
      const length = this.#nextFragmentLength(message);
      const fits = at + DATA_HEADER_OCTETS + length <= limit || (force && at === begin);
      if (!fits || flight.count >= MAX_FLIGHT_CHUNKS || !this.#windowTakes(length)) break;
      if (path.flight === 0 && now - path.lastSentAt >= path.timeout.rtoMs) {
        path.congestion.resumed(now - path.lastSentAt, path.timeout.rtoMs);
      }
      const tsn = flight.nextTsn;
      const slot = this.#cut(message, length);
      at = this.#writeChunk(packet, view, start, at, tsn, slot, path, now);
      if (!path.timing) {
        path.timing = true;
        path.timedTsn = tsn;
      }
    }
    return at;
  }

  /** Makes the next chunk of the first message in the queue. */
  #cut(message: OutboundMessage, length: number): number {
    const slot = this.flight.add(message, message.taken, length);
    let flags = message.unordered ? DataFlag.unordered : 0;
    if (message.taken === 0) {
      flags |= DataFlag.begin;
      if (!message.unordered) {
        const ssn = this.#nextSsn[message.stream]!;
        message.ssn = ssn;
        this.#nextSsn[message.stream] = ssn + 1; // wraps by itself
      }
    }
    message.taken += length;
    if (message.taken === message.data.length) {
      flags |= DataFlag.end;
      this.queue.shift();
      if (message.immediate || (this.hurry && this.queue.length === 0)) flags |= DataFlag.immediate;
    }
    this.flight.flags[slot] = flags;
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
    const { flight } = this;
    const message = flight.messages[slot]!;
    const length = flight.lengths[slot]!, offset = flight.offsets[slot]!;
    this.probing = length > this.peerWindow - this.flightOctets;
    let flags = flight.flags[slot]!;
    if (this.probing) flags |= DataFlag.immediate;
    const position = start + at;
    view.setUint32(position, flags << 16 | DATA_HEADER_OCTETS + length);
    view.setUint32(position + 4, tsn);
    view.setUint32(position + 8, message.stream << 16 | message.ssn);
    view.setUint32(position + 12, message.ppid);
    at += DATA_HEADER_OCTETS;
    const { data } = message;
    packet.set(length === data.length ? data : data.subarray(offset, offset + length), at);
    at += length;
    while ((at & 3) !== 0) packet[at++] = 0;
    flight.noteSent(slot, path.index, now);
    path.flight += chunkOctets(length);
    this.flightOctets += length;
    this.#counters.dataChunksSent++;
    return at;
  }

  /**
   * Takes the acknowledgement of a SACK or of a SHUTDOWN.
   *
   * @param cumulative cumulative TSN ack
   * @param window a_rwnd
   * @param packet where the gap ack blocks stand
   * @param gapsAt offset of the first block in `packet`
   * @param gapCount how many blocks; -1 = a SHUTDOWN, which says nothing of what lies behind a gap
   * @returns a {@linkcode SackOutcome}
   */
  acknowledge(
    cumulative: number,
    window: number,
    packet: Uint8Array,
    gapsAt: number,
    gapCount: number,
    now: Instant,
  ): number {
    const { flight } = this;
    const advance = tsnDifference(cumulative, flight.firstTsn) + 1;
    if (advance < 0) return SackOutcome.old;
    if (advance > flight.count) return SackOutcome.violation;
    if (gapCount > 0 && !this.#gapsAreSane(advance, packet, gapsAt, gapCount)) return SackOutcome.violation;
    const paths = this.#paths.list;
    for (let i = 0; i < paths.length; i++) prepare(paths[i]!);
    for (let i = 0; i < advance; i++) this.#ackFirst(now);
    if (gapCount > 0 || (gapCount === 0 && this.gapAckedCount > 0)) {
      this.#readGaps(packet, gapsAt, gapCount, advance > 0, now);
    }
    if (tsnDifference(this.#markHint, flight.firstTsn) < 0) this.#markHint = flight.firstTsn;
    this.peerWindow = window;
    if (this.probing) this.#judgeProbe();
    for (let i = 0; i < paths.length; i++) this.#conclude(paths[i]!, cumulative, advance > 0, now);
    return SackOutcome.taken;
  }

  /** The window has opened, but the probe was dropped while it was closed: it goes again without waiting for T3. */
  #judgeProbe(): void {
    const { flight } = this;
    const slot = flight.firstTsn & flight.mask;
    if (this.flightOctets > 0 && this.peerWindow < this.flightOctets) return; // still closed
    this.probing = false;
    if (flight.count === 0 || flight.states[slot] !== ChunkState.sent) return;
    this.#mark(flight.firstTsn, slot, this.#paths.list[flight.paths[slot]!]!);
  }

  /** Blocks must lie behind each other and end at what was sent. */
  #gapsAreSane(advance: number, packet: Uint8Array, gapsAt: number, gapCount: number): boolean {
    const highest = this.flight.count - advance;
    for (let i = 0; i < gapCount; i++) {
      if (readU16(packet, gapsAt + i * SACK_ITEM_OCTETS + 2) > highest) return false;
    }
    return true;
  }

  #ackFirst(now: Instant): void {
    const { flight } = this;
    const tsn = flight.firstTsn;
    const slot = tsn & flight.mask;
    const length = flight.lengths[slot]!;
    const state = flight.states[slot];
    if (state === ChunkState.gapAcked) this.gapAckedCount--;
    else this.#ackChunk(tsn, slot, length, state === ChunkState.sent, now);
    this.queuedOctets -= length;
    flight.removeFirst();
  }

  /**
   * A chunk is acknowledged for the first time. When it had been given up on its path and not been sent again yet, its
   * acknowledgement was only late, and says nothing of how the path is now: data must not go back there before a
   * HEARTBEAT or later data was answered.
   */
  #ackChunk(tsn: number, slot: number, length: number, inFlight: boolean, now: Instant): void {
    const { flight } = this;
    if (!inFlight) {
      this.markedCount--;
      return;
    }
    const path = this.#paths.list[flight.paths[slot]!]!;
    const octets = chunkOctets(length);
    path.flight -= octets;
    this.flightOctets -= length;
    path.ackedOctets += octets;
    path.anyAcked = true;
    if (!path.outstandingSeen) path.restartT3 = true;
    if (path.timing && path.timedTsn === tsn) {
      path.timing = false;
      if (flight.sends[slot] === 1) path.timeout.measured(now - flight.sentAt[slot]!);
    }
  }

  /** Walks over the TSNs up to the last one that is or was acknowledged by a gap ack block. */
  #readGaps(packet: Uint8Array, gapsAt: number, gapCount: number, advanced: boolean, now: Instant): void {
    const { flight } = this;
    const blocks = Math.min(gapCount, MAX_GAP_BLOCKS);
    let block = 0, from = 0, to = 0;
    let gapAckedLeft = this.gapAckedCount;
    let anyNew = false;
    for (let offset = 1; offset <= flight.count; offset++) {
      while (offset > to && block < blocks) { // overlapping and backward blocks fall out here
        from = readU16(packet, gapsAt + block * SACK_ITEM_OCTETS);
        to = readU16(packet, gapsAt + block * SACK_ITEM_OCTETS + 2);
        block++;
      }
      const inBlocks = offset <= to;
      if (!inBlocks && gapAckedLeft === 0) break;
      const tsn = tsnAdd(flight.firstTsn, offset - 1);
      const slot = tsn & flight.mask;
      const state = flight.states[slot];
      const path = this.#paths.list[flight.paths[slot]!]!;
      if (state === ChunkState.gapAcked) gapAckedLeft--;
      if (inBlocks && offset >= from) {
        if (state === ChunkState.gapAcked) continue;
        this.#ackChunk(tsn, slot, flight.lengths[slot]!, state === ChunkState.sent, now);
        flight.states[slot] = ChunkState.gapAcked;
        this.gapAckedCount++;
        path.newlyAcked = anyNew = true;
        path.highestNewlyAcked = tsn;
      } else if (state === ChunkState.gapAcked) {
        this.#takeBack(slot, path); // the peer dropped what it had
      } else if (state === ChunkState.sent) {
        path.outstandingSeen = true;
      }
    }
    if (anyNew || advanced) this.#countMisses(advanced);
  }

  /** A chunk that was acknowledged by a gap ack block counts as sent again. */
  #takeBack(slot: number, path: Path): void {
    const length = this.flight.lengths[slot]!;
    this.flight.states[slot] = ChunkState.sent;
    this.gapAckedCount--;
    path.flight += chunkOctets(length);
    this.flightOctets += length;
    path.outstandingSeen = true;
  }

  /**
   * Missing reports (§7.2.4): a chunk is reported missing when a later one *of the same path* is newly acknowledged,
   * or in fast recovery with each cumulative advance. Comparing within a path keeps a change of the primary path from
   * looking like loss. Only chunks that were sent once are judged; for the others there is T3.
   */
  #countMisses(advanced: boolean): void {
    const { flight } = this;
    let left = this.gapAckedCount;
    for (let offset = 0; offset < flight.count && left > 0; offset++) {
      const tsn = tsnAdd(flight.firstTsn, offset);
      const slot = tsn & flight.mask;
      const state = flight.states[slot];
      if (state === ChunkState.gapAcked) left--;
      if (state !== ChunkState.sent || flight.sends[slot] !== 1) continue;
      const path = this.#paths.list[flight.paths[slot]!]!;
      const overtaken = path.newlyAcked && tsnDifference(path.highestNewlyAcked, tsn) > 0;
      if (!overtaken && !(advanced && path.congestion.inRecovery)) continue;
      const misses = flight.misses[slot]! + 1;
      flight.misses[slot] = misses;
      if (misses >= MISSES_UNTIL_LOST) this.#fastRetransmit(tsn, slot, path);
    }
  }

  #fastRetransmit(tsn: number, slot: number, path: Path): void {
    this.#mark(tsn, slot, path);
    this.#counters.fastRetransmissions++;
    path.congestion.fastRetransmit(tsnAdd(this.flight.nextTsn, -1));
    this.#paths.forRetransmission(path).fastRetransmitting = true;
  }

  #mark(tsn: number, slot: number, path: Path): void {
    const length = this.flight.lengths[slot]!;
    this.flight.states[slot] = ChunkState.marked;
    this.markedCount++;
    path.flight -= chunkOctets(length);
    this.flightOctets -= length;
    if (path.timing && path.timedTsn === tsn) path.timing = false;
    if (tsnDifference(tsn, this.#markHint) < 0) this.#markHint = tsn;
  }

  /** What a SACK means for one path: cwnd, T3, error count. */
  #conclude(path: Path, cumulative: number, advanced: boolean, now: Instant): void {
    const { congestion } = path;
    if (congestion.inRecovery && tsnDifference(cumulative, congestion.recoveryExit) >= 0) {
      congestion.inRecovery = false;
    }
    if (path.anyAcked) {
      congestion.acknowledged(path.ackedOctets, path.flightBefore, path.flight, advanced, now);
      path.lastAckedAt = now;
    }
    if (path.flight === 0) path.t3At = NEVER;
    else if (path.restartT3 || path.t3At === NEVER) path.t3At = now + path.timeout.rtoMs;
    assert(path.flight >= 0, "no path has less than nothing in flight");
  }

  /** T3 of a path expired (§6.3.3): all that is in flight there is lost. */
  timedOut(path: Path): void {
    const { flight } = this;
    for (let offset = 0; offset < flight.count; offset++) {
      const tsn = tsnAdd(flight.firstTsn, offset);
      const slot = tsn & flight.mask;
      if (flight.states[slot] === ChunkState.sent && flight.paths[slot] === path.index) {
        this.#mark(tsn, slot, path);
      }
    }
    path.t3At = NEVER;
    path.timing = false;
    path.fastRetransmitting = false;
    path.congestion.timedOut();
    path.timeout.backOff();
    this.#counters.retransmissionTimeouts++;
  }

  /** Messages that the peer has not acknowledged, in order. */
  *unacknowledged(): Generator<{ message: OutboundMessage; sent: boolean }> {
    const { flight } = this;
    let last: OutboundMessage | undefined;
    for (let offset = 0; offset < flight.count; offset++) {
      const slot = (flight.firstTsn + offset) & flight.mask;
      const message = flight.messages[slot];
      if (message === undefined || message === last) continue; // gap-acked ones, too: the peer may hold them for ever
      last = message;
      yield { message, sent: true };
    }
    for (const message of this.queue) {
      if (message !== last) yield { message, sent: message.taken > 0 };
    }
  }

  /** @throws {InvariantError} when the sums do not agree with the chunks */
  checkInvariants(): void {
    const { flight } = this;
    const perPath = this.#paths.list.map(() => 0);
    let octets = 0, marked = 0, gapAcked = 0, queued = 0;
    for (let offset = 0; offset < flight.count; offset++) {
      const slot = (flight.firstTsn + offset) & flight.mask;
      const length = flight.lengths[slot]!;
      queued += length;
      if (flight.states[slot] === ChunkState.sent) {
        octets += length;
        perPath[flight.paths[slot]!]! += chunkOctets(length);
      } else if (flight.states[slot] === ChunkState.marked) marked++;
      else if (flight.states[slot] === ChunkState.gapAcked) gapAcked++;
      else assert(false, "every chunk in flight has a state");
    }
    for (const message of this.queue) queued += message.data.length - message.taken;
    assert(octets === this.flightOctets, "flight is the sum of what is sent");
    assert(marked === this.markedCount, "the marked chunks are counted");
    assert(gapAcked === this.gapAckedCount, "the gap-acked chunks are counted");
    assert(queued === this.queuedOctets, "queued octets are what is not acknowledged");
    this.#paths.list.forEach((path, i) => {
      assert(path.flight === perPath[i], "the flight of a path is the sum of what was sent there");
      assert((path.flight > 0) === (path.t3At !== NEVER), "T3 runs exactly while something is in flight");
    });
  }

  #nextFragmentLength(message: OutboundMessage): number {
    return Math.min(message.data.length - message.taken, this.fragmentOctets);
  }

  /** Whether the peer's window takes a chunk; one chunk may always be in flight (§6.1 A). */
  #windowTakes(length: number): boolean {
    return this.flightOctets === 0 || length <= this.peerWindow - this.flightOctets;
  }

  #firstMarked(): number {
    const { flight } = this;
    let tsn = this.#markHint;
    while (flight.states[tsn & flight.mask] !== ChunkState.marked) tsn = tsnAdd(tsn, 1);
    this.#markHint = tsn;
    return tsn;
  }
}

/** Octets of a DATA chunk with its header and padding. */
function chunkOctets(length: number): number {
  return DATA_HEADER_OCTETS + length + 3 & ~3;
}

function prepare(path: Path): void {
  path.ackedOctets = 0;
  path.flightBefore = path.flight;
  path.restartT3 = false;
  path.outstandingSeen = false;
  path.anyAcked = false;
  path.newlyAcked = false;
}
