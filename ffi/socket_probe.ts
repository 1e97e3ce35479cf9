/**
 * Asks the kernel which sockets it would give this process. Each is closed at once; nothing is sent.
 *
 * @module
 */
import type { IpAddress } from "../protocol/net.ts";
import { errno, errnoName } from "./errno.ts";
import { ENOSYS } from "./kernel_abi.ts";
import { leaseLibc, type Libc } from "./libc.ts";
import { RouteTable } from "./route_table.ts";
import { AddressFamily } from "./sockaddr.ts";
import { Protocol, SocketType } from "./structs.ts";

/** "ok", or the name of the error: `ESOCKTNOSUPPORT`. */
export type SocketAnswer = string;

/** What the kernel says to each kind of socket that this program uses. */
export interface SocketAnswers {
  /** One-to-many SCTP. Asking makes the kernel load its module, where that is allowed. */
  readonly sctp: SocketAnswer;
  /** Listening on it, which needs the MAC of the cookie; undefined = there was no socket. */
  readonly sctpListen: SocketAnswer | undefined;
  readonly rawIpv4: SocketAnswer;
  readonly rawIpv6: SocketAnswer;
  readonly udpIpv4: SocketAnswer;
  readonly udpIpv6: SocketAnswer;
}

/**
 * Asks for every kind of socket.
 *
 * @throws {LibraryError} when there is no C library to ask with
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(probeSockets().udpIpv4, "ok");
 * ```
 */
export function probeSockets(): SocketAnswers {
  using libc = leaseLibc();
  const { inet, inet6 } = AddressFamily;
  const { raw, datagram } = SocketType;
  const ask = (family: AddressFamily, type: number, protocol: number) =>
    answer(libc.symbols, family, type, protocol);
  return {
    ...askSctp(libc.symbols),
    rawIpv4: ask(inet, raw, Protocol.sctp),
    rawIpv6: ask(inet6, raw, Protocol.sctp),
    udpIpv4: ask(inet, datagram, Protocol.udp),
    udpIpv6: ask(inet6, datagram, Protocol.udp),
  };
}

/** The address that packets to a destination leave from, by the routing table; undefined = there is no route. */
export function probeSource(destination: IpAddress): IpAddress | undefined {
  using libc = leaseLibc();
  return new RouteTable(libc).route(destination)?.source;
}

function askSctp(libc: Libc): Pick<SocketAnswers, "sctp" | "sctpListen"> {
  const fd = libc.socket(AddressFamily.inet, SocketType.seqPacket | SocketType.closeOnExec, Protocol.sctp);
  if (fd < 0) return { sctp: nameOf(errno()), sctpListen: undefined };
  const sctpListen = libc.listen(fd, 1) < 0 ? nameOf(errno()) : "ok";
  libc.close(fd);
  return { sctp: "ok", sctpListen };
}

function answer(libc: Libc, family: AddressFamily, type: number, protocol: number): SocketAnswer {
  const fd = libc.socket(family, type | SocketType.closeOnExec, protocol);
  if (fd < 0) return nameOf(errno());
  libc.close(fd);
  return "ok";
}

function nameOf(number: number): string {
  return number === ENOSYS ? "ENOSYS" : errnoName(number);
}
