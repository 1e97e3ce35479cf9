import type { PartialReliability } from "../net.ts";

/** Messages that were given up (RFC 7496 §4.3, §4.4). */
export interface AbandonedCount {
  /** Before any part of them was sent. */
  readonly unsent: number;
  /** After a part of them was sent at least once. */
  readonly sent: number;
}

type Policy = PartialReliability["policy"];

const POLICIES: readonly Policy[] = ["ttl", "rtx", "prio"];

/** How many messages were given up, by policy and by stream. */
export class AbandonedCounts {
  /** By stream, and in it by policy; only streams that have abandoned something, undefined = none has. */
  #streams: Map<number, Record<Policy, { unsent: number; sent: number }>> | undefined = undefined;

  /** Counts a message. */
  add(stream: number, policy: Policy, sent: boolean): void {
    this.#streams ??= new Map();
    let counts = this.#streams.get(stream);
    if (counts === undefined) {
      const none = () => ({ unsent: 0, sent: 0 });
      counts = { ttl: none(), rtx: none(), prio: none() };
      this.#streams.set(stream, counts);
    }
    if (sent) counts[policy].sent++;
    else counts[policy].unsent++;
  }

  /**
   * The count of a policy on a stream.
   *
   * @param policy undefined = all policies
   * @param stream undefined = all streams
   */
  of(policy: Policy | undefined, stream: number | undefined): AbandonedCount {
    const total = { unsent: 0, sent: 0 };
    const only = stream === undefined ? this.#streams?.values() : [this.#streams?.get(stream)];
    for (const counts of only ?? []) {
      for (const name of policy === undefined ? POLICIES : [policy]) {
        total.unsent += counts?.[name].unsent ?? 0;
        total.sent += counts?.[name].sent ?? 0;
      }
    }
    return total;
  }
}
