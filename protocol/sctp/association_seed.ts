import type { AssociationId, AssociationStatus, IpAddress } from "../net.ts";

/** What two endpoints have agreed on: all that an association starts with. */
export interface AssociationSeed {
  readonly id: AssociationId;
  /** The `request` of the `connect`; undefined for a peer's association. */
  readonly request: number | undefined;
  readonly localTag: number;
  readonly localTsn: number;
  readonly peerTag: number;
  readonly peerTsn: number;
  readonly peerWindow: number;
  readonly peerPort: number;
  /** The peer's addresses; the first one is confirmed and becomes the primary path. */
  readonly addresses: readonly IpAddress[];
  /** How the peer is reached: its UDP port, or 0 for plain SCTP. */
  readonly encapsulationPort: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
}

/** State of an association that has its seed; "closed" is one that is gone. */
export type AssociationState = Exclude<AssociationStatus["state"], "cookie-wait"> | "closed";
