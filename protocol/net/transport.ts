/** The one interface behind which kernel SCTP, the embedded stack and the simulation stand. */
import type { IpAddress } from "./address.ts";
import type { AssociationId } from "./basics.ts";
import type { TransportCommand } from "./command.ts";
import type { EndpointOptions } from "./endpoint_options.ts";
import type { TransportEvent } from "./event.ts";
import type { SocketOptionName, SocketOptionTarget, SocketOptionValue } from "./socket_option.ts";
import type { AssociationStatistics, AssociationStatus } from "./status.ts";

/** One SCTP endpoint: a port, some addresses, many associations (RFC 6458's one-to-many style). */
export interface Endpoint {
  /** The SCTP port in use, never 0. */
  readonly port: number;
  /** Addresses the endpoint is reached at, loopback and link-local ones included. */
  readonly addresses: readonly IpAddress[];
  /** Starts something; what comes of it is told by events. Ignored when the association is gone. */
  execute(command: TransportCommand): void;
  /** Undefined when the association is gone. */
  status(association: AssociationId): AssociationStatus | undefined;
  /** What was counted of an association; undefined when it is gone. */
  statistics(association: AssociationId): AssociationStatistics | undefined;
  /**
   * Reads a socket option.
   *
   * @throws {SocketOptionError} when the transport has no such option, or nothing to say for this target
   */
  getOption(name: SocketOptionName, target?: SocketOptionTarget): SocketOptionValue;
  /**
   * Sets a socket option. Fields that are not given keep their values.
   *
   * @throws {SocketOptionError} when the value or the target is refused
   */
  setOption(name: SocketOptionName, value: SocketOptionValue, target?: SocketOptionTarget): void;
  /**
   * Adds an address of this host (RFC 6458 §9.1, sctp_bindx). Living associations learn of it by ASCONF where both sides
   * have dynamic addresses (RFC 5061), and tell so by nothing but the peer's answer; others go on without it.
   *
   * @throws {SocketOptionError} EADDRNOTAVAIL, EADDRINUSE or EINVAL
   */
  addAddress(address: IpAddress): void;
  /**
   * Takes an address away (RFC 6458 §9.1).
   *
   * @throws {SocketOptionError} EINVAL when it is the last one, or not one of the endpoint's
   */
  removeAddress(address: IpAddress): void;
  /**
   * Asks the peer to send to one of this side's addresses in the first place (RFC 5061 §4.2.4; RFC 6458 §8.3.1).
   *
   * @throws {SocketOptionError} EPERM when the association has no dynamic addresses
   */
  setPeerPrimary(association: AssociationId, address: IpAddress): void;
  /**
   * Gives an association an endpoint of its own (RFC 6458 §9.2, sctp_peeloff): its events come there from now on, those
   * that were not delivered yet first.
   *
   * @throws {SocketOptionError} ENOTCONN when the association is gone
   */
  peelOff(association: AssociationId, onEvents: EventHandler): Endpoint;
  /**
   * Stops listening, shuts all associations down and aborts those that are left after `lingerMs` (default 2000).
   * After it resolves there is no event, no timer and no file descriptor. Idempotent.
   */
  close(lingerMs?: number): Promise<void>;
}

/** Takes a batch of events of one endpoint. Called from the event loop, never from within `execute` or `open`. */
export type EventHandler = (events: readonly TransportEvent[]) => void;

/** One per process: opens endpoints on kernel SCTP, on the embedded stack, or in a simulation. */
export interface Transport {
  /** Says which implementation it is. */
  readonly kind: "kernel" | "embedded" | "simulated";
  /** For the first log line: what carries SCTP and why this one. */
  readonly description: string;
  /**
   * Opens an endpoint.
   *
   * @param onEvents gets its events, never within this call
   * @throws an error with `code` EADDRINUSE, EADDRNOTAVAIL or EACCES and a message for people
   */
  open(options: EndpointOptions, onEvents: EventHandler): Endpoint;
  /**
   * Shows every packet of this process's endpoints as it is sent or received, until it is disposed of.
   *
   * @throws an error with `code` EPERM or EOPNOTSUPP and a message for people
   */
  capture(onPacket: PacketObserver): Disposable;
  /** Closes every endpoint. */
  close(): Promise<void>;
}

/** Sees packets as they pass. The packet is borrowed until the call returns. */
export type PacketObserver = (packet: CapturedPacket) => void;

/** A packet that was sent or received. */
export interface CapturedPacket {
  readonly direction: "sent" | "received";
  /** The sender's address; undefined = the kernel chose it. */
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress;
  /** UDP ports around it (RFC 6951); 0 = plain SCTP over IP. */
  readonly sourceUdpPort: number;
  readonly destinationUdpPort: number;
  /** The SCTP packet, common header first. */
  readonly sctp: Uint8Array;
  /** Its checksum is not there yet: the kernel leaves it to the interface, and on loopback to nobody. */
  readonly checksumPending?: boolean;
}
