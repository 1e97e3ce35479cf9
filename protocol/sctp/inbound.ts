/**
 * The receiving half of an association's data: which TSNs have come, what room there is for more, and what a SACK has
 * to say (RFC 9260 §6.2, §6.5, §6.7). {@linkcode Reassembly} makes messages of the chunks, {@linkcode Delivery} brings
 * them into the order of their streams.
 *
 * The chunks held behind a gap, the messages that wait for their turn in a stream, and those that a slow reader has not
 * consumed make up the occupied part of the receive buffer.
 */
import { assert } from "../wire/assert.ts";
import { ConsecutiveReassembly } from "./consecutive_reassembly.ts";
import { DataOutcome } from "./data_outcome.ts";
import { Delivery } from "./delivery.ts";
import type { MessageSink } from "./delivery.ts";
import type { StackCounters } from "./environment.ts";
import { HeldChunks, HeldState } from "./held_chunks.ts";
import { InboundStreams } from "./inbound_streams.ts";
import { InterleavedReassembly } from "./interleaved_reassembly.ts";
import { HELD_CHUNK_OVERHEAD, MAX_TSN_WINDOW } from "./limits.ts";
import type { Reassembly } from "./reassembly.ts";
import { SackReport } from "./sack_report.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

export { DataOutcome };
export type { MessageSink };

/** Limits of the receiving half. */
export interface InboundLimits {
  readonly receiveBuffer: number;
  readonly maxMessage: number;
  readonly manualReceive: boolean;
  /** The reader has done with a message when its event was handled. */
  readonly borrowedMessages: boolean;
}

/** What an association's receiving half starts with. */
export interface InboundParts {
  readonly initialTsn: number;
  readonly streams: number;
  /** Whether the peer sends I-DATA in the place of DATA (RFC 8260). */
  readonly interleaved: boolean;
  readonly limits: InboundLimits;
  readonly sink: MessageSink;
  readonly counters: StackCounters;
}

/** Chunks in, messages out. */
export class Inbound {
  /** All TSNs up to this one have been received. */
  cumulativeTsn: number;
  /** The highest TSN received. */
  highestTsn: number;
  readonly streams: InboundStreams;
  /** The a_rwnd that the peer believes in: what it was told, less what it has sent since. */
  advertised: number;

  readonly #limits: InboundLimits;
  readonly #counters: StackCounters;
  readonly #held = new HeldChunks();
  readonly #report: SackReport = new SackReport(this.#held);
  readonly #delivery: Delivery;
  readonly #reassembly: Reassembly;
  /** The association cannot go on, and what is held stays as it is. */
  #failed = false;

