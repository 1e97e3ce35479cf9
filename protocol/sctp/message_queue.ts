import type { OutboundMessage } from "./outbound_message.ts";

/** Heads that may be empty, and messages that may be dead, before the rest is moved to the front. */
const SLACK = 1024;

/** Messages waiting to be sent, in an order of its own. */
export interface SendQueue extends Iterable<OutboundMessage> {
  /** How many messages. */
  readonly length: number;
  /** Octets of them that have not become chunks. */
  readonly octets: number;
  /** The message whose next fragment is to be sent. */
  readonly first: OutboundMessage | undefined;
  /** Whether a packet may carry chunks of several streams (RFC 8260 §3.3). */
  readonly mixesStreams: boolean;
  push(message: OutboundMessage): void;
  /** So many octets of the first message have become a chunk; the message leaves when that was its end. */
  took(octets: number): void;
  /** A message of the queue was abandoned. */
  discard(message: OutboundMessage): void;
  /** A packet with chunks of it is full. */
  endPacket(): void;
}

/** First come, first served (RFC 8260 §3.1), in an array whose head moves. */
export class MessageQueue implements SendQueue {
  octets = 0;
  readonly mixesStreams = true;
  #messages: (OutboundMessage | undefined)[] = [];
  #head = 0;
  /** Abandoned messages behind the head: they are passed over when it comes to them. */
  #dead = 0;

  get length(): number {
    return this.#messages.length - this.#head - this.#dead;
  }

  get first(): OutboundMessage | undefined {
    return this.#messages[this.#head];
  }

  push(message: OutboundMessage): void {
    this.#messages.push(message);
    this.octets += message.data.length - message.taken;
  }

  took(octets: number): void {
    const message = this.#messages[this.#head]!;
    message.taken += octets;
    this.octets -= octets;
    if (message.taken === message.data.length) this.#shift();
  }

  discard(message: OutboundMessage): void {
    this.octets -= message.data.length - message.taken;
    if (message === this.first) return this.#shift();
    this.#dead++;
    if (this.#dead > SLACK && 2 * this.#dead > this.#messages.length - this.#head) {
      this.#messages = this.#messages.filter((other) => other !== undefined && !other.abandoned);
      this.#head = this.#dead = 0;
    }
  }

  endPacket(): void {}

  /** Removes the first message, and the dead ones behind it. */
  #shift(): void {
    this.#messages[this.#head++] = undefined;
    while (this.#dead > 0 && this.first!.abandoned) {
      this.#messages[this.#head++] = undefined;
      this.#dead--;
    }
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#head = 0;
    } else if (this.#head > SLACK && 2 * this.#head > this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
  }

  *[Symbol.iterator](): Generator<OutboundMessage> {
    for (let i = this.#head; i < this.#messages.length; i++) {
      if (!this.#messages[i]!.abandoned) yield this.#messages[i]!;
    }
  }
}
