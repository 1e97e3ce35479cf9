/**
 * Opens a socket of kernel SCTP, binds it and makes it behave as `EndpointOptions` say.
 *
 * @module
 */
import type { EndpointOptions, IpAddress } from "../protocol/net.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import { ENOSYS, NotificationType, PathFlag, SctpOption } from "./kernel_abi.ts";
import { KernelSocket } from "./kernel_socket.ts";
import type { Libc, LibcLease } from "./libc.ts";
import type { SctpLibrary } from "./libsctp.ts";
import { AddressFamily, encodeSockaddr, readSockaddrPort } from "./sockaddr.ts";
import { Ipv6Option, Protocol, SocketType } from "./structs.ts";

/** What holds where an endpoint's options say nothing: `EndpointOptions` tells of each. */
export const DEFAULTS = {
  outboundStreams: 10,
  maxInboundStreams: 65535,
  rto: { initialMs: 1000, minMs: 1000, maxMs: 60000 },
  maxInitRetransmissions: 8,
  associationMaxRetransmissions: 10,
  pathMaxRetransmissions: 5,
  heartbeatIntervalMs: 30000,
  sackDelayMs: 200,
  /**
   * Departs from the interface's 2: on loopback a whole send buffer fits into one packet, and a receiver that waits for
   * a second one stalls the sender for the delay.
   */
  sackFrequency: 1,
  cookieLifeMs: 60000,
  sendBuffer: 1_048_576,
  receiveBuffer: 1_048_576,
  maxMessage: 16_777_216,
  lingerMs: 2000,
} as const;

/** Only these are asked for: SENDER_DRY, for one, would come with every message. */
const SUBSCRIPTIONS: readonly (keyof typeof NotificationType)[] = [
  "associationChange",
  "peerAddressChange",
  "remoteError",
  "shutdown",
  "partialDelivery",
  "sendFailedEvent",
];

/** Queue of the kernel for associations; it does not bound one-to-many sockets, but 0 means "do not listen". */
const BACKLOG = 128;
/** struct sctp_event: id 0, type 4, on 6. */
const EVENT_BYTES = 8;
/** struct sctp_paddrparams, packed: interval 132, pathmaxrxt 136, flags 146. */
const PEER_ADDRESS_PARAMETERS_BYTES = 156;

/** What an endpoint is made of; closed by its transport. */
export interface KernelResources {
  readonly libc: LibcLease;
  readonly library: SctpLibrary;
  /** Whether associations get descriptors of their own. */
  readonly peelOff: boolean;
}

/** A socket that has its port. */
export interface BoundSocket {
  readonly socket: KernelSocket;
  /** Whether it is one of IPv6, which carries IPv4 too. */
  readonly ipv6: boolean;
  readonly port: number;
  readonly addresses: readonly IpAddress[];
}

/**
 * Opens an endpoint's socket, sets its options, binds it and, where that is wanted, listens.
 *
 * @throws {SctpError} when the kernel has no SCTP, the port is in use, an address is not one of this host, …
 */
