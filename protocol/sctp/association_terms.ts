/**
 * What two endpoints agree on (RFC 9260 §5.1, §5.1.1): each says in its INIT or INIT ACK what it wants and can do, and both
 * come to the same terms by the same rules, whichever of them was first.
 */
import type { AssociationExtensions, ErrorCause, IpAddress } from "../net.ts";
import { agree, hasWrongRandom } from "./auth_endpoint.ts";
import type { AuthenticationOffer, KeyVectors } from "./auth_offer.ts";
import { CauseCode, textCause } from "./causes.ts";
import { agreedExtensions, offeredExtensions } from "./extensions.ts";
import type { InitChunk } from "./init_chunk.ts";
import { MIN_RECEIVE_WINDOW } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";

/** What this side says of itself besides its settings. */
export interface LocalTerms {
  readonly localTag: number;
  readonly localTsn: number;
  /** The addresses that it lists. */
  readonly listed: readonly IpAddress[];
  /** What it says of authentication. */
  readonly offer: AuthenticationOffer | undefined;
}

/** Where the peer is. */
export interface PeerPlace {
  readonly peerPort: number;
  /** The peer's addresses; the first one is confirmed and becomes the primary path. */
  readonly addresses: readonly IpAddress[];
  /** How the peer is reached: its UDP port, or 0 for plain SCTP. */
  readonly encapsulationPort: number;
}

/** What both sides have agreed on. */
export interface AssociationTerms extends PeerPlace {
  readonly localTag: number;
  readonly localTsn: number;
  readonly peerTag: number;
  readonly peerTsn: number;
  readonly peerWindow: number;
  /** This side's addresses that the peer was told of; absent = it does not matter, since they never change (RFC 5061). */
  readonly listed?: readonly IpAddress[] | undefined;
  /** Streams of this side and of the peer, after each was cut to what the other takes. */
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  /** What both sides offer. */
  readonly extensions: AssociationExtensions;
  /** The peer's adaptation layer indication (RFC 5061 §4.2.6); undefined = none. */
  readonly adaptation: number | undefined;
  /** The key vectors, when both sides authenticate. */
  readonly authentication?: KeyVectors | undefined;
}

/** What INIT and INIT ACK say alike. */
export function introduction(settings: EndpointSettings, local: LocalTerms): InitChunk {
  return {
    initiateTag: local.localTag,
    receiveWindow: settings.receiveBuffer,
    outboundStreams: settings.outboundStreams,
    inboundStreams: settings.maxInboundStreams,
    initialTsn: local.localTsn,
    addresses: local.listed,
    extensions: offeredExtensions(settings),
    adaptation: settings.adaptation,
    authentication: local.offer,
  };
}

/** Why there can be no agreement with a peer that says this; undefined = there can. */
export function whatIsWrong(settings: EndpointSettings, init: InitChunk): ErrorCause | undefined {
  if (init.hostName !== undefined) return { code: CauseCode.unresolvableAddress, info: init.hostName };
  if (init.outboundStreams === 0 || init.inboundStreams === 0) {
    return textCause(CauseCode.invalidParameter, "There must be streams.");
  }
  if (init.receiveWindow < MIN_RECEIVE_WINDOW) {
    return textCause(CauseCode.invalidParameter, "The receiver window is too small.");
  }
  if (settings.authentication && hasWrongRandom(init.authentication)) {
    return textCause(CauseCode.protocolViolation, "The random number must have 32 octets.");
  }
  return undefined;
}

/** The terms that follow from what both sides have said. */
export function agreeOn(
  settings: EndpointSettings,
  local: LocalTerms,
  init: InitChunk,
  { peerPort, addresses, encapsulationPort }: PeerPlace,
): AssociationTerms {
  const authentication = agree(local.offer, init.authentication);
  const extensions = agreedExtensions(settings, init.extensions, authentication);
  return {
    localTag: local.localTag,
    localTsn: local.localTsn,
    peerTag: init.initiateTag,
    peerTsn: init.initialTsn,
    peerWindow: init.receiveWindow,
    peerPort,
    addresses,
    listed: extensions.dynamicAddresses ? local.listed : undefined,
    encapsulationPort,
    outboundStreams: Math.min(settings.outboundStreams, init.inboundStreams),
    inboundStreams: Math.min(settings.maxInboundStreams, init.outboundStreams),
    extensions,
    adaptation: init.adaptation,
    authentication,
  };
}
