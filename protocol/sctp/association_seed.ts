import type { AssociationExtensions, AssociationId, AssociationStatus, IpAddress } from "../net.ts";
import type { KeyVectors } from "./auth_offer.ts";
import type { EndpointSettings } from "./options.ts";
import type { SharedKeys } from "./shared_keys.ts";

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
  /** This side's addresses that the peer was told of; absent = it does not matter, since they never change. */
  readonly listed?: readonly IpAddress[] | undefined;
  /** How the peer is reached: its UDP port, or 0 for plain SCTP. */
  readonly encapsulationPort: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  /** What both sides offer. */
  readonly extensions: AssociationExtensions;
  /** The peer's adaptation layer indication (RFC 5061 §4.2.6); undefined = none. */
  readonly adaptation: number | undefined;
  /** The key vectors, when both sides authenticate. */
  readonly authentication?: KeyVectors | undefined;
  /** Settings of the attempt or the association that this one goes on from; absent = those of the endpoint. */
  readonly settings?: EndpointSettings | undefined;
  /** Shared keys of the association that this one takes the place of; absent = those of the endpoint. */
  readonly keys?: SharedKeys | undefined;
}

/** State of an association that has its seed; "closed" is one that is gone. */
export type AssociationState = Exclude<AssociationStatus["state"], "cookie-wait"> | "closed";