export function openBoundSocket(resources: KernelResources, options: EndpointOptions): BoundSocket {
  const { socket, ipv6 } = openKernelSocket(resources.libc.symbols, options.addresses ?? []);
  try {
    configureSocket(socket, options, ipv6);
    const { port, addresses } = bindSocket(resources, socket, options, ipv6);
    if (options.listen ?? false) listen(socket, port);
    return { socket, ipv6, port, addresses };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * Opens a non-blocking one-to-many socket: of IPv6, which carries IPv4 too, where the host has it and the addresses
 * allow it.
 *
 * @param addresses what it will be bound to
 * @throws {SctpError} when the kernel has no SCTP
 */
function openKernelSocket(
  libc: Libc,
  addresses: readonly IpAddress[],
): { socket: KernelSocket; ipv6: boolean } {
  const type = SocketType.seqPacket | SocketType.nonBlocking | SocketType.closeOnExec;
  // A socket of IPv6 cannot be bound to the wildcard of IPv4.
  const families = addresses.includes("0.0.0.0")
    ? [AddressFamily.inet]
    : [AddressFamily.inet6, AddressFamily.inet];
  let number = 0;
  for (const family of families) {
    const fd = libc.socket(family, type, Protocol.sctp);
    if (fd >= 0) return { socket: new KernelSocket(libc, fd), ipv6: family === AddressFamily.inet6 };
    number = errno();
    if (number !== Errno.EAFNOSUPPORT) break;
  }
  throw new SctpError("socket", number, "Cannot open a socket of kernel SCTP");
}

/**
 * Sets all options of an endpoint's socket; associations inherit them.
 *
 * @throws {SctpError} when the kernel refuses one that matters
 */
function configureSocket(socket: KernelSocket, options: EndpointOptions, ipv6: boolean): void {
  const { sctp, ipv6: ipv6Level } = Protocol;
  if (ipv6) {
    socket.set(ipv6Level, Ipv6Option.v6Only, 0);
    socket.require(sctp, SctpOption.wantMappedV4, 0, "have IPv4 addresses told as they are");
  }
  for (const name of SUBSCRIPTIONS) {
    const event = new DataView(new ArrayBuffer(EVENT_BYTES));
    event.setUint16(4, NotificationType[name], true);
    event.setUint8(6, 1);
    socket.require(sctp, SctpOption.event, event, `subscribe to the kernel's notification ${name}`);
  }
  socket.require(sctp, SctpOption.receiveInfo, 1, "learn which association a message belongs to");
  // Only where an association could not be peeled off: a long message shall not hold up those of other associations.
  socket.set(sctp, SctpOption.fragmentInterleave, 1);
  socket.set(sctp, SctpOption.noDelay, 1);
  socket.require(sctp, SctpOption.initMessage, initMessage(options), "set the numbers of streams");
  socket.require(sctp, SctpOption.rtoInfo, rtoInfo(options), "set the retransmission time-out");
  socket.require(sctp, SctpOption.associationInfo, associationInfo(options), "set the error limit");
  socket.require(sctp, SctpOption.peerAddressParameters, pathParameters(options), "set the path parameters");
  socket.require(sctp, SctpOption.delayedSack, delayedSack(options), "set the delay of SACKs");
  const autoCloseSeconds = Math.ceil((options.autoCloseMs ?? 0) / 1000);
  if (autoCloseSeconds > 0) socket.require(sctp, SctpOption.autoClose, autoCloseSeconds, "set the idle time");
  socket.setSendBuffer(options.sendBuffer ?? DEFAULTS.sendBuffer);
  socket.setReceiveBuffer(options.receiveBuffer ?? DEFAULTS.receiveBuffer);
}

/** struct sctp_initmsg */
function initMessage(options: EndpointOptions): DataView {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, options.outboundStreams ?? DEFAULTS.outboundStreams, true);
  view.setUint16(2, options.maxInboundStreams ?? DEFAULTS.maxInboundStreams, true);
  view.setUint16(4, options.maxInitRetransmissions ?? DEFAULTS.maxInitRetransmissions, true);
  view.setUint16(6, 0, true); // keeps the time limit of an attempt
  return view;
}

/** struct sctp_rtoinfo: id, initial, max, min */
function rtoInfo(options: EndpointOptions): DataView {
  const { initialMs, minMs, maxMs } = options.rto ?? DEFAULTS.rto;
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(4, initialMs, true);
  view.setUint32(8, maxMs, true);
  view.setUint32(12, minMs, true);
  return view;
}

/** struct sctp_assocparams: the error limit at 4, the cookie's life at 16 */
function associationInfo(options: EndpointOptions): DataView {
  const view = new DataView(new ArrayBuffer(20));
  const limit = options.associationMaxRetransmissions ?? DEFAULTS.associationMaxRetransmissions;
  view.setUint16(4, limit, true);
  view.setUint32(16, options.cookieLifeMs ?? DEFAULTS.cookieLifeMs, true);
  return view;
}

function pathParameters(options: EndpointOptions): DataView {
  const interval = options.heartbeatIntervalMs ?? DEFAULTS.heartbeatIntervalMs;
  const view = new DataView(new ArrayBuffer(PEER_ADDRESS_PARAMETERS_BYTES));
  view.setUint16(4, AddressFamily.inet, true); // a zero address: all associations to come
  view.setUint32(132, interval, true);
  view.setUint16(136, options.pathMaxRetransmissions ?? DEFAULTS.pathMaxRetransmissions, true);
  view.setUint32(146, interval === 0 ? PathFlag.heartbeatDisable : PathFlag.heartbeatEnable, true);
  return view;
}

/** struct sctp_sack_info: id, delay, frequency */
function delayedSack(options: EndpointOptions): DataView {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(4, options.sackDelayMs ?? DEFAULTS.sackDelayMs, true);
  view.setUint32(8, options.sackFrequency ?? DEFAULTS.sackFrequency, true);
  return view;
}

function bindSocket(
  { libc, library }: KernelResources,
  socket: KernelSocket,
  options: EndpointOptions,
  ipv6: boolean,
): { port: number; addresses: IpAddress[] } {
  const wildcard = ipv6 ? "::" : "0.0.0.0";
  const [first = wildcard, ...rest] = options.addresses ?? [];
  const wanted = options.port ?? 0;
  const fail = (syscall: string, number: number) => {
    const place = options.addresses?.length
      ? `${options.addresses.join(", ")} port ${wanted}`
      : `port ${wanted}`;
    throw new SctpError(syscall, number, `Cannot open an SCTP endpoint at ${place}`);
  };
  const name = encodeSockaddr({ address: first, port: wanted });
  const bound = libc.symbols.bind(socket.fd, name, name.length);
  if (bound < 0) fail("bind", errno());
  const place = new DataView(new ArrayBuffer(128));
  if (libc.symbols.getsockname(socket.fd, place, new Uint32Array([128])) < 0) fail("getsockname", errno());
  const port = readSockaddrPort(place, 0);
  if (rest.length > 0) {
    const added = library.bindAdd(socket.fd, rest.map((address) => ({ address, port })));
    if (added < 0) fail("bindx", -added);
  }
  const listed = library.localAddresses(socket.fd, 0).map(({ address }) => address);
  return { port, addresses: listed };
}

function listen(socket: KernelSocket, port: number): void {
  const number = socket.listen(BACKLOG);
  if (number === 0) return;
  const hint = number === ENOSYS
    ? "; the kernel lacks the cookie's HMAC: load the modules md5 and hmac, or set net.sctp.cookie_hmac_alg=none"
    : "";
  throw new SctpError("listen", number, `Cannot listen on SCTP port ${port}${hint}`);
}