  constructor({ initialTsn, streams, interleaved, limits, sink, counters }: InboundParts) {
    this.cumulativeTsn = tsnAdd(initialTsn, -1);
    this.highestTsn = this.cumulativeTsn;
    this.streams = new InboundStreams(streams, interleaved ? 32 : 16);
    this.#limits = limits;
    this.#counters = counters;
    this.#delivery = new Delivery(this.streams, sink, counters, limits.manualReceive);
    this.#reassembly = interleaved
      ? new InterleavedReassembly(this.#held, this.#delivery, limits)
      : new ConsecutiveReassembly(this.#held, this.#delivery, limits);
    this.advertised = limits.receiveBuffer;
  }

  /** Octets delivered and not consumed; stays 0 unless the reader says what it consumes. */
  get unconsumedOctets(): number {
    return this.#delivery.unconsumedOctets;
  }

  /** The reader has taken messages. */
  consumed(octets: number): void {
    this.#delivery.unconsumedOctets = Math.max(0, this.#delivery.unconsumedOctets - octets);
  }

  /** Whether TSNs are missing below the highest one. */
  get hasGaps(): boolean {
    return this.#held.count > 0;
  }

  /** Free octets of the receive buffer. */
  get window(): number {
    return Math.max(0, this.#limits.receiveBuffer - this.#occupiedOctets);
  }

  get #occupiedOctets(): number {
    return this.#delivery.unconsumedOctets + this.#held.octets + this.streams.waitingOctets +
      this.#reassembly.octets;
  }

  /**
   * Takes a DATA or I-DATA chunk.
   *
   * @param packet the packet, borrowed
   * @param from where the user data starts, and `to` where it ends; at least one octet
   * @param number stream sequence number or message identifier
   * @param ppid payload protocol identifier, or fragment sequence number
   * @returns a {@linkcode DataOutcome}
   */
  receive(
    packet: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    number: number,
    ppid: number,
    flags: number,
  ): number {
    const ahead = tsnDifference(tsn, this.cumulativeTsn);
    if (ahead <= 0 || (ahead <= this.#held.mask && this.#held.has(tsn))) return this.#duplicate(tsn);
    if (ahead > MAX_TSN_WINDOW) return DataOutcome.dropped;
    if (stream >= this.streams.count) return this.#receiveBadStream(tsn, ahead);
    if (ahead > 1) return this.#receiveBehindGap(packet, from, to, tsn, ahead, stream, number, ppid, flags);
    // In order only the reader can be short of room: what is held or waits may need this very chunk to get on.
    if (this.#delivery.unconsumedOctets >= this.#limits.receiveBuffer) return DataOutcome.dropped;
    this.advertised -= to - from;
    this.cumulativeTsn = tsn;
    const failure = this.#reassembly.inOrder(packet, from, to, tsn, stream, number, ppid, flags);
    return this.#advanced(failure) || DataOutcome.inOrder;
  }

  /** The cumulative TSN has advanced: what was held behind it may be next. */
  #advanced(failure: number): number {
    if (failure === 0 && this.#held.count > 0) failure = this.#drainHeld();
    if (tsnDifference(this.cumulativeTsn, this.highestTsn) > 0) this.highestTsn = this.cumulativeTsn;
    if (failure !== 0) this.#failed = true;
    return failure;
  }

  #duplicate(tsn: number): number {
    this.#report.duplicate(tsn);
    this.#counters.duplicateChunks++;
    return DataOutcome.duplicate;
  }

  /** Counts the TSN as received and keeps nothing. */
  #receiveBadStream(tsn: number, ahead: number): number {
    if (ahead === 1) {
      this.cumulativeTsn = tsn;
      return this.#advanced(0) || DataOutcome.badStream;
    }
    if (!this.#takesBehindGap(0, ahead)) return DataOutcome.dropped;
    this.#held.reserve(this.cumulativeTsn, ahead);
    this.#held.putConsumed(tsn);
    if (tsnDifference(tsn, this.highestTsn) > 0) this.highestTsn = tsn;
    return DataOutcome.badStream;
  }

  #receiveBehindGap(
    packet: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    ahead: number,
    stream: number,
    number: number,
    ppid: number,
    flags: number,
  ): number {
    const length = to - from;
    if (!this.#takesBehindGap(length, ahead)) return DataOutcome.dropped;
    this.advertised -= length;
    this.#held.reserve(this.cumulativeTsn, ahead);
    if (tsnDifference(tsn, this.highestTsn) > 0) this.highestTsn = tsn;
    const data = packet.slice(from, to); // it waits: it shares no buffer with others
    const failure = this.#reassembly.behindGap(data, tsn, stream, number, ppid, flags);
    if (failure !== 0) this.#failed = true;
    return failure || DataOutcome.behindGap;
  }

  /** A TSN far ahead costs the columns up to there, even if it is the only one. */
  #takesBehindGap(length: number, ahead: number): boolean {
    const { receiveBuffer } = this.#limits;
    const octets = this.#occupiedOctets + length;
    const records = (this.#held.count + this.streams.waitingCount) * HELD_CHUNK_OVERHEAD;
    const overhead = Math.max(records, this.#held.columnOctets(ahead));
    return octets <= receiveBuffer && octets + overhead <= 2 * receiveBuffer;
  }

  /** The gap before held chunks was filled. */
  #drainHeld(): number {
    const held = this.#held;
    for (let tsn = tsnAdd(this.cumulativeTsn, 1); held.has(tsn); tsn = tsnAdd(tsn, 1)) {
      this.cumulativeTsn = tsn;
      const failure = this.#reassembly.reached(tsn);
      if (failure !== 0) return failure;
    }
    held.release();
    return 0;
  }

  /**
   * The peer gives up everything up to a TSN (RFC 3758 §3.6). {@linkcode skip} and {@linkcode settle} follow.
   *
   * @returns whether that is news, and not further than DATA could be
   */
  forward(cumulative: number): boolean {
    const held = this.#held;
    const ahead = tsnDifference(cumulative, this.cumulativeTsn);
    if (ahead <= 0 || ahead > MAX_TSN_WINDOW) return false;
    for (let i = 1; i <= ahead && held.count > 0 && i <= held.mask; i++) {
      const tsn = tsnAdd(this.cumulativeTsn, i);
      if (held.has(tsn)) held.remove(tsn);
    }
    held.release();
    this.cumulativeTsn = cumulative;
    this.#reassembly.forwarded();
    return true;
  }

  /** In a stream there is nothing to wait for up to a number; streams that do not exist are ignored. */
  skip(stream: number, number: number, unordered: boolean): void {
    if (stream < this.streams.count) this.#reassembly.skip(stream, number, unordered);
  }

  /** The cumulative TSN was moved forward, and all that was skipped is known. */
  settle(): number {
    return this.#advanced(0);
  }

  /** All TSNs and all streams begin anew (RFC 6525 §5.2.4): what is not complete by now never will be. */
  restart(nextTsn: number): void {
    const held = this.#held;
    for (let i = 1; held.count > 0 && i <= held.mask; i++) {
      const tsn = tsnAdd(this.cumulativeTsn, i);
      if (held.has(tsn)) held.remove(tsn);
    }
    this.#reassembly.forwarded();
    this.cumulativeTsn = this.highestTsn = tsnAdd(nextTsn, -1);
    this.streams.reset([]);
  }

  /** Octets of a SACK with up to `room` octets; fewer blocks are reported when they do not fit. */
  sackOctets(room: number): number {
    return this.#report.octets(this.cumulativeTsn, room);
  }

  /**
   * Writes a SACK at a place of a packet. Duplicates are reported once.
   *
   * @param position where in `view`
   * @param octets as `sackOctets` gave it
   */
  writeSack(view: DataView, position: number, octets: number): void {
    this.advertised = this.window;
    this.#report.write(view, position, octets, this.cumulativeTsn, this.advertised);
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
      !held.has(tsnAdd(this.cumulativeTsn, 1)) || this.#failed,
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
    this.#reassembly.checkInvariants();
  }
}
