import type { Instant } from "../../net.ts";

/** What one PE did. */
export interface PingPongElement {
  /** PE identifier. */
  readonly elementId: number;
  /** Pongs that were waited for. */
  readonly replies: number;
}

/** Times from Ping to Pong, in milliseconds. */
export interface RoundTrips {
  readonly minMs: number;
  readonly averageMs: number;
  readonly maxMs: number;
  /** Standard deviation. */
  readonly deviationMs: number;
}

/** How a ping-pong session went so far. */
export interface PingPongStatistics {
  /** Pings, each counted once. */
  readonly sent: number;
  /** How often a Ping was sent again, since the PE was lost that it had been sent to. */
  readonly sentAgain: number;
  /** Pings that have their Pong. */
  readonly answered: number;
  /** How often reply numbers were left out. */
  readonly gaps: number;
  /** Reply numbers that were left out. */
  readonly missingReplies: bigint;
  /** Reply numbers that came once more, since a PE died between a Pong and its cookie. */
  readonly repeatedReplies: number;
  /** How often a PE was left, or lost. */
  readonly failovers: number;
  /** Messages that were ignored because they were wrong. */
  readonly invalid: number;
  /** Undefined = no Ping was answered by the PE that it was first sent to. */
  readonly roundTrips: RoundTrips | undefined;
  /** Longest time from the first sending of a Ping to its Pong, failovers included, in milliseconds. */
  readonly longestWaitMs: number;
  /** The PEs that answered, in order of their first Pong. */
  readonly elements: readonly PingPongElement[];
}

/** Counts while a ping-pong session goes on. */
export class PingPongCounters {
  sent = 0;
  sentAgain = 0;
  answered = 0;
  gaps = 0;
  missingReplies = 0n;
  repeatedReplies = 0;
  failovers = 0;
  invalid = 0;
  #longestWaitMs = 0;
  #trips = 0;
  #sumMs = 0;
  #squaresMs = 0;
  #minMs = Infinity;
  #maxMs = 0;
  readonly #elements = new Map<number, number>();

  /** A Ping was answered. */
  pong(elementId: number, firstSentAt: Instant, wasSentAgain: boolean, now: Instant): void {
    this.answered++;
    this.#elements.set(elementId, (this.#elements.get(elementId) ?? 0) + 1);
    const waitMs = now - firstSentAt;
    this.#longestWaitMs = Math.max(this.#longestWaitMs, waitMs);
    if (wasSentAgain) return; // that is how long a failover takes, and says nothing about the network
    this.#trips++;
    this.#sumMs += waitMs;
    this.#squaresMs += waitMs * waitMs;
    this.#minMs = Math.min(this.#minMs, waitMs);
    this.#maxMs = Math.max(this.#maxMs, waitMs);
  }

  /** How it stands. */
  statistics(): PingPongStatistics {
    const { sent, sentAgain, answered, gaps, missingReplies, repeatedReplies, failovers, invalid } = this;
    const elements = [...this.#elements].map(([elementId, replies]) => ({ elementId, replies }));
    const counts = { sent, sentAgain, answered, gaps, missingReplies, repeatedReplies, failovers, invalid };
    return { ...counts, roundTrips: this.#roundTrips(), longestWaitMs: this.#longestWaitMs, elements };
  }

  #roundTrips(): RoundTrips | undefined {
    if (this.#trips === 0) return undefined;
    const averageMs = this.#sumMs / this.#trips;
    const variance = Math.max(0, this.#squaresMs / this.#trips - averageMs * averageMs);
    return { minMs: this.#minMs, averageMs, maxMs: this.#maxMs, deviationMs: Math.sqrt(variance) };
  }
}
