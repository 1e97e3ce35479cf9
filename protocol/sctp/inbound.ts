/**
 * The receiving half of an association's data: which TSNs have come, reassembly, order within streams, and what a SACK
 * has to say (RFC 9260 §6.2, §6.5, §6.6, §6.7, §6.9).
 *
 * A chunk that is next in TSN order goes through {@linkcode Assembly} to the user at once. One that comes behind a gap
 * is held; if its message is complete there, it is delivered without waiting for the gap (unordered) or for other
 * streams (ordered). The held octets, the messages that wait for their turn in a stream, and those that a slow reader
 * has not consumed make up the occupied part of the receive buffer. A message under assembly does not count: it may be
 * longer than the buffer, and is bounded by the endpoint's `maxMessage`.
 */
import { assert } from "../wire/assert.ts";
import { ChunkType } from "./chunk.ts";
import { DataFlag, WHOLE_MESSAGE } from "./data_chunk.ts";
import type { StackCounters } from "./environment.ts";
import { HeldChunks, HeldState } from "./held_chunks.ts";
import { InboundStreams } from "./inbound_streams.ts";
import { HELD_CHUNK_OVERHEAD, MAX_DUPLICATES, MAX_TSN_WINDOW } from "./limits.ts";
import { Assembly } from "./reassembly.ts";
import { SACK_HEADER_OCTETS, SACK_ITEM_OCTETS } from "./sack_chunk.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

/** What became of a DATA chunk. */
export const DataOutcome = {
  /** In TSN order. */
  inOrder: 0,
  /** New, but behind a gap. */
  behindGap: 1,
  duplicate: 2,
  /** No room, or too far ahead: as if it had been lost. */
  dropped: 3,
  /** The stream does not exist; the TSN counts as received (§6.5). */
  badStream: 4,
  /** Fragments or sequence numbers contradict each other. */
  violation: 5,
  /** The message is longer than this endpoint takes. */
  tooLong: 6,
} as const;

/** Takes whole messages. */
export interface MessageSink {
  deliver(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void;
}

/** Limits of the receiving half. */
export interface InboundLimits {
  readonly receiveBuffer: number;
  readonly maxMessage: number;
  readonly manualReceive: boolean;
}

/** Chunks in, messages out. */
export class Inbound {
  /** All TSNs up to this one have been received. */
  cumulativeTsn: number;
  /** The highest TSN received. */
  highestTsn: number;
  readonly streams: InboundStreams;
  /** Octets delivered and not consumed; stays 0 unless the reader says what it consumes. */
  unconsumedOctets = 0;
  /** The a_rwnd that the peer believes in: what it was told, less what it has sent since. */
  advertised: number;

  readonly #limits: InboundLimits;
  readonly #sink: MessageSink;
  readonly #counters: StackCounters;
  readonly #held = new HeldChunks();
  readonly #assembly = new Assembly();
  readonly #duplicates = new Uint32Array(MAX_DUPLICATES);
  #duplicateCount = 0;
  /** Something went wrong while a message was taken apart or put together. */
  #failure = 0;

  constructor(
    initialTsn: number,
    streams: number,
    limits: InboundLimits,
    sink: MessageSink,
    counters: StackCounters,
  ) {
    this.cumulativeTsn = tsnAdd(initialTsn, -1);
    this.highestTsn = this.cumulativeTsn;
    this.streams = new InboundStreams(streams);
    this.#limits = limits;
    this.#sink = sink;
    this.#counters = counters;
    this.advertised = limits.receiveBuffer;
  }

  /** Whether TSNs are missing below the highest one. */
  get hasGaps(): boolean {
    return this.#held.count > 0;
  }

  get hasDuplicates(): boolean {
    return this.#duplicateCount > 0;
  }

