/**
 * The error queue of a socket (IP_RECVERR, IPV6_RECVERR): ICMP messages about packets of ours, with as much of the
 * packet as came back.
 *
 * @module
 */
import type { PacketError } from "../protocol/net.ts";
import type { Libc } from "./libc.ts";
import { AddressFamily, readSockaddrAddress, readSockaddrPort } from "./sockaddr.ts";
import { findControl, IpOption, Ipv6Option, MessageFlag, MessageSlots, Protocol } from "./structs.ts";

/** Errors read from one socket before the others get their turn. */
const ERRORS_PER_TURN = 64;

/** Octets of a returned packet worth keeping: the common header and an INIT's tag (RFC 9260 §10). */
const QUOTED_BYTES = 576;

/** Where an error came from: `ee_origin` of `struct sock_extended_err`. */
const Origin = { local: 1, icmp: 2, icmp6: 3 } as const;

/** A socket whose errors are read. */
export interface ErrorSource {
  /** Its descriptor. */
  readonly fd: number;
  /** What addresses it has. */
  readonly family: AddressFamily;
  /** Whether it is a UDP socket; else a raw one. */
  readonly encapsulated: boolean;
  /** SCTP port the socket belongs to; 0 = all, see the quoted packet. */
  readonly port: number;
}

/** Reads error queues. */
export class ErrorQueueReader {
  readonly #libc: Libc;
  readonly #slots = new MessageSlots(1, { data: QUOTED_BYTES, name: 28, control: 256 });

  /** @param libc functions of a lease that outlives the reader */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Reads what waits on the error queue of a socket.
   *
   * @param onError called for every error that says something about a packet
   */
  read(source: ErrorSource, onError: (error: PacketError) => void): void {
    const slots = this.#slots;
    for (let i = 0; i < ERRORS_PER_TURN; i++) {
      slots.prepareReceive();
      const length = this.#libc.recvmsg(
        source.fd,
        slots.pointer(0),
        MessageFlag.errorQueue | MessageFlag.dontWait,
      );
      if (length < 0) return;
      const error = this.#decode(source, length);
      if (error !== undefined) onError(error);
    }
  }

  #decode(source: ErrorSource, length: number): PacketError | undefined {
    const slots = this.#slots, control = slots.controls;
    const offset = source.family === AddressFamily.inet
      ? findControl(control, 0, slots.controlBytes(0), Protocol.ip, IpOption.receiveErrors)
      : findControl(control, 0, slots.controlBytes(0), Protocol.ipv6, Ipv6Option.receiveErrors);
    if (offset < 0 || slots.nameBytes(0) === 0) return undefined;
    const destination = readSockaddrAddress(slots.names, 0);
    // struct sock_extended_err: u32 errno, u8 origin, u8 type, u8 code, u8 pad, u32 info, u32 data
    const kind = errorKind(
      control.getUint8(offset + 4),
      control.getUint8(offset + 5),
      control.getUint8(offset + 6),
    );
    if (destination === undefined || kind === undefined) return undefined;
    const packet = slots.data[0]!.slice(0, Math.min(length, QUOTED_BYTES));
    return {
      destination,
      udpPort: source.encapsulated ? readSockaddrPort(slots.names, 0) : 0,
      kind,
      mtu: kind === "too-big" ? control.getUint32(offset + 8, true) : undefined,
      packet,
      localPort: source.port,
    };
  }
}

/**
 * What an ICMP message means to SCTP (RFC 9260 §10); undefined = nothing.
 *
 * @param origin 1 = this kernel, 2 = ICMP, 3 = ICMPv6
 */
export function errorKind(origin: number, type: number, code: number): PacketError["kind"] | undefined {
  if (origin === Origin.local) return "too-big"; // the only local error that is queued
  if (origin === Origin.icmp) {
    if (type !== 3) return undefined; // destination unreachable
    if (code === 2) return "protocol-unreachable";
    if (code === 3) return "port-unreachable";
    return code === 4 ? "too-big" : "host-unreachable";
  }
  if (origin !== Origin.icmp6) return undefined;
  if (type === 1) return code === 4 ? "port-unreachable" : "host-unreachable";
  if (type === 2) return "too-big";
  return type === 4 && code === 1 ? "protocol-unreachable" : undefined; // unrecognised next header
}
