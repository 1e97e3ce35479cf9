import type { ElementEntry } from "../handlespace/mod.ts";
import type { Instant, IpAddress } from "../net.ts";
import { TokenBucket } from "./token_bucket.ts";

/** How many elements a host may have removed at once by its reports alone. */
const ELEMENTS_AT_ONCE = 4;

/** Hosts that are remembered; the oldest is forgotten first, and trusted anew then. */
const MAX_HOSTS = 4096;

/**
 * Unreachable reports (RFC 5352 §3.5), about whosever elements: so many of late remove an element, even if it answers
 * the registrar. A host with a broken network, or one that means harm, could do that to all elements of the handlespace;
 * so the reports of a host count as long as it has credit, which grows back slowly. Every report makes the registrar ask
 * the element in any case, and one that is dead goes by that.
 */
export class BadReports {
  /** So many remove an element (MAX-BAD-PE-REPORT of RFC 5352 §3.5). */
  readonly limit: number;
  readonly #memoryMs: number;
  /** When each element was reported. */
  readonly #reports = new WeakMap<ElementEntry, readonly Instant[]>();
  readonly #hosts = new Map<IpAddress, TokenBucket>();

  /**
   * @param limit so many remove an element
   * @param memoryMs how long a report counts; in this time a host's credit for one element grows back
   */
  constructor(limit: number, memoryMs: number) {
    this.limit = limit;
    this.#memoryMs = memoryMs;
  }

  /**
   * A host reports an element.
   *
   * @returns how many reports count now
   */
  add(entry: ElementEntry, host: IpAddress, now: Instant): number {
    const recent = this.#recent(entry, now);
    const reports = this.#hasCredit(host, now) ? [...recent, now].slice(-this.limit) : recent;
    this.#reports.set(entry, reports);
    return reports.length;
  }

  /** How many reports about an element count. */
  countOf(entry: ElementEntry, now: Instant): number {
    return this.#recent(entry, now).length;
  }

  #recent(entry: ElementEntry, now: Instant): readonly Instant[] {
    return this.#reports.get(entry)?.filter((at) => at > now - this.#memoryMs) ?? [];
  }

  #hasCredit(host: IpAddress, now: Instant): boolean {
    let bucket = this.#hosts.get(host);
    if (bucket === undefined) {
      bucket = new TokenBucket(1000 * this.limit / this.#memoryMs, ELEMENTS_AT_ONCE * this.limit);
      if (this.#hosts.size >= MAX_HOSTS) this.#hosts.delete(this.#hosts.keys().next().value!);
      this.#hosts.set(host, bucket);
    }
    return bucket.take(now);
  }
}
