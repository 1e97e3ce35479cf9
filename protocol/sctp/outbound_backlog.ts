import { MessageQueue } from "./message_queue.ts";
import type { SendQueue } from "./message_queue.ts";
import { OutboundHold } from "./outbound_hold.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import { StreamScheduler } from "./stream_scheduler.ts";
import type { SchedulerName } from "./stream_scheduler.ts";

/**
 * Messages that have not become chunks yet, or not to their end: those in the queue of the scheduler, and those that are
 * held behind a request to reset their streams (RFC 6525).
 */
export class OutboundBacklog {
  /** Messages that may be sent; another one for each scheduler. */
  queue: SendQueue = new MessageQueue();
  #scheduler: SchedulerName = "fcfs";
  readonly #interleaved: boolean;
  /** Priorities or weights of streams, as far as they were set. */
  #streamValues: Map<number, number> | undefined = undefined;
  /** Oldest request first; mostly there are none. */
  #holds: readonly OutboundHold[] | undefined = undefined;

  /** @param interleaved whether messages may be interleaved, chunk by chunk */
  constructor(interleaved: boolean) {
    this.#interleaved = interleaved;
  }

  /** Octets of all messages, as far as they have not become chunks. */
  get octets(): number {
    const { octets } = this.queue;
    return this.#holds === undefined ? octets : this.#holds.reduce((sum, hold) => sum + hold.octets, octets);
  }

  /** How many messages. */
  get length(): number {
    const { length } = this.queue;
    return this.#holds === undefined
      ? length
      : this.#holds.reduce((sum, { messages }) => sum + messages.length, length);
  }

  /** Whether there are no messages, and no request that might hold some. */
  get isEmpty(): boolean {
    return this.queue.length === 0 && this.#holds === undefined;
  }

  /** Which stream may send next (RFC 8260 §3). */
  get scheduler(): SchedulerName {
    return this.#scheduler;
  }

  /** Chooses another scheduler; messages that wait already keep their order within their streams. */
  setScheduler(name: SchedulerName): void {
    const queue = name === "fcfs"
      ? new MessageQueue()
      : new StreamScheduler(name, this.#interleaved, (stream) => this.streamValue(stream));
    const messages = [...this.queue];
    for (const message of messages) if (message.taken > 0) queue.push(message); // begun ones go first
    for (const message of messages) if (message.taken === 0) queue.push(message);
    this.queue = queue;
    this.#scheduler = name;
  }

  /** Priority of a stream for "prio" (0 = first, default 0), its weight for "wfq" (default 1). */
  streamValue(stream: number): number {
    return this.#streamValues?.get(stream) ?? (this.#scheduler === "wfq" ? 1 : 0);
  }

  /** Sets that; it counts from the stream's next turn on. */
  setStreamValue(stream: number, value: number): void {
    this.#streamValues ??= new Map();
    this.#streamValues.set(stream, value);
  }

  push(message: OutboundMessage): void {
    if (this.#holds === undefined) this.queue.push(message);
    else this.#enqueue(message, this.#holds);
  }

  /**
   * Holds messages to come back.
   *
   * @param streams of these streams; empty = of all
   */
  hold(streams: readonly number[]): OutboundHold {
    const hold = new OutboundHold(streams, [...this.queue, ...this.held()]);
    this.#holds = [...this.#holds ?? [], hold];
    return hold;
  }

  /** Lets go what was held back: into the queue, or to an earlier hold of its stream that is still there. */
  release(hold: OutboundHold): void {
    const holds = this.#holds ?? [];
    const earlier = holds.slice(0, holds.indexOf(hold));
    const rest = holds.filter((other) => other !== hold);
    this.#holds = rest.length === 0 ? undefined : rest;
    for (const message of hold.messages) this.#enqueue(message, earlier);
  }

  #enqueue(message: OutboundMessage, holds: readonly OutboundHold[]): void {
    const hold = holds.findLast((candidate) => candidate.holds(message.stream));
    if (hold !== undefined) hold.push(message);
    else this.queue.push(message);
  }

  /** Messages that are held. */
  *held(): Generator<OutboundMessage> {
    for (const { messages } of this.#holds ?? []) yield* messages;
  }
}
