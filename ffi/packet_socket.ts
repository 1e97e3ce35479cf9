/**
 * The sockets below the embedded SCTP stack: raw SCTP sockets and UDP sockets, with all their options set.
 *
 * @module
 */
import type { IpAddress, PacketTransmit } from "../protocol/net.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import { addressOf, type Libc } from "./libc.ts";
import { AddressFamily, encodeSockaddr, familyOf } from "./sockaddr.ts";
import { IpOption, Ipv6Option, Protocol, SocketOption, SocketType } from "./structs.ts";

/** Octets of kernel buffer in each direction if nothing is said: some thousand full packets, enough while handlers run. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** IP_PMTUDISC_WANT: do not fragment what fits the path MTU, fragment what had been cut before the MTU fell. */
const PATH_MTU_DISCOVERY_WANT = 1;
/** IP_PMTUDISC_DONT: routers may fragment. */
const PATH_MTU_DISCOVERY_DONT = 0;
/** IP_PMTUDISC_PROBE: never fragment, and do not believe what is known of the path's MTU. */
const PATH_MTU_DISCOVERY_PROBE = 3;

/** The MTU that every IPv6 path has: routers do not fragment there, so the sender must cut small enough. */
const SMALLEST_IPV6_MTU = 1280;

/** RFC 863; any port but 0 would do. */
const DISCARD_PORT = 9;

/** A classic BPF jump reaches 255 instructions; with more ports than this the stack sorts packets out itself. */
const FILTERED_PORTS = 250;

/**
 * Opens a raw SCTP socket. The kernel makes the IP header (no IP_HDRINCL), so there is no byte-order trouble, and
 * fragments what is too long.
 *
 * @param bufferBytes octets of kernel buffer wanted in each direction
 * @returns its descriptor
 * @throws {SctpError} EPERM without CAP_NET_RAW, EAFNOSUPPORT without the family
 */
export function openRawSocket(
  libc: Libc,
  family: AddressFamily,
  bufferBytes: number = SOCKET_BUFFER_BYTES,
): number {
  const fd = libc.socket(family, SocketType.raw | FLAGS, Protocol.sctp);
  if (fd < 0) {
    throw new SctpError(
      "socket",
      errno(),
      "Cannot send SCTP over IP; run as root or give the CAP_NET_RAW capability",
    );
  }
  return configured(libc, fd, family, bufferBytes);
}

/**
 * Opens a raw SCTP socket that takes no packet. Linux answers an SCTP packet that no raw socket has room for by ICMP
 * "protocol unreachable", as if this host had no SCTP, and that ends the peer's association (RFC 9260 §10). This socket
 * always has room, so that a program that is late or flooded loses packets and nothing else.
 *
 * @returns its descriptor
 * @throws {SctpError} as {@linkcode openRawSocket}
 */
export function openSilencingSocket(libc: Libc, family: AddressFamily): number {
  const fd = openRawSocket(libc, family);
  attachPortFilter(libc, fd, family, []);
  return fd;
}

/**
 * Opens a UDP socket on all addresses of a family. It has its port alone (no SO_REUSEADDR): that is the lock.
 *
 * @param port 1-65535
 * @param bufferBytes octets of kernel buffer wanted in each direction
 * @returns its descriptor
 * @throws {SctpError} EADDRINUSE when another socket has the port, EAFNOSUPPORT without the family
 */
export function openUdpSocket(
  libc: Libc,
  family: AddressFamily,
  port: number,
  bufferBytes: number = SOCKET_BUFFER_BYTES,
): number {
  const fd = libc.socket(family, SocketType.datagram | FLAGS, Protocol.udp);
  if (fd < 0) throw new SctpError("socket", errno(), "Cannot make a UDP socket");
  if (family === AddressFamily.inet6) setOption(libc, fd, Protocol.ipv6, Ipv6Option.v6Only, 1);
  const address = encodeSockaddr({ address: family === AddressFamily.inet ? "0.0.0.0" : "::", port });
  if (libc.bind(fd, address, address.length) < 0) {
    const error = new SctpError("bind", errno(), `Cannot use UDP port ${port}`);
    libc.close(fd);
    throw error;
  }
  return configured(libc, fd, family, bufferBytes);
}

