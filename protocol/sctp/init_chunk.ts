/**
 * INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3):
 *
 *     +---------------------------------------------------------------+
 *     |                         initiate tag                          |
 *     |           advertised receiver window credit (a_rwnd)          |
 *     |  number of outbound streams   |   number of inbound streams   |
 *     |                          initial TSN                          |
 *     |                          parameters …                         |
 *     +---------------------------------------------------------------+
 */
import type { IpAddress } from "../net.ts";
import { Reader } from "../wire/reader.ts";
import { OfferCollector, usableOffer, writeOffer } from "./auth_offer.ts";
import type { AuthenticationOffer } from "./auth_offer.ts";
import { ChunkType, makeChunk, reportsUnknown, skipsUnknown } from "./chunk.ts";
import { extensionChunkTypes, extensionsOf, NO_EXTENSIONS } from "./extensions.ts";
import type { PeerExtensions } from "./extensions.ts";
import { MAX_COOKIE_OCTETS, MAX_PARAMETERS, MAX_PEER_ADDRESSES, MAX_REPORTED_OCTETS } from "./limits.ts";
import { ParameterType, readAddress, readParameter, writeAddress } from "./parameters.ts";

/** What an INIT or INIT ACK says. */
export interface InitChunk {
  readonly initiateTag: number;
  /** a_rwnd in octets. */
  readonly receiveWindow: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly initialTsn: number;
  /** At most {@linkcode MAX_PEER_ADDRESSES}; the source address of the packet need not be among them. */
  readonly addresses: readonly IpAddress[];
  /** INIT ACK: the state cookie. */
  readonly cookie?: Uint8Array | undefined;
  /** INIT: suggested lengthening of the cookie's life in milliseconds. */
  readonly cookiePreservativeMs?: number | undefined;
  /** INIT: whole parameters that the peer is to be told of; or, when writing an INIT ACK, those to report. */
  readonly unrecognized?: readonly Uint8Array[];
  /** The peer wants a host name to be looked up, which RFC 9260 §3.3.2.1.4 forbids. */
  readonly hostName?: Uint8Array | undefined;
  /** What the sender offers; absent = nothing. */
  readonly extensions?: PeerExtensions;
  /** Adaptation layer indication (RFC 5061 §4.2.6); undefined = none. */
  readonly adaptation?: number | undefined;
  /** What the sender says of authentication; absent = it does not authenticate. */
  readonly authentication?: AuthenticationOffer | undefined;
}

/** Octets of the chunk header and the fixed fields. */
const FIXED_OCTETS = 20;

/** The families parameter value of IPv4 and IPv6. */
const BOTH_FAMILIES = [ParameterType.ipv4Address, ParameterType.ipv6Address] as const;

/** Parameters that are known, and change nothing: which families a peer can use, its addresses show. */
const UNUSED: ReadonlySet<number> = new Set([
  ParameterType.supportedAddressTypes,
  ParameterType.unrecognizedParameter,
]);

/** Writes an INIT or INIT ACK chunk. */
export function writeInit(type: number, init: InitChunk): Uint8Array {
  return makeChunk(type, 0, (w) => {
    w.u32(init.initiateTag);
    w.u32(init.receiveWindow);
    w.u16(init.outboundStreams);
    w.u16(init.inboundStreams);
    w.u32(init.initialTsn);
    for (const address of init.addresses) writeAddress(w, address);
    const { cookie, cookiePreservativeMs } = init;
    if (cookie !== undefined) w.tlv(ParameterType.stateCookie, (value) => value.bytes(cookie));
    if (cookiePreservativeMs !== undefined) {
      w.tlv(ParameterType.cookiePreservative, (value) => value.u32(cookiePreservativeMs));
    }
    if (type === ChunkType.init) {
      w.tlv(
        ParameterType.supportedAddressTypes,
        (value) => BOTH_FAMILIES.forEach((family) => value.u16(family)),
      );
    }
    const { extensions = NO_EXTENSIONS } = init;
    const chunkTypes = extensionChunkTypes(extensions);
    if (chunkTypes.length > 0) {
      w.tlv(ParameterType.supportedExtensions, (value) => chunkTypes.forEach((chunk) => value.u8(chunk)));
    }
    if (init.authentication !== undefined) writeOffer(w, init.authentication);
    const { adaptation } = init;
    if (adaptation !== undefined) w.tlv(ParameterType.adaptationIndication, (value) => value.u32(adaptation));
    if (extensions.partialReliability) w.tlv(ParameterType.forwardTsnSupported, () => {});
    for (const parameter of init.unrecognized ?? []) {
      w.tlv(ParameterType.unrecognizedParameter, (value) => value.bytes(parameter));
    }
  }, FIXED_OCTETS);
}

