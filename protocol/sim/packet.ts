import { type Instant, type IpAddress, isIpv4 } from "../net.ts";

/** An SCTP packet on its way through the simulated network. */
export interface SimulatedPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** UDP ports of the encapsulation (RFC 6951); both 0 = plain SCTP over IP. */
  readonly udpSource: number;
  readonly udpDestination: number;
  /** The sender's IP layer cuts it up on the way: it was made before the path MTU fell. */
  readonly fragmented?: boolean;
  /** The SCTP packet. Nobody changes it: a corrupted packet is a copy. */
  readonly octets: Uint8Array;
}

/** What became of a packet. */
export type PacketFate =
  | "sent"
  | "delivered"
  /** Chance, a full queue, a cut link, a filter, or nobody there. */
  | "lost"
  | "too-big";

/** Watches packets; may look, must not touch. */
export type PacketObserver = (packet: SimulatedPacket, fate: PacketFate, at: Instant) => void;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;

/** Octets in front of the SCTP packet: IP header, and UDP header where there is one. */
export function headerLength(packet: SimulatedPacket): number {
  return (isIpv4(packet.source) ? IPV4_HEADER : IPV6_HEADER) + (packet.udpDestination === 0 ? 0 : UDP_HEADER);
}
