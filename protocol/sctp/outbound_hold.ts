import type { OutboundMessage } from "./outbound_message.ts";

/**
 * Messages that wait behind a request to reset their streams (RFC 6525 §5.1.2 A1): they get no number before it is
 * answered. What was in the queue when the request was made goes out before it, so the reset stands where its user has
 * put it in the sequence of messages.
 */
export class OutboundHold {
  octets = 0;
  readonly messages: OutboundMessage[] = [];
  /** Undefined = all streams. */
  readonly #streams: ReadonlySet<number> | undefined;
  /** The messages of these streams that were in the queue; each may be given up before those that stand before it. */
  readonly #before: OutboundMessage[];

  /**
   * @param streams empty = all of them
   * @param queue the messages that go before those to come
   */
  constructor(streams: readonly number[], queue: readonly OutboundMessage[]) {
    this.#streams = streams.length === 0 ? undefined : new Set(streams);
    this.#before = queue.filter(({ stream }) => this.holds(stream));
  }

  /** Whether messages of a stream wait. */
  holds(stream: number): boolean {
    return this.#streams === undefined || this.#streams.has(stream);
  }

  /** Whether all messages that were there before have become chunks. */
  isDrained(): boolean {
    const before = this.#before;
    for (let last = before.at(-1); last !== undefined; last = before.at(-1)) {
      if (!last.abandoned && last.taken < last.data.length) return false;
      before.pop();
    }
    return true;
  }

  push(message: OutboundMessage): void {
    this.messages.push(message);
    this.octets += message.data.length;
  }
}
