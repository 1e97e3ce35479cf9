/** Packets below the embedded stack: where they come from and go to, and what is told about them. */
import type { IpAddress } from "./address.ts";

/** Where a received SCTP packet came from. */
export interface PacketMeta {
  /** The sender's address. */
  readonly source: IpAddress;
  /** The address of this host that it was sent to. */
  readonly destination: IpAddress;
  /** UDP source port it came in (RFC 6951); 0 = plain SCTP over IP. */
  readonly udpPort: number;
  /** UDP port of this host that it came to, 0 = plain SCTP; for captures, the stack does not ask. */
  readonly localUdpPort?: number;
}

/** Where an SCTP packet is to be sent. */
export interface PacketTransmit {
  /** Octets of SCTP packet in the buffer. */
  length: number;
  /** Undefined = let the kernel choose. */
  source: IpAddress | undefined;
  /** The receiver's address. */
  destination: IpAddress;
  /** UDP destination port; 0 = plain SCTP over IP. */
  udpPort: number;
  /** SCTP source port: says which UDP socket sends it. */
  localPort: number;
  /**
   * Whether IP may cut it up. Absent = only when the host knows already that the path is too narrow. "never" = it probes the
   * path MTU, whatever the host believes of it (RFC 8899 §3, 2). "always" = it is longer than the path MTU, and has to pass.
   */
  fragmentation?: "never" | "always" | undefined;
}

/** An ICMP message about a packet of ours. */
export interface PacketError {
  /** Address the packet was sent to. */
  readonly destination: IpAddress;
  /** UDP port the packet was sent to; 0 = plain SCTP. */
  readonly udpPort: number;
  /** What the router or host said. */
  readonly kind: "port-unreachable" | "protocol-unreachable" | "host-unreachable" | "too-big";
  /** For "too-big": the next hop's MTU in octets. */
  readonly mtu: number | undefined;
  /** As much of our SCTP packet as came back; may be empty. */
  readonly packet: Uint8Array;
  /** SCTP source port of the packet, if the driver knows it by the socket; 0 = look into `packet`. */
  readonly localPort: number;
}

/** The kernel's routing answer for a destination. */
export interface Route {
  /** Address that packets to there leave from. */
  readonly source: IpAddress;
  /** MTU in octets, IP header included. */
  readonly mtu: number;
}
