import type { OutboundMessage } from "./flight.ts";

/** Heads that may be empty before the rest is moved to the front. */
const SLACK = 1024;

/** Messages waiting to be sent, first in, first out, in an array whose head moves. */
export class MessageQueue {
  #messages: (OutboundMessage | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#messages.length - this.#head;
  }

  /** The message that is next. */
  get first(): OutboundMessage | undefined {
    return this.#messages[this.#head];
  }

  push(message: OutboundMessage): void {
    this.#messages.push(message);
  }

  /** Removes the first message. */
  shift(): void {
    this.#messages[this.#head++] = undefined;
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#head = 0;
    } else if (this.#head > SLACK && 2 * this.#head > this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
  }

  *[Symbol.iterator](): Generator<OutboundMessage> {
    for (let i = this.#head; i < this.#messages.length; i++) yield this.#messages[i]!;
  }
}
