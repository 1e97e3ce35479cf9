/** Puts the IP and UDP headers that a packet has on the wire around an SCTP packet, for captures. */
import { type IpAddress, ipAddressOctets, isIpv4 } from "../net.ts";
import { assert } from "../wire/assert.ts";

/** An SCTP packet, and what its headers on the wire would say. */
export interface EnclosedPacket {
  /** Undefined = nobody knows: the unspecified address stands in. */
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress;
  /** UDP ports around it (RFC 6951); both 0 = plain SCTP over IP. */
  readonly sourceUdpPort: number;
  readonly destinationUdpPort: number;
  /** The SCTP packet, common header first. */
  readonly sctp: Uint8Array;
}

const PROTOCOL_SCTP = 132, PROTOCOL_UDP = 17;
const IPV4_HEADER_BYTES = 20, IPV6_HEADER_BYTES = 40, UDP_HEADER_BYTES = 8;

/** Hops that a packet may go: what Linux sets. */
const HOP_LIMIT = 64;

/**
 * The whole IP packet. Lengths and checksums are right; what nobody tells (hop limit, traffic class, identification) is
 * as a fresh packet has it.
 *
 * @param packet addresses of one family
 */
export function ipPacket(packet: EnclosedPacket): Uint8Array<ArrayBuffer> {
  const { sctp, destination, destinationUdpPort } = packet;
  const ipv4 = isIpv4(destination), encapsulated = destinationUdpPort !== 0;
  const headerBytes = ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const payloadBytes = sctp.length + (encapsulated ? UDP_HEADER_BYTES : 0);
  const octets = new Uint8Array(headerBytes + payloadBytes);
  const view = new DataView(octets.buffer);
  const source = addressOctets(packet.source ?? (ipv4 ? "0.0.0.0" : "::"));
  const target = addressOctets(destination);
  assert(source.length === target.length, "both addresses of a packet are of one family");
  const protocol = encapsulated ? PROTOCOL_UDP : PROTOCOL_SCTP;
  if (ipv4) writeIpv4Header(view, protocol);
  else writeIpv6Header(view, protocol, payloadBytes);
  octets.set(source, headerBytes - 2 * source.length);
  octets.set(target, headerBytes - source.length);
  octets.set(sctp, octets.length - sctp.length);
  if (ipv4) view.setUint16(10, internetChecksum(octets.subarray(0, IPV4_HEADER_BYTES)));
  if (encapsulated) {
    view.setUint16(headerBytes, packet.sourceUdpPort);
    view.setUint16(headerBytes + 2, destinationUdpPort);
    view.setUint16(headerBytes + 4, payloadBytes);
    // The pseudo-header is the addresses, which lie before the datagram, the length and the protocol (RFC 8200 §8.1).
    const covered = octets.subarray(headerBytes - 2 * source.length);
    // RFC 768: a sum of zero is sent as all ones, since zero means that there is none.
    view.setUint16(headerBytes + 6, internetChecksum(covered, payloadBytes + PROTOCOL_UDP) || 0xffff);
  }
  return octets;
}

/** RFC 791 §3.1, without addresses and checksum. */
function writeIpv4Header(view: DataView, protocol: number): void {
  view.setUint16(0, 0x4500);
  view.setUint16(2, view.byteLength);
  view.setUint16(6, 0x4000); // do not fragment
  view.setUint8(8, HOP_LIMIT);
  view.setUint8(9, protocol);
}

/** RFC 8200 §3, without addresses. */
function writeIpv6Header(view: DataView, protocol: number, payloadBytes: number): void {
  view.setUint8(0, 0x60);
  view.setUint16(4, payloadBytes);
  view.setUint8(6, protocol);
  view.setUint8(7, HOP_LIMIT);
}

function addressOctets(address: IpAddress): Uint8Array {
  const octets = ipAddressOctets(address);
  assert(octets !== undefined, "a captured packet has proper addresses");
  return octets;
}

/** The one's complement of the one's complement sum (RFC 1071). */
function internetChecksum(octets: Uint8Array, start: number = 0): number {
  let sum = start;
  for (let i = 0; i + 1 < octets.length; i += 2) sum += octets[i]! << 8 | octets[i + 1]!;
  if (octets.length % 2 === 1) sum += octets[octets.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
