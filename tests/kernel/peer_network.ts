/**
 * The two networks between the host's namespace and the guest, and what the two sides say to each other. The host ends
 * are tap devices, the guest's are `vec0` and `vec1`.
 */

/** Addresses by network, IPv4 and IPv6. */
export const NETWORKS = [
  { host: ["10.78.1.1", "fd78:1::1"], guest: ["10.78.1.2", "fd78:1::2"] },
  { host: ["10.78.2.1", "fd78:2::1"], guest: ["10.78.2.2", "fd78:2::2"] },
] as const;

/** Prefix length of an address of these networks. */
export function prefixLength(address: string): number {
  return address.includes(":") ? 64 : 24;
}

/** Port of the guest's endpoint. */
export const GUEST_PORT = 5001;
/** UDP port of the guest's kernel (net.sctp.udp_port). */
export const GUEST_UDP_PORT = 9899;
/** What the guest prints when its endpoint is open. */
export const READY = "kernel peer is ready";

/** Messages with this PPID come back as they are. It belongs to no protocol that a dissector knows. */
export const PPID_ECHO = 0x7e57_0001;
/** Messages with this PPID are a {@linkcode GuestCommand} or a {@linkcode GuestReport} in JSON. */
export const PPID_CONTROL = 0x7e57_0002;

/** What the host asks the guest to do. */
export type GuestCommand =
  /** Sets up an association, sends a message of each length, checks what comes back, shuts the association down. */
  | {
    readonly type: "connect";
    readonly addresses: readonly string[];
    readonly port: number;
    /** UDP port of the host's stack; 0 = plain SCTP. */
    readonly encapsulationPort: number;
    readonly lengths: readonly number[];
  }
  /** Aborts the association on which this was asked. */
  | { readonly type: "abort"; readonly reason: string }
  /** Shuts the association down on which this was asked. */
  | { readonly type: "shutdown" }
  /** Ends the guest's peer. */
  | { readonly type: "quit" };

/** How a "connect" went. */
export interface GuestReport {
  readonly errors: readonly string[];
  readonly peerAddresses: readonly string[];
}

/** Lengths of the messages: around a DATA chunk and a packet, and in many fragments. */
export const LENGTHS: readonly number[] = [1, 5, 100, 1432, 1452, 1453, 5000, 65_536, 100_000];
