/**
 * Reassembly of I-DATA (RFC 8260 §2.2.3): stream, U bit and message identifier say what message a fragment belongs to,
 * its fragment sequence number where in it; TSNs say nothing.
 *
 * Many messages may be under way at once. As with DATA, they may be longer than the receive buffer: up to `maxMessage`
 * octets in all they do not count against it.
 */
import { assert } from "../wire/assert.ts";
import { DataFlag, WHOLE_MESSAGE } from "./data_chunk.ts";
import { DataOutcome } from "./data_outcome.ts";
import type { Delivery } from "./delivery.ts";
import type { HeldChunks } from "./held_chunks.ts";
import { InterleavedMessage } from "./interleaved_message.ts";
import { HELD_CHUNK_OVERHEAD, PARTIAL_MESSAGE_OVERHEAD } from "./limits.ts";
import { copyForReader } from "./message_copy.ts";
import { NumberedList } from "./numbered_list.ts";
import type { Reassembly } from "./reassembly.ts";

/** Fragments that name their message become messages. */
export class InterleavedReassembly implements Reassembly {
  readonly #held: HeldChunks;
  readonly #delivery: Delivery;
  readonly #maxMessage: number;
  readonly #receiveBuffer: number;
  /** Messages under way by stream and U bit, in it by message identifier. */
  readonly #partial = new Map<number, NumberedList<InterleavedMessage>>();
  #partialOctets = 0;
  #partialCount = 0;
  #pieceCount = 0;
  /** The peer has given up messages, of which a fragment with a later TSN may still come. */
  #gapsInStreams = false;

  constructor(
    held: HeldChunks,
    delivery: Delivery,
    limits: { readonly maxMessage: number; readonly receiveBuffer: number },
  ) {
    this.#held = held;
    this.#delivery = delivery;
    this.#maxMessage = limits.maxMessage;
    this.#receiveBuffer = limits.receiveBuffer;
  }

  get octets(): number {
    return Math.max(0, this.#partialOctets - this.#maxMessage);
  }

  /** What is kept, all told: a peer that keeps to its window stays far below the limit. */
  get #cost(): number {
    const { waitingOctets, waitingCount } = this.#delivery.streams;
    return this.#partialOctets + this.#partialCount * PARTIAL_MESSAGE_OVERHEAD + waitingOctets +
      (this.#pieceCount + waitingCount) * HELD_CHUNK_OVERHEAD;
  }

  inOrder(
    source: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    mid: number,
    ppid: number,
    flags: number,
  ): number {
    if (this.#cost > this.#maxMessage + 2 * this.#receiveBuffer) return DataOutcome.tooMany;
    const unordered = (flags & DataFlag.unordered) !== 0;
    const key = stream * 2 + (unordered ? 1 : 0);
    if (!unordered && this.#delivery.streams.ahead(stream, mid) < 0) {
      return this.#gapsInStreams ? 0 : DataOutcome.violation;
    }
    if ((flags & WHOLE_MESSAGE) === WHOLE_MESSAGE) {
      if (to - from > this.#maxMessage) return DataOutcome.tooLong;
      if (this.#partial.get(key)?.get(mid) !== undefined) return DataOutcome.violation;
      const leaves = unordered || mid === this.#delivery.streams.expected(stream);
      const data = leaves ? copyForReader(source, from, to) : source.slice(from, to);
      return this.#delivery.complete(stream, mid, tsn, ppid, unordered, data);
    }
    const message = this.#messageOf(key, mid);
    const pieces = message.pieces.size;
    const failure = message.add(source, from, to, tsn, ppid, flags);
    if (failure !== 0) return failure;
    this.#partialOctets += to - from;
    this.#pieceCount += message.pieces.size - pieces;
    if (message.octets > this.#maxMessage) return DataOutcome.tooLong;
    if (!message.whole) return 0;
    this.#remove(key, message, this.#partial.get(key)!.take(mid)!);
    return this.#delivery.complete(stream, mid, message.tsn, message.ppid, unordered, message.finish());
  }

  #messageOf(key: number, mid: number): InterleavedMessage {
    let list = this.#partial.get(key);
    if (list === undefined) this.#partial.set(key, list = new NumberedList(32));
    let message = list.get(mid);
    if (message === undefined) {
      message = new InterleavedMessage();
      list.add(mid, message);
      this.#partialCount++;
    }
    return message;
  }

  /** A message left its list. */
  #remove(key: number, message: InterleavedMessage, taken: InterleavedMessage): void {
    assert(taken === message, "a message is found where it was put");
    this.#partialOctets -= message.octets;
    this.#partialCount--;
    this.#pieceCount -= message.pieces.size;
    if (this.#partial.get(key)!.size === 0) this.#partial.delete(key);
  }

  behindGap(
    data: Uint8Array,
    tsn: number,
    stream: number,
    mid: number,
    ppid: number,
    flags: number,
  ): number {
    this.#held.putConsumed(tsn);
    return this.inOrder(data, 0, data.length, tsn, stream, mid, ppid, flags);
  }

  reached(tsn: number): number {
    this.#held.remove(tsn);
    return 0;
  }

  forwarded(): void {} // the skipped messages are named

  skip(stream: number, mid: number, unordered: boolean): void {
    this.#gapsInStreams = true;
    const key = stream * 2 + (unordered ? 1 : 0);
    const list = this.#partial.get(key);
    for (let next = list?.takeUpTo(mid); next !== undefined; next = list?.takeUpTo(mid)) {
      this.#remove(key, next.item, next.item);
    }
    if (!unordered) this.#delivery.skip(stream, mid);
  }

  checkInvariants(): void {
    let octets = 0, count = 0, pieces = 0;
    for (const list of this.#partial.values()) {
      assert(list.size > 0, "only streams with a message under way are remembered");
      for (const message of list) {
        octets += message.octets;
        pieces += message.pieces.size;
        count++;
      }
    }
    assert(octets === this.#partialOctets, "the octets under way are the sum of the messages under way");
    assert(count === this.#partialCount, "the messages under way are counted");
    assert(pieces === this.#pieceCount, "the pieces under way are counted");
  }
}
