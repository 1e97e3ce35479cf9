/**
 * Opens a socket of kernel SCTP, binds it and makes it behave as `EndpointOptions` say.
 *
 * @module
 */
import {
  type EndpointOptions,
  type IpAddress,
  rtoTimes,
  SocketOptionError,
  type SocketOptionName,
  type SocketOptionValue,
} from "../protocol/net.ts";
import { SendRoom } from "../protocol/net/send_room.ts";
import { Errno, errno, SctpError } from "./errno.ts";
import { ENOSYS, NotificationType, SctpOption, SO_REUSEPORT } from "./kernel_abi.ts";
import { readOption, writeOption } from "./kernel_option_access.ts";
import { KernelSocket } from "./kernel_socket.ts";
import type { Libc, LibcLease } from "./libc.ts";
import type { SctpLibrary } from "./libsctp.ts";
import { AddressFamily, encodeSockaddr, readSockaddrPort } from "./sockaddr.ts";
import { Ipv6Option, Protocol, SocketOption, SocketType } from "./structs.ts";

/**
 * What holds where an endpoint's options say nothing: `EndpointOptions` tells of each. Times and limits of the protocol are
 * not among them: those are the system's (`net.sctp.*`), so that what is set for all programs of a host holds here, too.
 */
export const DEFAULTS = {
  outboundStreams: 10,
  maxInboundStreams: 65535,
  /**
   * Departs from the interface's 2: on loopback a whole send buffer fits into one packet, and a receiver that waits for
   * a second one stalls the sender for the delay.
   */
  sackFrequency: 1,
  sendBuffer: 1_048_576,
  receiveBuffer: 1_048_576,
  maxMessage: 16_777_216,
  lingerMs: 2000,
} as const;

/** What the transport itself needs; the rest only where somebody wants to hear of it. */
const SUBSCRIPTIONS: readonly (keyof typeof NotificationType)[] = [
  "associationChange",
  "peerAddressChange",
  "remoteError",
  "shutdown",
  "partialDelivery",
  "adaptation",
  "streamReset",
  "associationReset",
  "streamChange",
  "sendFailedEvent",
];
/** Kernels that do not have these work without them. */
const OPTIONAL: ReadonlySet<keyof typeof NotificationType> = new Set(
  [
    "adaptation",
    "streamReset",
    "associationReset",
    "streamChange",
  ] as const,
);

/** Queue of the kernel for associations; it does not bound one-to-many sockets, but 0 means "do not listen". */
const BACKLOG = 128;
/** struct sctp_event: id 0, type 4, on 6. */
const EVENT_BYTES = 8;

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
  /** It is that of an association which was peeled off, and has nothing to do when that is over. */
  readonly peeled?: boolean;
}

/**
 * Opens an endpoint's socket, sets its options, binds it and, where that is wanted, listens.
 *
 * @throws {SctpError} when the kernel has no SCTP, the port is in use, an address is not one of this host, …
 * @throws {SocketOptionError} when the kernel does not have what the options ask for
 */