  /** Free octets of the receive buffer. */
  get window(): number {
    const occupied = this.unconsumedOctets + this.#held.octets + this.streams.waitingOctets;
    return Math.max(0, this.#limits.receiveBuffer - occupied);
  }

  /**
   * Takes a DATA chunk.
   *
   * @param packet the packet, borrowed
   * @param from where the user data starts, and `to` where it ends; at least one octet
   * @returns a {@linkcode DataOutcome}
   */
  receive(
    packet: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    ssn: number,
    ppid: number,
    flags: number,
  ): number {
    const ahead = tsnDifference(tsn, this.cumulativeTsn);
    if (ahead <= 0 || (ahead <= this.#held.mask && this.#held.has(tsn))) return this.#duplicate(tsn);
    if (ahead > MAX_TSN_WINDOW) return DataOutcome.dropped;
    if (stream >= this.streams.count) return this.#receiveBadStream(tsn, ahead);
    this.#failure = 0;
    if (ahead > 1) return this.#receiveBehindGap(packet, from, to, tsn, ahead, stream, ssn, ppid, flags);
    // In order only the reader can be short of room: what is held or waits may need this very chunk to get on.
    if (this.unconsumedOctets >= this.#limits.receiveBuffer) return DataOutcome.dropped;
    this.advertised -= to - from;
    this.cumulativeTsn = tsn;
    this.#inOrder(packet, from, to, tsn, stream, ssn, ppid, flags);
    if (this.#held.count > 0) this.#drainHeld();
    if (tsnDifference(this.cumulativeTsn, this.highestTsn) > 0) this.highestTsn = this.cumulativeTsn;
    return this.#failure || DataOutcome.inOrder;
  }

  #duplicate(tsn: number): number {
    if (this.#duplicateCount < MAX_DUPLICATES) this.#duplicates[this.#duplicateCount++] = tsn;
    this.#counters.duplicateChunks++;
    return DataOutcome.duplicate;
  }

  /** Counts the TSN as received and keeps nothing. */
  #receiveBadStream(tsn: number, ahead: number): number {
    if (ahead === 1) {
      this.cumulativeTsn = tsn;
      if (this.#held.count > 0) this.#drainHeld();
    } else {
      this.#held.reserve(this.cumulativeTsn, ahead);
      this.#held.put(tsn, WHOLE_MESSAGE, 0, 0, 0, NOTHING);
      this.#held.consume(tsn);
    }
    if (tsnDifference(tsn, this.highestTsn) > 0) this.highestTsn = tsn;
    if (tsnDifference(this.cumulativeTsn, this.highestTsn) > 0) this.highestTsn = this.cumulativeTsn;
    return DataOutcome.badStream;
  }

  #receiveBehindGap(
    packet: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    ahead: number,
    stream: number,
    ssn: number,
    ppid: number,
    flags: number,
  ): number {
    const length = to - from;
    if (!this.#takesBehindGap(length)) return DataOutcome.dropped;
    this.advertised -= length;
    this.#held.reserve(this.cumulativeTsn, ahead);
    this.#held.put(tsn, flags, stream, ssn, ppid, copyOf(packet, from, to));
    if (tsnDifference(tsn, this.highestTsn) > 0) this.highestTsn = tsn;
    this.#tryHeldMessage(tsn);
    return this.#failure || DataOutcome.behindGap;
  }

  #takesBehindGap(length: number): boolean {
    const { receiveBuffer } = this.#limits;
    const octets = this.unconsumedOctets + this.#held.octets + this.streams.waitingOctets + length;
    const overhead = (this.#held.count + this.streams.waitingCount) * HELD_CHUNK_OVERHEAD;
    return octets <= receiveBuffer && octets + overhead <= 2 * receiveBuffer;
  }

  /** A chunk whose TSN is next. */
  #inOrder(
    source: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    ssn: number,
    ppid: number,
    flags: number,
  ): void {
    const assembly = this.#assembly;
    const unordered = (flags & DataFlag.unordered) !== 0;
    if ((flags & WHOLE_MESSAGE) === WHOLE_MESSAGE && !assembly.active) {
      if (to - from > this.#limits.maxMessage) this.#fail(DataOutcome.tooLong);
      else this.#complete(stream, ssn, tsn, ppid, unordered, copyOf(source, from, to));
      return;
    }
    if ((flags & DataFlag.begin) !== 0) {
      if (assembly.active) return this.#fail(DataOutcome.violation);
      assembly.begin(stream, ssn, tsn, ppid, unordered);
    } else if (!assembly.active || !continues(assembly, stream, ssn, unordered)) {
      return this.#fail(DataOutcome.violation);
    }
    if (assembly.length + to - from > this.#limits.maxMessage) return this.#fail(DataOutcome.tooLong);
    assembly.append(source, from, to);
    if ((flags & DataFlag.end) === 0) return;
    this.#complete(stream, ssn, assembly.tsn, assembly.ppid, unordered, assembly.finish());
  }

  /** The gap before held chunks was filled. */
  #drainHeld(): void {
    const held = this.#held;
    for (let tsn = tsnAdd(this.cumulativeTsn, 1); held.has(tsn); tsn = tsnAdd(tsn, 1)) {
      const slot = tsn & held.mask;
      this.cumulativeTsn = tsn;
      if (held.states[slot] === HeldState.held) {
        const data = held.data[slot]!, flags = held.flags[slot]!;
        const stream = held.streams[slot]!, ssn = held.ssns[slot]!, ppid = held.ppids[slot]!;
        held.remove(tsn);
        this.#inOrder(data, 0, data.length, tsn, stream, ssn, ppid, flags);
      } else {
        held.remove(tsn);
        if (this.#assembly.active) this.#fail(DataOutcome.violation); // a whole message within another one
      }
      if (this.#failure !== 0) return;
    }
  }

  /** Delivers the message that a held chunk belongs to, if all of it is held. */
  #tryHeldMessage(tsn: number): void {
    const held = this.#held;
    let last = tsn, first = tsn;
    while ((held.flags[last & held.mask]! & DataFlag.end) === 0) {
      last = tsnAdd(last, 1);
      if (held.states[last & held.mask] !== HeldState.held) return;
    }
    while ((held.flags[first & held.mask]! & DataFlag.begin) === 0) {
      first = tsnAdd(first, -1);
      if (held.states[first & held.mask] !== HeldState.held) return;
    }
    const slot = first & held.mask;
    const stream = held.streams[slot]!, ssn = held.ssns[slot]!, ppid = held.ppids[slot]!;
    const unordered = (held.flags[slot]! & DataFlag.unordered) !== 0;
    let length = 0;
    const end = tsnAdd(last, 1);
    for (let part = first; part !== end; part = tsnAdd(part, 1)) {
      const at = part & held.mask;
      const same = held.streams[at] === stream && (unordered || held.ssns[at] === ssn) &&
        ((held.flags[at]! & DataFlag.unordered) !== 0) === unordered &&
        (part === first || (held.flags[at]! & DataFlag.begin) === 0);
      if (!same) return this.#fail(DataOutcome.violation);
      length += held.data[at]!.length;
    }
    if (length > this.#limits.maxMessage) return this.#fail(DataOutcome.tooLong);
    const data = first === last ? held.data[slot]! : this.#join(first, end, length);
    for (let part = first; part !== end; part = tsnAdd(part, 1)) held.consume(part);
    this.#complete(stream, ssn, first, ppid, unordered, data);
  }

  #join(first: number, end: number, length: number): Uint8Array {
    const held = this.#held;
    const joined = new Uint8Array(length);
    let at = 0;
    for (let tsn = first; tsn !== end; tsn = tsnAdd(tsn, 1)) {
      const part = held.data[tsn & held.mask]!;
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  /** A whole message: to the user, or to wait for its turn. */
  #complete(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void {
    if (unordered) return this.#deliver(stream, 0, tsn, ppid, true, data);
    if (ssn !== this.streams.expected(stream)) {
      // With no TSN missing before it, the message before it in the stream cannot come any more.
      const hopeless = tsnDifference(tsn, this.cumulativeTsn) <= 0;
      if (hopeless || !this.streams.wait(stream, ssn, { tsn, ppid, data })) this.#fail(DataOutcome.violation);
      return;
    }
    this.#deliver(stream, ssn, tsn, ppid, false, data);
    this.streams.advance(stream);
    for (let next = this.streams.takeNext(stream); next !== undefined; next = this.streams.takeNext(stream)) {
      this.#deliver(stream, this.streams.expected(stream), next.tsn, next.ppid, false, next.data);
      this.streams.advance(stream);
    }
  }

  #deliver(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void {
    if (this.#limits.manualReceive) this.unconsumedOctets += data.length;
    this.#counters.messagesReceived++;
    this.#sink.deliver(stream, ssn, tsn, ppid, unordered, data);
  }

  #fail(outcome: number): void {
    if (this.#failure === 0) this.#failure = outcome;
  }

  /** Octets of a SACK with up to `room` octets; fewer blocks are reported when they do not fit. */
  sackOctets(room: number): number {
    if (this.#held.count === 0 && this.#duplicateCount === 0) return SACK_HEADER_OCTETS;
    const items = this.#countGaps() + this.#duplicateCount;
    return Math.min(SACK_HEADER_OCTETS + items * SACK_ITEM_OCTETS, room & ~3);
  }

  /**
   * Writes a SACK at a place of a packet. Duplicates are reported once.
   *
   * @param position where in `view`
   * @param octets as `sackOctets` gave it
   */
  writeSack(view: DataView, position: number, octets: number): void {
    this.advertised = this.window;
    view.setUint32(position, ChunkType.sack << 24 | octets);
    view.setUint32(position + 4, this.cumulativeTsn);
    view.setUint32(position + 8, this.advertised);
    const room = (octets - SACK_HEADER_OCTETS) / SACK_ITEM_OCTETS;
    const gaps = this.#writeGaps(view, position + SACK_HEADER_OCTETS, room);
    const duplicates = Math.min(this.#duplicateCount, room - gaps);
    view.setUint16(position + 12, gaps);
    view.setUint16(position + 14, duplicates);
    let at = position + SACK_HEADER_OCTETS + gaps * SACK_ITEM_OCTETS;
    for (let i = 0; i < duplicates; i++, at += SACK_ITEM_OCTETS) view.setUint32(at, this.#duplicates[i]!);
    this.#duplicateCount = 0;
  }

  #countGaps(): number {
    return this.#writeGaps(undefined, 0, Infinity);
  }

  #writeGaps(view: DataView | undefined, at: number, room: number): number {
    const held = this.#held;
    let left = held.count, blocks = 0;
    for (let offset = 1; left > 0 && blocks < room; offset++) {
      if (held.states[(this.cumulativeTsn + offset) & held.mask] === HeldState.missing) continue;
      const start = offset;
      while (left > 0 && held.states[(this.cumulativeTsn + offset) & held.mask] !== HeldState.missing) {
        offset++;
        left--;
      }
      if (view !== undefined) {
        view.setUint16(at, start);
        view.setUint16(at + 2, offset - 1);
        at += SACK_ITEM_OCTETS;
      }
      blocks++;
    }
    return blocks;
  }

  /** @throws {InvariantError} when the sums do not agree with the chunks */
  checkInvariants(): void {
    const held = this.#held;
    let count = 0, octets = 0;
    for (let slot = 0; slot <= held.mask; slot++) {
      if (held.states[slot] === HeldState.missing) continue;
      count++;
      if (held.states[slot] === HeldState.held) octets += held.data[slot]!.length;
    }
    assert(count === held.count, "the held chunks are counted");
    assert(octets === held.octets, "the held octets are the sum of the held chunks");
    assert(
      !held.has(tsnAdd(this.cumulativeTsn, 1)) || this.#failure !== 0,
      "the TSN after the cumulative one is missing",
    );
    assert(
      this.streams.waitingOctets === this.streams.countWaitingOctets(),
      "the waiting octets are the sum of the waiting messages",
    );
    assert(
      tsnDifference(this.highestTsn, this.cumulativeTsn) >= 0,
      "the highest TSN is not below the cumulative one",
    );
  }
}

const NOTHING = new Uint8Array(0);

/** Up to here a loop is faster than `slice`, which is a call out of compiled code. */
const LOOP_COPY_OCTETS = 64;

function copyOf(source: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  if (length > LOOP_COPY_OCTETS) return source.slice(from, to);
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = source[from + i]!;
  return copy;
}

function continues(assembly: Assembly, stream: number, ssn: number, unordered: boolean): boolean {
  return assembly.stream === stream && assembly.unordered === unordered &&
    (unordered || assembly.ssn === ssn);
}
