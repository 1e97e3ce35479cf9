import type { ElementEntry } from "../handlespace/mod.ts";
import { isLoopback } from "../net.ts";
import type { AssociationId, AssociationUp, Instant, IpAddress } from "../net.ts";
import { Lane } from "./lane.ts";
import type { PoolRates } from "./pool_rates.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Different offences of one association that are told; a peer that finds more ways is not worth more lines. */
const MAX_OFFENCES = 32;

/**
 * Messages that cannot be read, or do not belong here: so many may come at once, and so many a second. Nobody who speaks
 * ASAP sends any; a program under construction may.
 */
const BAD_MESSAGES_AT_ONCE = 256, BAD_MESSAGES_PER_SECOND = 8;

/** What the registrar knows of an association. */
export class AssociationRecord {
  readonly association: AssociationId;
  readonly endpoint: "asap" | "enrp";
  readonly peerAddresses: readonly IpAddress[];
  readonly peerPort: number;
  /** Whether the association runs over the loopback interface: SCTP lists loopback addresses to a peer only then. */
  readonly overLoopback: boolean;
  /** Half the round-trip time, rounded; 0 until it was measured (see `Distances`). */
  distanceMs = 0;
  /** Whether that distance matters to anybody. */
  isMeasured = false;
  /** The elements that live and die with this association. */
  readonly entries: Set<ElementEntry> = new Set();
  /** What it asked and what waits for its turn. */
  readonly lane: Lane = new Lane();
  /** How often it resolves and reports, if that is limited; made with the first request. */
  resolutions: PoolRates | undefined = undefined;
  unreachables: PoolRates | undefined = undefined;
  /** It was aborted, and the transport has not said so yet: what it says is of no interest. */
  aborted = false;
  /** Octets that it sent and that were taken, but of which the transport has not heard yet. */
  consumedOctets = 0;
  /** Hashes, since what an offence is about may be long. Two offences with one hash are told once. */
  readonly #offences = new Set<number>();
  #badMessages: TokenBucket | undefined;

  constructor(endpoint: "asap" | "enrp", up: AssociationUp) {
    this.association = up.association;
    this.endpoint = endpoint;
    this.peerAddresses = up.peerAddresses;
    this.peerPort = up.peerPort;
    this.overLoopback = up.peerAddresses.some(isLoopback);
  }

  /** The host that it came from, to count by. */
  get host(): IpAddress {
    return this.peerAddresses[0] ?? "nobody";
  }

  /** Whether the peer has an address in common with another association's: then it is the same host. */
  sharesHost(other: AssociationRecord): boolean {
    return this.peerAddresses.some((address) => other.peerAddresses.includes(address));
  }

  /** Whether this offence is new, and worth a report. */
  offends(offence: string): boolean {
    if (this.#offences.size >= MAX_OFFENCES) return false;
    const { size } = this.#offences;
    return this.#offences.add(hashOf(offence)).size > size;
  }

  /** One more bad message came. @returns false when there were too many: it is not worth an association */
  toleratesBadMessage(now: Instant): boolean {
    this.#badMessages ??= new TokenBucket(BAD_MESSAGES_PER_SECOND, BAD_MESSAGES_AT_ONCE);
    return this.#badMessages.take(now);
  }
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i) | 0;
  return hash;
}
