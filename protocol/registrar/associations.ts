import type { ElementEntry } from "../handlespace/mod.ts";
import { isLoopback } from "../net.ts";
import type { AssociationId, AssociationUp, IpAddress } from "../net.ts";

/** Different offences of one association that are told; a peer that finds more ways is not worth more lines. */
const MAX_OFFENCES = 32;

/** What the registrar knows of an association. */
export class AssociationRecord {
  readonly association: AssociationId;
  readonly endpoint: "asap" | "enrp";
  readonly peerAddresses: readonly IpAddress[];
  readonly peerPort: number;
  /** Whether the association runs over the loopback interface: SCTP lists loopback addresses to a peer only then. */
  readonly overLoopback: boolean;
  /** The elements that live and die with this association. */
  readonly entries: Set<ElementEntry> = new Set();
  readonly #offences = new Set<string>();

  constructor(endpoint: "asap" | "enrp", up: AssociationUp) {
    this.association = up.association;
    this.endpoint = endpoint;
    this.peerAddresses = up.peerAddresses;
    this.peerPort = up.peerPort;
    this.overLoopback = up.peerAddresses.some(isLoopback);
  }

  /** Whether the peer has an address in common with another association's: then it is the same host. */
  sharesHost(other: AssociationRecord): boolean {
    return this.peerAddresses.some((address) => other.peerAddresses.includes(address));
  }

  /** Whether this offence is new, and worth a report. */
  offends(offence: string): boolean {
    if (this.#offences.has(offence) || this.#offences.size >= MAX_OFFENCES) return false;
    this.#offences.add(offence);
    return true;
  }
}
