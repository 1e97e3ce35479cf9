import { NumberedList } from "./numbered_list.ts";

/** A whole message that waits for its turn in its stream. */
export interface WaitingMessage {
  readonly tsn: number;
  readonly ppid: number;
  readonly data: Uint8Array;
}

/** Streams of one page. */
const PAGE_STREAMS = 256;

/**
 * Whose turn it is in each inbound stream, by stream sequence number (16 bits) or message identifier (32 bits, RFC 8260).
 * A peer may use 65535 streams, so the numbers come in pages that are made when a stream of theirs is used.
 */
export class InboundStreams {
  /** Streams that the peer may use. */
  count: number;
  /** Octets of waiting messages. */
  waitingOctets = 0;
  waitingCount = 0;
  readonly #bits: 16 | 32;
  #pages: (Uint16Array | Uint32Array | undefined)[] = [];
  /** By stream; made when a message has to wait. */
  #waiting: Map<number, NumberedList<WaitingMessage>> | undefined = undefined;

  /** @param count streams that the peer may use */
  constructor(count: number, bits: 16 | 32) {
    this.count = count;
    this.#bits = bits;
  }

  /** The number whose turn it is. */
  expected(stream: number): number {
    return this.#pages[stream >> 8]?.[stream & 255] ?? 0;
  }

  /** The message whose turn it was has been delivered. */
  advance(stream: number): void {
    this.#page(stream)[stream & 255]!++; // wraps by itself
  }

  /** How far a number lies ahead of the one whose turn it is; negative = it has passed. */
  ahead(stream: number, number: number): number {
    const shift = 32 - this.#bits;
    return (number - this.expected(stream)) << shift >> shift;
  }

  /**
   * Keeps a message that came too early.
   *
   * @returns whether it can ever be its turn: false when that has passed, or another message has the same number
   */
  wait(stream: number, number: number, message: WaitingMessage): boolean {
    if (this.ahead(stream, number) < 0) return false;
    this.#waiting ??= new Map();
    let list = this.#waiting.get(stream);
    if (list === undefined) this.#waiting.set(stream, list = new NumberedList(this.#bits));
    if (!list.add(number, message)) return false;
    this.waitingOctets += message.data.length;
    this.waitingCount++;
    return true;
  }

  /** Takes out the message whose turn it is now, if it waits. */
  takeNext(stream: number): WaitingMessage | undefined {
    if (this.waitingCount === 0) return undefined;
    const message = this.#waiting?.get(stream)?.take(this.expected(stream));
    if (message !== undefined) this.#taken(stream, message);
    return message;
  }

  /**
   * All messages up to a number either wait or will never come: their turn passes (RFC 3758 §3.6).
   *
   * @param deliver gets those that wait, in order
   */
  skip(stream: number, number: number, deliver: (number: number, message: WaitingMessage) => void): void {
    if (this.ahead(stream, number) < 0) return;
    const list = this.#waiting?.get(stream);
    for (let next = list?.takeUpTo(number); next !== undefined; next = list?.takeUpTo(number)) {
      this.#taken(stream, next.item);
      deliver(next.number, next.item);
    }
    this.#page(stream)[stream & 255] = number;
    this.advance(stream);
  }

  /** The streams begin anew at 0 (RFC 6525 §5.2.2, RFC 8260 §2.3.2); none given = all of them. */
  reset(streams: readonly number[]): void {
    if (streams.length === 0) this.#pages = [];
    for (const stream of streams) {
      const page = this.#pages[stream >> 8];
      if (page !== undefined) page[stream & 255] = 0;
    }
  }

  /** Whether the first message is what is waited for in these streams; none given = in all of them. */
  areFresh(streams: readonly number[]): boolean {
    if (streams.length > 0) return streams.every((stream) => this.expected(stream) === 0);
    return this.#pages.every((page) => page === undefined || page.every((expected) => expected === 0));
  }

  /** Sum over the waiting messages, for the invariants. */
  countWaitingOctets(): number {
    let octets = 0;
    for (const list of this.#waiting?.values() ?? []) {
      for (const message of list) octets += message.data.length;
    }
    return octets;
  }

  #page(stream: number): Uint16Array | Uint32Array {
    return this.#pages[stream >> 8] ??= this.#bits === 16
      ? new Uint16Array(PAGE_STREAMS)
      : new Uint32Array(PAGE_STREAMS);
  }

  #taken(stream: number, message: WaitingMessage): void {
    this.waitingOctets -= message.data.length;
    this.waitingCount--;
    if (this.#waiting?.get(stream)?.size === 0) this.#waiting.delete(stream);
  }
}