export function openBoundSocket(resources: KernelResources, options: EndpointOptions): BoundSocket {
  const { socket, ipv6 } = openKernelSocket(resources.libc.symbols, options);
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
 * Opens a non-blocking socket: of IPv6, which carries IPv4 too, where the host has it and the addresses allow it.
 *
 * @throws {SctpError} when the kernel has no SCTP
 */
function openKernelSocket(libc: Libc, options: EndpointOptions): { socket: KernelSocket; ipv6: boolean } {
  const oneToOne = options.style === "one-to-one";
  const type = (oneToOne ? SocketType.stream : SocketType.seqPacket) | SocketType.nonBlocking |
    SocketType.closeOnExec;
  // A socket of IPv6 cannot be bound to the wildcard of IPv4.
  const families = options.addresses?.includes("0.0.0.0")
    ? [AddressFamily.inet]
    : [AddressFamily.inet6, AddressFamily.inet];
  let number = 0;
  for (const family of families) {
    const fd = libc.socket(family, type, Protocol.sctp);
    if (fd >= 0) {
      return { socket: new KernelSocket(libc, fd, oneToOne), ipv6: family === AddressFamily.inet6 };
    }
    number = errno();
    if (number !== Errno.EAFNOSUPPORT) break;
  }
  throw new SctpError("socket", number, "Cannot open a socket of kernel SCTP");
}

/**
 * Opens one more socket of a one-to-one endpoint, for an association that it starts.
 *
 * @param siblings all sockets of the endpoint, which have the port already
 * @throws {SctpError} or {SocketOptionError}
 */
export function openSibling(
  resources: KernelResources,
  options: EndpointOptions,
  port: number,
  siblings: readonly KernelSocket[],
): KernelSocket {
  const { socket, ipv6 } = openKernelSocket(resources.libc.symbols, options);
  try {
    configureSocket(socket, options, ipv6);
    sharePort([...siblings, socket], () => bindSocket(resources, socket, { ...options, port }, ipv6));
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Does something while sockets may have the same addresses and port; before and after, the port is theirs alone. */
export function sharePort<Result>(sockets: readonly KernelSocket[], action: () => Result): Result {
  for (const socket of sockets) socket.set(SocketOption.level, SO_REUSEPORT, 1);
  try {
    return action();
  } finally {
    for (const socket of sockets) socket.set(SocketOption.level, SO_REUSEPORT, 0);
  }
}

/** Subscribes to a notification, or ends that: of a socket and its associations to come, or of an association. */
export function subscribe(
  socket: KernelSocket,
  name: keyof typeof NotificationType,
  on: boolean,
  kernelId: number = 0,
): number {
  const event = new DataView(new ArrayBuffer(EVENT_BYTES));
  event.setInt32(0, kernelId, true);
  event.setUint16(4, NotificationType[name], true);
  event.setUint8(6, on ? 1 : 0);
  return socket.set(Protocol.sctp, SctpOption.event, event);
}

/**
 * Sets all options of an endpoint's socket; associations inherit them.
 *
 * @throws {SctpError} or {SocketOptionError} when the kernel refuses one that matters
 */
function configureSocket(socket: KernelSocket, options: EndpointOptions, ipv6: boolean): void {
  if (ipv6) {
    socket.set(Protocol.ipv6, Ipv6Option.v6Only, 0);
    writeOption(socket, "i_want_mapped_v4_addr", { value: false });
  }
  const wanted = [...SUBSCRIPTIONS];
  if (options.senderDryEvents ?? false) wanted.push("senderDry");
  if (options.authentication ?? false) wanted.push("authentication");
  for (const name of wanted) {
    const number = subscribe(socket, name, true);
    if (number === 0 || OPTIONAL.has(name)) continue;
    throw new SctpError("setsockopt", number, `Cannot subscribe to the kernel's notification ${name}`);
  }
  socket.require(Protocol.sctp, SctpOption.receiveInfo, 1, "learn which association a message belongs to");
  for (const [name, value] of optionalSettings(options)) tryOption(socket, name, value);
  for (const [name, value] of requiredSettings(options)) writeOption(socket, name, value);
  if (options.rto !== undefined) setRto(socket, options.rto);
  socket.setSendBuffer(options.sendBuffer ?? DEFAULTS.sendBuffer);
  socket.setReceiveBuffer(options.receiveBuffer ?? DEFAULTS.receiveBuffer);
}

/**
 * How much may wait at the kernel for an association that has a socket to itself; undefined = as much as the send buffer has
 * room for. Where associations share a socket they share its buffer, too, and one of them cannot say how much of it drains.
 */
export function sendRoomOf({ sendBufferMs, sendBuffer }: EndpointOptions): SendRoom | undefined {
  return sendBufferMs === undefined
    ? undefined
    : new SendRoom(sendBufferMs, sendBuffer ?? DEFAULTS.sendBuffer);
}

/** What is not said is the system's. */
function setRto(socket: KernelSocket, said: EndpointOptions["rto"]): void {
  const { initial, min, max } = readOption(socket, "rtoinfo");
  const unsaid = { initialMs: Number(initial), minMs: Number(min), maxMs: Number(max) };
  const { initialMs, minMs, maxMs } = rtoTimes(said, unsaid);
  writeOption(socket, "rtoinfo", { initial: kept(initialMs), min: kept(minMs), max: kept(maxMs) });
}

type Setting = readonly [name: SocketOptionName, value: SocketOptionValue];

/** What makes things better, and is not in every kernel. */
function optionalSettings(options: EndpointOptions): Setting[] {
  const settings: Setting[] = [
    // Only where an association could not be peeled off: a long message shall not hold up those of other associations.
    ["fragment_interleave", { value: 1 }],
    ["nodelay", { value: true }],
  ];
  if (options.partialReliability === undefined) settings.push(["pr_supported", { value: true }]);
  if (options.reconfiguration === undefined) settings.push(...RECONFIGURATION);
  if (options.interleaving === false) settings.push(["interleaving_supported", { value: false }]);
  return settings;
}

const RECONFIGURATION: readonly Setting[] = [
  ["reconfig_supported", { value: true }],
  ["enable_stream_reset", { streams: true, association: true, change: true }],
];

/** What was asked for. */
function requiredSettings(options: EndpointOptions): Setting[] {
  const { associationMaxRetransmissions, cookieLifeMs, maxInitRetransmissions, sackDelayMs } = options;
  const settings: Setting[] = [
    ["initmsg", {
      num_ostreams: options.outboundStreams ?? DEFAULTS.outboundStreams,
      max_instreams: options.maxInboundStreams ?? DEFAULTS.maxInboundStreams,
      max_attempts: kept(maxInitRetransmissions),
    }],
    ["delayed_sack", {
      delay: kept(sackDelayMs),
      freq: kept(options.sackFrequency ?? DEFAULTS.sackFrequency),
    }],
  ];
  const association = { asocmaxrxt: kept(associationMaxRetransmissions), cookie_life: kept(cookieLifeMs) };
  if (isSaid(association)) settings.push(["associnfo", association]);
  const path = pathParameters(options);
  if (isSaid(path)) settings.push(["peer_addr_params", path]);
  const { maxBurst, potentiallyFailedMaxRetransmissions, plpmtudProbeIntervalMs, adaptation } = options;
  const autoCloseSeconds = Math.ceil((options.autoCloseMs ?? 0) / 1000);
  if (autoCloseSeconds > 0) settings.push(["autoclose", { value: autoCloseSeconds }]);
  if (maxBurst !== undefined) settings.push(["max_burst", { value: maxBurst }]);
  if (potentiallyFailedMaxRetransmissions !== undefined) {
    settings.push(["peer_addr_thlds", { pathpfthld: potentiallyFailedMaxRetransmissions }]);
  }
  if (options.exposePotentiallyFailed !== undefined) {
    settings.push(["expose_potentially_failed_state", { value: options.exposePotentiallyFailed }]);
  }
  if (plpmtudProbeIntervalMs !== undefined) {
    settings.push(["plpmtud_probe_interval", { interval: plpmtudProbeIntervalMs }]);
  }
  if (adaptation !== undefined) settings.push(["adaptation_layer", { value: adaptation }]);
  return [...settings, ...extensionSettings(options)];
}

/** Authentication before what builds on it. What is not said is left to the system's settings (net.sctp.*). */
function extensionSettings(options: EndpointOptions): Setting[] {
  const { partialReliability, reconfiguration, interleaving, authentication, dynamicAddresses } = options;
  const settings: Setting[] = [];
  if (partialReliability !== undefined) settings.push(["pr_supported", { value: partialReliability }]);
  if (reconfiguration === true) settings.push(...RECONFIGURATION);
  if (reconfiguration === false) settings.push(["reconfig_supported", { value: false }]);
  // Where the system does not allow it, it cannot even be switched off.
  if (interleaving === true) settings.push(["interleaving_supported", { value: true }]);
  if (authentication !== undefined) settings.push(["auth_supported", { value: authentication }]);
  if (dynamicAddresses !== undefined) settings.push(["asconf_supported", { value: dynamicAddresses }]);
  return settings;
}

function pathParameters(options: EndpointOptions): SocketOptionValue {
  const { heartbeatIntervalMs: hbinterval, pathMaxRetransmissions: pathmaxrxt } = options;
  return {
    ...(hbinterval === undefined ? {} : { heartbeat: hbinterval !== 0, hbinterval: kept(hbinterval) }),
    ...(pathmaxrxt === undefined ? {} : { pathmaxrxt }),
  };
}

/** A value where 0 cannot be set: it leaves the kernel's own, as one that nobody has given does. */
function kept(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function isSaid(value: SocketOptionValue): boolean {
  return Object.values(value).some((field) => field !== undefined);
}

function tryOption(socket: KernelSocket, name: SocketOptionName, value: SocketOptionValue): void {
  try {
    writeOption(socket, name, value);
  } catch (error) {
    if (!(error instanceof SocketOptionError)) throw error;
  }
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