/**
 * Whether the kernel takes an address for one of this host's. Nothing is sent.
 *
 * @param address neither a wildcard nor a multicast address: a UDP socket may have those, too
 */
export function canBind(libc: Libc, address: IpAddress): boolean {
  const fd = libc.socket(familyOf(address), SocketType.datagram | FLAGS, Protocol.udp);
  if (fd < 0) return false;
  try {
    const name = encodeSockaddr({ address, port: 0 }),
      target = encodeSockaddr({ address, port: DISCARD_PORT });
    // A broadcast address can be bound, but nobody connects to it unasked.
    return libc.bind(fd, name, name.length) >= 0 && libc.connect(fd, target, target.length) >= 0;
  } finally {
    libc.close(fd);
  }
}

/**
 * Whether this process can and should send SCTP over IP.
 *
 * @param choice "off" = no, "on" = must, "auto" = if it may and if no kernel SCTP would answer our peers with ABORTs
 * @returns why not; undefined when it can
 * @throws {SctpError} EPERM when it must and may not
 */
export function whyNotRaw(libc: Libc, choice: "auto" | "on" | "off"): string | undefined {
  if (choice === "off") return "plain IP is switched off";
  if (choice === "auto" && kernelSpeaksSctp(libc)) return "plain IP belongs to the kernel's own SCTP";
  let families = 0;
  for (const family of [AddressFamily.inet, AddressFamily.inet6]) {
    try {
      libc.close(openRawSocket(libc, family));
      families++;
    } catch (error) {
      if (familyIsMissing(error)) continue;
      if (choice === "on") throw error;
      return "plain IP needs root or CAP_NET_RAW";
    }
  }
  return families === 0 ? "this host has no IP" : undefined;
}

/** Whether the kernel has an SCTP of its own loaded. */
function kernelSpeaksSctp(libc: Libc): boolean {
  return libc.access(new TextEncoder().encode("/proc/net/sctp\0"), 0) === 0;
}

/** Whether an error says that this host does not have the address family at all (IPv6 switched off, for instance). */
export function familyIsMissing(error: unknown): boolean {
  return error instanceof SctpError &&
    (error.errno === Errno.EAFNOSUPPORT || error.errno === Errno.EADDRNOTAVAIL ||
      error.errno === Errno.EPROTONOSUPPORT);
}

/**
 * Lets only packets to these SCTP ports into a raw socket: without it every raw socket of the host gets the packets of
 * all others. A filter that is set anew replaces the old one at once.
 *
 * @param ports destination ports to let in; none = no packet
 */
export function attachPortFilter(
  libc: Libc,
  fd: number,
  family: AddressFamily,
  ports: readonly number[],
): void {
  attachFilter(libc, fd, portFilter(family, ports)); // failing, it only costs time
}

/**
 * Sets a filter of classic BPF on a socket.
 *
 * @param program array of `struct sock_filter`
 * @returns whether it was taken
 */
export function attachFilter(libc: Libc, fd: number, program: Uint8Array<ArrayBuffer>): boolean {
  const header = new DataView(new ArrayBuffer(16)); // struct sock_fprog: unsigned short len, struct sock_filter *filter
  header.setUint16(0, program.length / 8, true);
  header.setBigUint64(8, BigInt(Deno.UnsafePointer.value(addressOf(program))), true);
  return libc.setsockopt(fd, SocketOption.level, SocketOption.attachFilter, header, 16) === 0;
}

/**
 * Classic BPF: accept what goes to one of the ports. A raw IPv4 socket sees the IP header, a raw IPv6 socket does not.
 *
 * @returns array of `struct sock_filter`: code, jump if true, jump if false, operand
 */
