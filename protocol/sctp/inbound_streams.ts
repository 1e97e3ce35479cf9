/** A whole message that waits for its turn in its stream. */
export interface WaitingMessage {
  readonly tsn: number;
  readonly ppid: number;
  readonly data: Uint8Array;
}

/** Streams of one page. */
const PAGE_STREAMS = 256;

/**
 * Whose turn it is in each inbound stream. A peer may use 65535 of them, so the numbers come in pages that are made
 * when a stream of theirs is used.
 */
export class InboundStreams {
  readonly count: number;
  readonly #pages: (Uint16Array | undefined)[] = [];
  readonly #waiting = new Map<number, WaitingMessage>();
  /** Octets of waiting messages. */
  waitingOctets = 0;

  /** @param count streams that the peer may use */
  constructor(count: number) {
    this.count = count;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** The stream sequence number whose turn it is. */
  expected(stream: number): number {
    return this.#pages[stream >> 8]?.[stream & 255] ?? 0;
  }

  /** The message whose turn it was has been delivered. */
  advance(stream: number): void {
    const page = this.#pages[stream >> 8] ??= new Uint16Array(PAGE_STREAMS);
    page[stream & 255]!++; // wraps by itself
  }

  /**
   * Keeps a message that came too early.
   *
   * @returns whether it can ever be its turn: false when that has passed, or another message has the same number
   */
  wait(stream: number, ssn: number, message: WaitingMessage): boolean {
    const key = stream * 0x1_0000 + ssn;
    const ahead = (ssn - this.expected(stream)) << 16 >> 16;
    if (ahead < 0 || this.#waiting.has(key)) return false;
    this.#waiting.set(key, message);
    this.waitingOctets += message.data.length;
    return true;
  }

  /** Takes out the message whose turn it is now, if it waits. */
  takeNext(stream: number): WaitingMessage | undefined {
    if (this.#waiting.size === 0) return undefined;
    const key = stream * 0x1_0000 + this.expected(stream);
    const message = this.#waiting.get(key);
    if (message === undefined) return undefined;
    this.#waiting.delete(key);
    this.waitingOctets -= message.data.length;
    return message;
  }

  /** Sum over the waiting messages, for the invariants. */
  countWaitingOctets(): number {
    let octets = 0;
    for (const message of this.#waiting.values()) octets += message.data.length;
    return octets;
  }
}
