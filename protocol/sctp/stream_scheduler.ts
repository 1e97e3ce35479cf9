/**
 * Which stream may send next (RFC 8260 §3). The default, first come first served, needs no streams and is
 * {@linkcode MessageQueue}; the others are this one queue of queues, with different ranks:
 *
 * | scheduler | rank of a stream | its turn ends |
 * |---|---|---|
 * | rr | all alike: those that have waited longest first | with the message, or with the chunk when interleaving |
 * | rr-packet | all alike | with the packet, or with the message if that is longer and there is no interleaving |
 * | prio | its value, small ones first; equals as rr | as rr |
 * | fc | octets sent, beginning where the others are | as rr |
 * | wfq | octets sent by its value, beginning where the others are | as rr |
 *
 * Without interleaving a message is always sent to its end, since its fragments must have consecutive TSNs.
 */
import { TimerQueue } from "../machine.ts";
import { MessageQueue } from "./message_queue.ts";
import type { SendQueue } from "./message_queue.ts";
import type { OutboundMessage } from "./outbound_message.ts";

/** The schedulers of RFC 8260 §3.1 to §3.6. */
export type SchedulerName = "fcfs" | "rr" | "rr-packet" | "prio" | "fc" | "wfq";

/** The messages of one stream. */
interface StreamQueue {
  readonly stream: number;
  readonly messages: MessageQueue;
  /** Octets sent, by its weight: the virtual time of fair queueing. */
  sent: number;
}

/** Messages by stream, and whose turn it is. */
export class StreamScheduler implements SendQueue {
  length = 0;
  octets = 0;
  readonly mixesStreams: boolean;
  readonly #name: SchedulerName;
  readonly #interleaved: boolean;
  /** Priority or weight of a stream. */
  readonly #valueOf: (stream: number) => number;
  readonly #queues = new Map<number, StreamQueue>();
  /** Streams that have something to send and wait for their turn, by rank. */
  readonly #waiting: TimerQueue<StreamQueue> = new TimerQueue<StreamQueue>();
  /** Whose turn it is, once that is decided. */
  #current: StreamQueue | undefined = undefined;
  /** Who has sent the last chunk. */
  #served: StreamQueue | undefined = undefined;
  /** Where fair queueing has come to. */
  #virtualTime = 0;

  /**
   * @param interleaved whether messages may be interleaved, chunk by chunk
   * @param valueOf priority or weight of a stream
   */
  constructor(
    name: Exclude<SchedulerName, "fcfs">,
    interleaved: boolean,
    valueOf: (stream: number) => number,
  ) {
    this.#name = name;
    this.#interleaved = interleaved;
    this.#valueOf = valueOf;
    this.mixesStreams = name !== "rr-packet";
  }

  get first(): OutboundMessage | undefined {
    if (this.#current === undefined) {
      this.#current = this.#waiting.takeDue(Infinity);
      if (this.#current !== undefined) this.#virtualTime = Math.max(this.#virtualTime, this.#current.sent);
    }
    return this.#current?.messages.first;
  }

  push(message: OutboundMessage): void {
    const { stream } = message;
    let queue = this.#queues.get(stream);
    if (queue === undefined) {
      queue = { stream, messages: new MessageQueue(), sent: 0 };
      this.#queues.set(stream, queue);
    }
    queue.messages.push(message);
    this.length++;
    this.octets += message.data.length - message.taken;
    if (queue.messages.length > 1) return;
    queue.sent = Math.max(queue.sent, this.#virtualTime);
    if (message.taken > 0 && !this.#interleaved) {
      this.#current = queue; // another scheduler has begun it
    } else {
      const current = this.#current;
      this.#waiting.set(queue, this.#rank(queue));
      if (current !== undefined && this.#mayLeave(current) && this.#rank(queue) < this.#rank(current)) {
        this.#yield();
      }
    }
  }

  took(octets: number): void {
    const queue = this.#current!;
    const before = queue.messages.length;
    queue.messages.took(octets);
    this.octets -= octets;
    this.length -= before - queue.messages.length;
    queue.sent += octets / Math.max(1, this.#name === "wfq" ? this.#valueOf(queue.stream) : 1);
    this.#served = queue;
    if (queue.messages.length === 0) this.#current = undefined;
    else if (this.mixesStreams && this.#mayLeave(queue)) this.#yield();
  }

  discard(message: OutboundMessage): void {
    const queue = this.#queues.get(message.stream)!;
    this.octets -= message.data.length - message.taken;
    this.length--;
    queue.messages.discard(message);
    if (queue.messages.length > 0) return;
    this.#waiting.clear(queue);
    if (this.#current === queue) this.#current = undefined;
  }

  endPacket(): void {
    const current = this.#current;
    if (current !== undefined && current === this.#served && this.#mayLeave(current)) this.#yield();
  }

  *[Symbol.iterator](): Generator<OutboundMessage> {
    for (const { messages } of this.#queues.values()) yield* messages;
  }

  /** The stream whose turn it is goes back to the others. */
  #yield(): void {
    const queue = this.#current!;
    this.#current = undefined;
    this.#waiting.set(queue, this.#rank(queue));
  }

  /** Whether a stream's turn may end before its next chunk. */
  #mayLeave(queue: StreamQueue): boolean {
    return this.#interleaved || queue.messages.first?.taken === 0;
  }

  #rank(queue: StreamQueue): number {
    switch (this.#name) {
      case "prio":
        return this.#valueOf(queue.stream);
      case "fc":
      case "wfq":
        return queue.sent;
      default:
        return 0;
    }
  }
}