export function portFilter(family: AddressFamily, ports: readonly number[]): Uint8Array<ArrayBuffer> {
  const instructions: [code: number, jumpTrue: number, operand: number][] = [];
  if (family === AddressFamily.inet) {
    instructions.push([0xb1, 0, 0]); // ldxb 4*([0]&0xf): length of the IP header
    instructions.push([0x48, 0, 2]); // ldh [x + 2]: destination port
  } else {
    instructions.push([0x28, 0, 2]); // ldh [2]
  }
  const everything = ports.length > FILTERED_PORTS;
  if (!everything) {
    ports.forEach((port, i) => instructions.push([0x15, ports.length - i, port])); // jeq #port, accept
    instructions.push([0x06, 0, 0]); // ret #0: drop
  }
  instructions.push([0x06, 0, 0x40000]); // ret #262144: accept that many octets
  const octets = new Uint8Array(instructions.length * 8);
  const view = new DataView(octets.buffer);
  instructions.forEach(([code, jumpTrue, operand], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jumpTrue);
    view.setUint32(i * 8 + 4, operand, true);
  });
  return octets;
}

const FLAGS = SocketType.nonBlocking | SocketType.closeOnExec;

function configured(libc: Libc, fd: number, family: AddressFamily, bufferBytes: number): number {
  if (family === AddressFamily.inet) {
    setOption(libc, fd, Protocol.ip, IpOption.packetInfo, 1);
    setOption(libc, fd, Protocol.ip, IpOption.receiveErrors, 1);
    setOption(libc, fd, Protocol.ip, IpOption.mtuDiscover, PATH_MTU_DISCOVERY_WANT);
  } else {
    setOption(libc, fd, Protocol.ipv6, Ipv6Option.receivePacketInfo, 1);
    setOption(libc, fd, Protocol.ipv6, Ipv6Option.receiveErrors, 1);
    setOption(libc, fd, Protocol.ipv6, Ipv6Option.mtuDiscover, PATH_MTU_DISCOVERY_WANT);
  }
  // The "force" options go beyond net.core.rmem_max, and need CAP_NET_ADMIN.
  for (
    const [force, plain] of [
      [SocketOption.sendBufferForce, SocketOption.sendBuffer],
      [SocketOption.receiveBufferForce, SocketOption.receiveBuffer],
    ] as const
  ) {
    if (setOption(libc, fd, SocketOption.level, force, bufferBytes)) continue;
    setOption(libc, fd, SocketOption.level, plain, bufferBytes);
  }
  return fd;
}

/**
 * Says how IP treats the length of the packets that a socket sends from now on. There is no ancillary data for it, so it is
 * set before such a packet and set back behind it; probes and packets that outgrew their path are rare.
 *
 * @param fragmentation as in `PacketTransmit`
 */
export function setFragmentation(
  libc: Libc,
  { fd, family }: { readonly fd: number; readonly family: AddressFamily },
  fragmentation: PacketTransmit["fragmentation"],
): void {
  const discovery = fragmentation === "never"
    ? PATH_MTU_DISCOVERY_PROBE
    : fragmentation === "always"
    ? PATH_MTU_DISCOVERY_DONT
    : PATH_MTU_DISCOVERY_WANT;
  if (family === AddressFamily.inet) {
    setOption(libc, fd, Protocol.ip, IpOption.mtuDiscover, discovery);
    return;
  }
  setOption(libc, fd, Protocol.ipv6, Ipv6Option.mtuDiscover, discovery);
  setOption(libc, fd, Protocol.ipv6, Ipv6Option.mtu, fragmentation === "always" ? SMALLEST_IPV6_MTU : 0);
}

/** Sets an option of type `int`; what cannot be set leaves the kernel's default, which works too. */
function setOption(libc: Libc, fd: number, level: number, option: number, value: number): boolean {
  return libc.setsockopt(fd, level, option, new Int32Array([value]), 4) === 0;
}