/**
 * Reads an INIT or INIT ACK chunk. Unknown parameters follow their action bits: those that say "stop" end the list
 * (§3.2.1), which is not an error.
 *
 * @param chunk header and value
 * @throws {DecodeError} when the chunk or a parameter is too short
 */
export function readInit(chunk: Uint8Array): InitChunk {
  const reader = new Reader(chunk);
  reader.skip(4, "chunk header");
  const fixed = {
    initiateTag: reader.u32("initiate tag"),
    receiveWindow: reader.u32("a_rwnd"),
    outboundStreams: reader.u16("outbound streams"),
    inboundStreams: reader.u16("inbound streams"),
    initialTsn: reader.u32("initial TSN"),
  };
  const addresses: IpAddress[] = [];
  const unrecognized: Uint8Array[] = [];
  let reportedOctets = 0;
  let cookie: Uint8Array | undefined;
  let cookiePreservativeMs = 0;
  let hostName: Uint8Array | undefined;
  const chunkTypes = new Set<number>();
  let forwardTsnSupported = false;
  let adaptation: number | undefined;
  const offer = new OfferCollector();
  for (let count = 0; reader.remaining >= 4 && count < MAX_PARAMETERS; count++) {
    const { type, value, whole } = readParameter(reader);
    if (type === ParameterType.ipv4Address || type === ParameterType.ipv6Address) {
      const address = readAddress(type, value);
      if (addresses.length < MAX_PEER_ADDRESSES && !addresses.includes(address)) addresses.push(address);
    } else if (type === ParameterType.stateCookie) {
      if (value.remaining <= MAX_COOKIE_OCTETS) cookie = value.bytes(value.remaining, "state cookie");
    } else if (type === ParameterType.cookiePreservative) {
      cookiePreservativeMs = value.u32("cookie preservative");
    } else if (type === ParameterType.hostName) {
      hostName = whole.slice(0, MAX_REPORTED_OCTETS);
    } else if (type === ParameterType.supportedExtensions) {
      for (const chunkType of value.view(value.remaining, "chunk types")) chunkTypes.add(chunkType);
    } else if (type === ParameterType.adaptationIndication) {
      adaptation = value.u32("adaptation layer indication");
    } else if (type === ParameterType.forwardTsnSupported) {
      forwardTsnSupported = true;
    } else if (!offer.take(type, value) && !UNUSED.has(type)) {
      const actionBits = type >>> 14;
      if (reportsUnknown(actionBits) && reportedOctets + whole.length <= MAX_REPORTED_OCTETS) {
        reportedOctets += whole.length;
        unrecognized.push(whole.slice());
      }
      if (!skipsUnknown(actionBits)) break;
    }
  }
  const authentication = offer.offer;
  const extensions = {
    ...extensionsOf(chunkTypes, forwardTsnSupported),
    authentication: usableOffer(authentication), // RFC 4895 is older than the list of extensions
  };
  return {
    ...fixed,
    addresses,
    unrecognized,
    cookie,
    cookiePreservativeMs,
    hostName,
    extensions,
    adaptation,
    authentication,
  };
}
