/**
 * Socket addresses of Linux (`struct sockaddr_in`, `struct sockaddr_in6`) and what they are to the protocol: an address
 * in canonical text, and a port. Both ways go through bounded caches, because this stands in the way of every packet.
 *
 * @module
 */
import {
  formatIpAddress,
  type IpAddress,
  ipAddressOctets,
  isIpv4,
  type TransportAddress,
} from "../protocol/net.ts";

/** AF_INET: 2, AF_INET6: 10. */
export const AddressFamily = { inet: 2, inet6: 10 } as const;
/** AF_INET or AF_INET6. */
export type AddressFamily = typeof AddressFamily[keyof typeof AddressFamily];

/** `sizeof (struct sockaddr_in)` */
export const SOCKADDR_IN_BYTES = 16;
/** `sizeof (struct sockaddr_in6)` */
export const SOCKADDR_IN6_BYTES = 28;

/**
 * Addresses kept in each cache. A stranger can send from as many source addresses as there are; a full cache is
 * thrown away and begins anew.
 */
const CACHE_ENTRIES = 4096;

/** An address as the kernel takes it. */
export interface EncodedAddress {
  /** AF_INET or AF_INET6. */
  readonly family: AddressFamily;
  /** 4 or 16 octets; not to be changed. */
  readonly octets: Uint8Array;
  /** Interface number of a link-local address; else 0. */
  readonly zone: number;
}

const encoded = new Map<IpAddress, EncodedAddress>();
const decoded4 = new Map<number, IpAddress>();
const decoded6 = new Map<number, Decoded6>();

interface Decoded6 {
  readonly words: readonly [number, number, number, number];
  readonly zone: number;
  readonly text: IpAddress;
}

/** The family of an address. */
export function familyOf(address: IpAddress): AddressFamily {
  return isIpv4(address) ? AddressFamily.inet : AddressFamily.inet6;
}

/**
 * Octets and zone of an address in canonical text.
 *
 * @throws {RangeError} when the text is not an address
 */
export function encodeIpAddress(address: IpAddress): EncodedAddress {
  const cached = encoded.get(address);
  if (cached !== undefined) return cached;
  const octets = ipAddressOctets(address);
  if (octets === undefined) throw new RangeError(`Cannot use "${address}" as an IP address`);
  const percent = address.indexOf("%");
  const zone = percent < 0 ? 0 : Number(address.slice(percent + 1));
  const entry = { family: familyOf(address), octets, zone: Number.isInteger(zone) ? zone : 0 };
  if (encoded.size >= CACHE_ENTRIES) encoded.clear();
  encoded.set(address, entry);
  return entry;
}

/**
 * Writes `struct sockaddr_in` or `struct sockaddr_in6`, all octets of it.
 *
 * @param view where to
 * @param offset in octets
 * @param address canonical text; the zone of a link-local address becomes `sin6_scope_id`
 * @param port 0-65535
 * @returns octets written: 16 or 28
 * @throws {RangeError} when the text is not an address
 */
export function writeSockaddr(view: DataView, offset: number, address: IpAddress, port: number): number {
  const { family, octets, zone } = encodeIpAddress(address);
  view.setUint16(offset, family, true);
  view.setUint16(offset + 2, port);
  if (family === AddressFamily.inet) {
    for (let i = 0; i < 4; i++) view.setUint8(offset + 4 + i, octets[i]!);
    view.setUint32(offset + 8, 0);
    view.setUint32(offset + 12, 0);
    return SOCKADDR_IN_BYTES;
  }
  view.setUint32(offset + 4, 0); // sin6_flowinfo
  for (let i = 0; i < 16; i++) view.setUint8(offset + 8 + i, octets[i]!);
  view.setUint32(offset + 24, zone, true);
  return SOCKADDR_IN6_BYTES;
}

/**
 * A socket address as octets of their own.
 *
 * @param target address and port
 * @param asIpv6 writes an IPv4 address as IPv4-mapped `sockaddr_in6`, for a socket of that family. Default false.
 * @returns 16 or 28 octets
 */
