/**
 * The state cookie (RFC 9260 §5.1.3): everything that a listener must know to set up an association, signed and handed
 * to the initiator, so that nothing is kept before the initiator has shown that it is reached at its address.
 *
 * Layout: the fields below in order, then 32 octets of HMAC-SHA-256 over them. Nobody but its maker reads a cookie.
 */
import { formatIpAddress, ipAddressOctets } from "../net.ts";
import type { Instant, IpAddress } from "../net.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import type { AssociationTerms } from "./association_terms.ts";
import type { KeyVectors } from "./auth_offer.ts";
import { packExtensions, unpackExtensions } from "./extensions.ts";
import { sameOctets } from "./same_octets.ts";

/** Octets of key and of HMAC. */
export const COOKIE_KEY_OCTETS = 32;
const MAC_OCTETS = 32;

/** What a cookie keeps. */
export interface StateCookie {
  readonly createdAt: Instant;
  readonly lifeMs: number;
  readonly localPort: number;
  /** Tags of the association that existed when the INIT came; 0 = there was none (§5.2.2). */
  readonly localTieTag: number;
  readonly peerTieTag: number;
  /** What was agreed on; shared keys must not be in here (RFC 4895 §6.3). */
  readonly terms: AssociationTerms;
}

/** Signs data: HMAC-SHA-256 under a key. */
export type Mac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

/** Writes and signs a cookie. */
export function sealCookie(cookie: StateCookie, key: Uint8Array, mac: Mac): Uint8Array {
  const { terms } = cookie;
  const w = new Writer(256);
  w.f64(cookie.createdAt);
  w.f64(cookie.lifeMs);
  w.u16(cookie.localPort);
  w.u32(cookie.localTieTag);
  w.u32(cookie.peerTieTag);
  w.u16(terms.peerPort);
  w.u16(terms.encapsulationPort);
  w.u32(terms.localTag);
  w.u32(terms.localTsn);
  w.u32(terms.peerTag);
  w.u32(terms.peerTsn);
  w.u32(terms.peerWindow);
  w.u16(terms.outboundStreams);
  w.u16(terms.inboundStreams);
  w.u8(packExtensions(terms.extensions));
  w.u8(terms.adaptation === undefined ? 0 : 1);
  w.u32(terms.adaptation ?? 0);
  writeIpAddresses(w, terms.addresses);
  writeIpAddresses(w, terms.listed ?? []);
  writeVectors(w, terms.authentication);
  const body = w.finish();
  w.bytes(mac(key, body).subarray(0, MAC_OCTETS));
  return w.finish();
}

/**
 * Reads a cookie that came back.
 *
 * @returns undefined when this endpoint did not sign these octets
 */
export function openCookie(octets: Uint8Array, key: Uint8Array, mac: Mac): StateCookie | undefined {
  const bodyLength = octets.length - MAC_OCTETS;
  if (bodyLength <= 0) return undefined;
  const body = octets.subarray(0, bodyLength);
  if (!sameOctets(mac(key, body), octets.subarray(bodyLength))) return undefined;
  const r = new Reader(body);
  return {
    createdAt: r.f64("created at"),
    lifeMs: r.f64("life"),
    localPort: r.u16("local port"),
    localTieTag: r.u32("local tie-tag"),
    peerTieTag: r.u32("peer tie-tag"),
    terms: readTerms(r),
  };
}

function readTerms(r: Reader): AssociationTerms {
  return {
    peerPort: r.u16("peer port"),
    encapsulationPort: r.u16("UDP port"),
    localTag: r.u32("local tag"),
    localTsn: r.u32("local TSN"),
    peerTag: r.u32("peer tag"),
    peerTsn: r.u32("peer TSN"),
    peerWindow: r.u32("peer window"),
    outboundStreams: r.u16("outbound streams"),
    inboundStreams: r.u16("inbound streams"),
    extensions: unpackExtensions(r.u8("extensions")),
    adaptation: readAdaptation(r),
    addresses: readIpAddresses(r),
    listed: readIpAddresses(r),
    authentication: readVectors(r),
  };
}

function readAdaptation(r: Reader): number | undefined {
  const present = r.u8("adaptation present") !== 0;
  const adaptation = r.u32("adaptation");
  return present ? adaptation : undefined;
}

function writeVectors(w: Writer, vectors: KeyVectors | undefined): void {
  for (const vector of [vectors?.local, vectors?.peer]) {
    w.u16(vector?.length ?? 0);
    if (vector !== undefined) w.bytes(vector);
  }
}

function readVectors(r: Reader): KeyVectors | undefined {
  const local = r.bytes(r.u16("length of the local key vector"), "local key vector");
  const peer = r.bytes(r.u16("length of the peer's key vector"), "peer's key vector");
  return peer.length === 0 ? undefined : { local, peer };
}

function writeIpAddresses(w: Writer, addresses: readonly IpAddress[]): void {
  w.u8(addresses.length);
  for (const address of addresses) writeIpAddress(w, address);
}

function readIpAddresses(r: Reader): IpAddress[] {
  return Array.from({ length: r.u8("address count") }, () => readIpAddress(r));
}

/** An address with its zone (0 = none); the zone is this host's affair and travels in cookies only. */
function writeIpAddress(w: Writer, address: IpAddress): void {
  const octets = ipAddressOctets(address)!; // addresses are canonical text here, which always parses
  w.u8(octets.length);
  w.bytes(octets);
  w.u32(Number(address.split("%")[1] ?? 0));
}

function readIpAddress(r: Reader): IpAddress {
  const address = formatIpAddress(r.view(r.u8("address length"), "address"));
  const zone = r.u32("zone");
  return zone === 0 ? address : `${address}%${zone}`;
}
