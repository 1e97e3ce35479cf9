import { DataOutcome } from "./data_outcome.ts";
import type { StackCounters } from "./environment.ts";
import { InboundStreams } from "./inbound_streams.ts";

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

/** Hands whole messages to the user: unordered ones at once, ordered ones when it is their turn (RFC 9260 §6.6). */
export class Delivery {
  readonly streams: InboundStreams;
  /** Octets delivered and not consumed; stays 0 unless the reader says what it consumes. */
  unconsumedOctets = 0;
  readonly #sink: MessageSink;
  readonly #counters: StackCounters;
  readonly #manualReceive: boolean;

  constructor(streams: InboundStreams, sink: MessageSink, counters: StackCounters, manualReceive: boolean) {
    this.streams = streams;
    this.#sink = sink;
    this.#counters = counters;
    this.#manualReceive = manualReceive;
  }

  /**
   * Takes a whole message.
   *
   * @param number its stream sequence number or message identifier
   * @returns 0, or {@linkcode DataOutcome} violation when its turn can never come
   */
  complete(
    stream: number,
    number: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): number {
    if (unordered) {
      this.#deliver(stream, number, tsn, ppid, true, data);
      return 0;
    }
    if (number !== this.streams.expected(stream)) {
      return this.streams.wait(stream, number, { tsn, ppid, data }) ? 0 : DataOutcome.violation;
    }
    this.#deliver(stream, number, tsn, ppid, false, data);
    this.streams.advance(stream);
    if (this.streams.waitingCount > 0) this.#deliverWaiting(stream);
    return 0;
  }

  /** Messages of a stream up to a number will not come any more; those behind them may have their turn now. */
  skip(stream: number, number: number): void {
    this.streams.skip(stream, number, (ssn, { tsn, ppid, data }) => {
      this.#deliver(stream, ssn, tsn, ppid, false, data);
    });
    this.#deliverWaiting(stream);
  }

  #deliverWaiting(stream: number): void {
    const { streams } = this;
    for (let next = streams.takeNext(stream); next !== undefined; next = streams.takeNext(stream)) {
      this.#deliver(stream, streams.expected(stream), next.tsn, next.ppid, false, next.data);
      streams.advance(stream);
    }
  }

  #deliver(
    stream: number,
    number: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void {
    if (this.#manualReceive) this.unconsumedOctets += data.length;
    this.#counters.messagesReceived++;
    this.#sink.deliver(stream, number, tsn, ppid, unordered, data);
  }
}
