/**
 * What carries the packets of the embedded SCTP stack. Two drivers stand behind it: `packet_io.ts` on Linux and
 * `dgram_io.ts` everywhere else.
 *
 * @module
 */
import type { IpAddress, PacketError, PacketMeta, PacketTransmit, Route } from "../protocol/net.ts";

/** What a driver tells of the network. Called from the event loop only, or from within `flush` and `nextBuffer`. */
export interface PacketHandler {
  /**
   * A packet for one of the open ports, as far as the driver can tell; nothing of it was checked.
   *
   * @param packet SCTP common header and chunks. Borrowed: its memory is used again after the call.
   */
  packet(packet: Uint8Array, meta: PacketMeta): void;
  /** An ICMP message about a packet sent from one of the open ports, or a local equivalent of it. */
  error(error: PacketError): void;
  /** A batch of packets and errors is over: the time to answer. */
  endOfBatch(): void;
  /** Addresses or routes of this host have changed; only drivers that notice call it. */
  addressesChanged?(): void;
  /** `nextBuffer` gave undefined before, and would give a buffer now. */
  writable(): void;
}

/** Sends and receives SCTP packets over IP, over UDP (RFC 6951) or over both. */
export interface PacketDriver {
  /** Whether plain SCTP over IP goes. UDP encapsulation always does. */
  readonly raw: boolean;
  /** What it uses and why, for the first log line: `IP and UDP`, `UDP (…)`. */
  readonly encapsulation: string;
  /** How often a full socket has stopped the sending. */
  readonly sendStalls: number;

  /**
   * Takes an SCTP port for this process: binds its UDP ports on all addresses of both families.
   *
   * @param port the SCTP port, 1-65535
   * @param udpPorts UDP ports to receive encapsulated packets on; the first is the host-wide lock on the SCTP port,
   * and what the port sends leaves from it
   * @throws {SctpError} EADDRINUSE when another socket has one of the UDP ports; EACCES, EMFILE, …
   */
  openPort(port: number, udpPorts: readonly number[]): void;

  /** Gives an SCTP port back. Packets that wait for a full socket are thrown away. Idempotent. */
  closePort(port: number): void;

  /** The kernel's routing answer, at most a second or so old; undefined = no route. */
  route(destination: IpAddress): Route | undefined;

  /** Addresses of this host that are up, loopback and link-local ones (with zone) included. */
  localAddresses(): readonly IpAddress[];

  /**
   * Whether packets can come to an address and leave from it, also where no interface shows it: on Linux all of 127.0.0.0/8
   * is local, and Debian's own host name is 127.0.1.1 in `/etc/hosts`.
   *
   * @param address of one host: neither a wildcard nor a multicast address
   */
  hasAddress(address: IpAddress): boolean;

  /**
   * Where to build the next packet: 65,535 octets or more.
   *
   * @returns undefined when the sockets are full; `PacketHandler.writable` follows
   */
  nextBuffer(): Uint8Array | undefined;

  /**
   * Queues the packet that was built in the last `nextBuffer`. What cannot be sent (no such port any more, no socket of
   * the family) is dropped, as the network would.
   */
  commit(transmit: PacketTransmit): void;

  /** Sends what was committed. */
  flush(): void;

  /** Closes all ports. When it resolves, no descriptor and no native call of the driver is left. Idempotent. */
  close(): Promise<void>;
}

/** How to open a driver. */
export interface PacketDriverOptions {
  /**
   * Plain SCTP over IP: "auto" = if this process may and the kernel has no SCTP of its own, "on" = must be,
   * "off" = UDP only. Default "auto".
   */
  readonly raw?: "auto" | "on" | "off";
  /** Octets that the kernel may buffer for a socket, in each direction. Default 4 MiB. */
  readonly socketBuffer?: number;
}