export function encodeSockaddr(target: TransportAddress, asIpv6 = false): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(SOCKADDR_IN6_BYTES);
  const view = new DataView(octets.buffer);
  if (asIpv6 && isIpv4(target.address)) {
    view.setUint16(0, AddressFamily.inet6, true);
    view.setUint16(2, target.port);
    octets.set([0xff, 0xff], 18);
    octets.set(encodeIpAddress(target.address).octets, 20);
    return octets;
  }
  return octets.subarray(0, writeSockaddr(view, 0, target.address, target.port));
}

/**
 * Several socket addresses back to back, as `sctp_bindx` and `sctp_connectx` take them.
 *
 * @param targets at least one
 */
export function encodeSockaddrs(targets: readonly TransportAddress[]): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(targets.length * SOCKADDR_IN6_BYTES);
  const view = new DataView(octets.buffer);
  let length = 0;
  for (const { address, port } of targets) length += writeSockaddr(view, length, address, port);
  return octets.subarray(0, length);
}

/** Octets that the socket address at `offset` takes: 16, 28, or 0 of a family this program does not know. */
export function sockaddrBytes(view: DataView, offset: number): number {
  const family = view.getUint16(offset, true);
  if (family === AddressFamily.inet) return SOCKADDR_IN_BYTES;
  return family === AddressFamily.inet6 ? SOCKADDR_IN6_BYTES : 0;
}

/**
 * Reads a socket address. An IPv4-mapped IPv6 address comes out as IPv4.
 *
 * @returns undefined when the family is neither AF_INET nor AF_INET6
 */
export function readSockaddr(view: DataView, offset: number): TransportAddress | undefined {
  const address = readSockaddrAddress(view, offset);
  return address === undefined ? undefined : { address, port: readSockaddrPort(view, offset) };
}

/** The port of a socket address of either family. */
export function readSockaddrPort(view: DataView, offset: number): number {
  return view.getUint16(offset + 2);
}

/** The address of a socket address, from the cache if it was met before; undefined of an unknown family. */
export function readSockaddrAddress(view: DataView, offset: number): IpAddress | undefined {
  const family = view.getUint16(offset, true);
  if (family === AddressFamily.inet) return readIpv4(view, offset + 4);
  if (family === AddressFamily.inet6) return readIpv6(view, offset + 8, view.getUint32(offset + 24, true));
  return undefined;
}

/** An IPv4 address of four octets, from the cache if it was met before. */
export function readIpv4(view: DataView, offset: number): IpAddress {
  const word = view.getUint32(offset);
  const cached = decoded4.get(word);
  if (cached !== undefined) return cached;
  const text = `${word >>> 24}.${word >>> 16 & 255}.${word >>> 8 & 255}.${word & 255}`;
  if (decoded4.size >= CACHE_ENTRIES) decoded4.clear();
  decoded4.set(word, text);
  return text;
}

/**
 * An IPv6 address of sixteen octets, from the cache if it was met before.
 *
 * @param zone interface number; counts for link-local addresses only
 */
export function readIpv6(view: DataView, offset: number, zone: number): IpAddress {
  const w0 = view.getUint32(offset), w1 = view.getUint32(offset + 4);
  const w2 = view.getUint32(offset + 8), w3 = view.getUint32(offset + 12);
  const linkLocal = (w0 & 0xffc00000) >>> 0 === 0xfe800000;
  const scopeId = linkLocal ? zone : 0;
  // Mixed well enough for the neighbours on a network; two addresses that collide take turns in the cache.
  const key = (Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca6b) ^ Math.imul(w2, 0xc2b2ae35) ^ w3 ^
    scopeId << 24) | 0;
  const cached = decoded6.get(key);
  if (cached !== undefined && cached.zone === scopeId) {
    const words = cached.words;
    if (words[3] === w3 && words[2] === w2 && words[1] === w1 && words[0] === w0) return cached.text;
  }
  const octets = new Uint8Array(view.buffer, view.byteOffset + offset, 16);
  const text = formatIpAddress(octets) + (scopeId === 0 ? "" : `%${scopeId}`);
  if (decoded6.size >= CACHE_ENTRIES) decoded6.clear();
  decoded6.set(key, { words: [w0, w1, w2, w3], zone: scopeId, text });
  return text;
}
