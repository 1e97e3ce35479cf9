/**
 * What the floors say to each other about the network: time, addresses, associations, and the one interface behind
 * which kernel SCTP, the embedded stack and the simulation stand.
 *
 * Plain types, and functions on them that need nothing else.
 */

/** A point on a monotonic clock, in milliseconds (fractions allowed). Only differences mean anything. */
export type Instant = number;

/**
 * An IPv4 or IPv6 address in canonical text (RFC 5952, no IPv4-mapped form), so that `===` compares addresses. A
 * link-local IPv6 address carries its zone as a number: `fe80::1%2`.
 */
export type IpAddress = string;

/** An address and a port of SCTP or UDP. */
export interface TransportAddress {
  /** Where the host is. */
  readonly address: IpAddress;
  /** 0–65535 */
  readonly port: number;
}

/** Names an association within one transport. Never 0, never reused while the process lives. */
export type AssociationId = number;

/** SCTP payload protocol identifier, as a number in host order. Every transport converts to network order itself. */
export type Ppid = number;

/** Payload protocol identifiers by their IANA names (reference/rsplib.md §3.1, §5). */
export const Ppid = {
  none: 0,
  asap: 11,
  enrp: 12,
  fractalGenerator: 32,
  pingPong: 33,
  calcApp: 34,
  scripting: 35,
} as const;

// ---------------------------------------------------------------------------------------------- transport interface

/** What a transport tells of its associations. One stream of events per endpoint, in order. */
export type TransportEvent =
  | AssociationUp
  | AssociationDown
  | MessageReceived
  | PathChanged
  | SendFailed
  | RemoteError
  /** The peer has begun to shut the association down: it takes no more messages. */
  | AssociationEvent<"peerShutdown">
  /** More than the endpoint's send buffer is queued: stop sending until `writable`. */
  | AssociationEvent<"blocked">
  /** The queue has drained below half of the send buffer. Only after `blocked`. */
  | AssociationEvent<"writable">
  /** The peer restarted the association (RFC 9260 §5.2.4.1): queued data is gone, the ID stays. */
  | AssociationEvent<"restarted">;

/** What every event of an association has. */
export interface AssociationEvent<Type extends string> {
  /** Says which event it is. */
  readonly type: Type;
  /** The association that it is about. */
  readonly association: AssociationId;
}

/** An association is established. Comes before every other event of that association. */
export interface AssociationUp extends AssociationEvent<"up"> {
  /** The `request` of the `connect` that asked for it; undefined for a peer's association. */
  readonly request: number | undefined;
  /** All addresses of the peer. */
  readonly peerAddresses: readonly IpAddress[];
  /** SCTP port of the peer. */
  readonly peerPort: number;
  /** Streams that this side may send on: 0 to this number - 1. */
  readonly outboundStreams: number;
  /** Streams that the peer may send on. */
  readonly inboundStreams: number;
}

/** Why an association ended or never came up. */
export type DownReason =
  /** Graceful: SHUTDOWN was completed. */
  | "shutdown"
  /** The peer sent an ABORT, or this side did. */
  | "aborted"
  /** The peer's port or protocol is unreachable, or the peer answered INIT with ABORT. */
  | "refused"
  /** The error limit was exceeded: the peer does not answer. */
  | "timeout";

/** The last event of an association; also the answer to a `connect` that failed. */
export interface AssociationDown extends AssociationEvent<"down"> {
  /** The `request` of the `connect` that asked for it; undefined for a peer's association. */
  readonly request: number | undefined;
  /** Why it ended. */
  readonly reason: DownReason;
  /** Which side ended it. */
  readonly origin: "local" | "peer";
  /** The first error cause of the ABORT (RFC 9260 §3.3.10), if there was one. */
  readonly cause: ErrorCause | undefined;
}

/** An SCTP error cause (RFC 9260 §3.3.10). */
export interface ErrorCause {
  /** Cause code, 16 bits. */
  readonly code: number;
  /** Cause-specific information; may be empty. */
  readonly info: Uint8Array;
}

/** One whole user message. */
export interface MessageReceived extends AssociationEvent<"message"> {
  /** The stream it came by, 0–65534. */
  readonly stream: number;
  /** Stream sequence number; 0 for unordered messages. */
  readonly ssn: number;
  /** TSN of the message's first fragment. */
  readonly tsn: number;
  /** What the message belongs to, as its sender says. */
  readonly ppid: Ppid;
  /** Whether it may have overtaken other messages of its stream. */
  readonly unordered: boolean;
  /** Owned by the receiver of this event. */
  readonly data: Uint8Array;
}

/** State of a path, as RFC 6458 §6.1.2 and §8.2.2 name it. */
export type PathState = "active" | "inactive" | "unconfirmed";

/** A peer address changed its state. */
export interface PathChanged extends AssociationEvent<"path"> {
  /** The peer address. */
  readonly address: IpAddress;
  /** What became of it. */
  readonly change: "confirmed" | "available" | "unreachable" | "made-primary" | "added" | "removed";
}

/**
 * A message that was not acknowledged before its association ended, or that cannot be sent at all: it is empty or too
 * long, there is no such stream, or the association is about to end.
 */
export interface SendFailed extends AssociationEvent<"sendFailed"> {
  /** The stream it was to go by. */
  readonly stream: number;
  /** As given with `send`. */
  readonly ppid: Ppid;
  /** The whole message. */
  readonly data: Uint8Array;
  /** Whether some of it was transmitted: the peer may have got it. */
  readonly sent: boolean;
}

/** The peer sent an ERROR chunk. */
export interface RemoteError extends AssociationEvent<"remoteError"> {
  /** What the peer complains of. */
  readonly cause: ErrorCause;
}

/** What a transport is asked to do. None of them fails at once: what goes wrong comes back as an event. */
export type TransportCommand =
  | ConnectCommand
  | SendCommand
  /** Sends what is queued, then SHUTDOWN (RFC 9260 §9.2). Ends with `down`. */
  | { readonly type: "shutdown"; readonly association: AssociationId }
  /** ABORT with cause "user-initiated abort" (RFC 9260 §9.1). Ends with `down`, origin "local". */
  | { readonly type: "abort"; readonly association: AssociationId; readonly reason?: string }
  | { readonly type: "setPrimary"; readonly association: AssociationId; readonly address: IpAddress }
  /** A HEARTBEAT at once, on one path or on all. */
  | { readonly type: "heartbeat"; readonly association: AssociationId; readonly address?: IpAddress }
  /** Says that this many octets of received messages have been consumed; only with `manualReceive`. */
  | { readonly type: "consumed"; readonly association: AssociationId; readonly octets: number };

/** Sets up an association. Answered by `up` or `down` with the same `request`. */
export interface ConnectCommand {
  /** Says which command it is. */
  readonly type: "connect";
  /** Chosen by the caller, unique among its pending connects. */
  readonly request: number;
  /** At least one address of the peer, in order of preference. */
  readonly addresses: readonly IpAddress[];
  /** SCTP port of the peer. */
  readonly port: number;
  /** UDP encapsulation port of the peer (RFC 6951); 0 = plain IP; absent = the transport finds out. */
  readonly encapsulationPort?: number;
}

/** Sends one user message. The data is copied or owned by the transport from now on: do not change it. */
export interface SendCommand {
  /** Says which command it is. */
  readonly type: "send";
  /** Where to. */
  readonly association: AssociationId;
  /** The message, at least one octet. */
  readonly data: Uint8Array;
  /** What the message belongs to, for the peer. */
  readonly ppid: Ppid;
  /** Default 0. */
  readonly stream?: number;
  /** Default false. */
  readonly unordered?: boolean;
  /** Asks the peer for a SACK at once (I bit, RFC 7053). Default false. */
  readonly sackImmediately?: boolean;
}

/** How an endpoint behaves. Everything has a default from RFC 9260 §16 unless said otherwise. */
export interface EndpointOptions {
  /** SCTP port, 0–65535; 0 or absent = an ephemeral one. */
  readonly port?: number;
  /** Local addresses; empty or absent = all of this host. */
  readonly addresses?: readonly IpAddress[];
  /** Whether peers may set up associations. Default false. */
  readonly listen?: boolean;
  /** Streams to send on, 1–65535; a peer may grant fewer. Default 10, as kernel SCTP. */
  readonly outboundStreams?: number;
  /** Streams that a peer may have at most, 1–65535. Default 65535. */
  readonly maxInboundStreams?: number;
  /** Retransmission time-out in milliseconds; defaults 1000 (initial), 1000, 60000. */
  readonly rto?: { readonly initialMs: number; readonly minMs: number; readonly maxMs: number };
  /** How often an INIT or COOKIE ECHO is sent again before a connect fails. Default 8. */
  readonly maxInitRetransmissions?: number;
  /** Errors in a row after which an association is given up. Default 10. */
  readonly associationMaxRetransmissions?: number;
  /** Errors in a row after which a path is inactive. Default 5. */
  readonly pathMaxRetransmissions?: number;
  /** Between heartbeats on an idle path, besides its RTO and jitter, in milliseconds. Default 30000; 0 = none. */
  readonly heartbeatIntervalMs?: number;
  /** How long a SACK may be held back, in milliseconds. Default 200. */
  readonly sackDelayMs?: number;
  /** A SACK at least every so many packets. Default 2. */
  readonly sackFrequency?: number;
  /** How long a state cookie is valid, in milliseconds. Default 60000. */
  readonly cookieLifeMs?: number;
  /** Octets queued for sending per association before `blocked`. Default 1 MiB. */
  readonly sendBuffer?: number;
  /** Octets of receive buffer per association: the advertised window. Default 1 MiB. */
  readonly receiveBuffer?: number;
  /** Longest user message accepted in either direction, in octets. Default 16 MiB. */
  readonly maxMessage?: number;
  /** Ends an association that was idle for so long, by SHUTDOWN; in milliseconds. 0 = never (default). */
  readonly autoCloseMs?: number;
  /**
   * The reader says with `consumed` when it has taken messages; until then they occupy the receive window. Default
   * false: a delivered message counts as consumed.
   */
  readonly manualReceive?: boolean;
}

/** What is known of a path to a peer. */
export interface PathStatus {
  /** The peer address that makes the path. */
  readonly address: IpAddress;
  /** Source address in use, as far as known. */
  readonly localAddress: IpAddress | undefined;
  /** UDP port of the peer on this path; 0 = plain SCTP over IP. */
  readonly encapsulationPort: number;
  /** Whether it can be used. */
  readonly state: PathState;
  /** Whether it is the path that data takes as long as it is active. */
  readonly primary: boolean;
  /** Congestion window in octets. */
  readonly cwnd: number;
  /** Smoothed round-trip time in milliseconds; 0 = none measured yet. */
  readonly srttMs: number;
  /** Retransmission time-out in milliseconds. */
  readonly rtoMs: number;
  /** Path MTU in octets, IP header included. */
  readonly mtu: number;
}

/** What is known of an association. */
export interface AssociationStatus {
  /** As RFC 9260 §4 names it. */
  readonly state:
    | "cookie-wait"
    | "cookie-echoed"
    | "established"
    | "shutdown-pending"
    | "shutdown-sent"
    | "shutdown-received"
    | "shutdown-ack-sent";
  /** SCTP port of the peer. */
  readonly peerPort: number;
  /** Streams that this side may send on. */
  readonly outboundStreams: number;
  /** Streams that the peer may send on. */
  readonly inboundStreams: number;
  /** The peer's advertised window less what is in flight, in octets. */
  readonly peerReceiveWindow: number;
  /** Octets accepted from the user and not yet acknowledged. */
  readonly queuedOctets: number;
  /** One for each address of the peer. */
  readonly paths: readonly PathStatus[];
}

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
  /** Closes every endpoint. */
  close(): Promise<void>;
}

// -------------------------------------------------------------------------------------- machines that use a network

/** Input of a machine from its driver: an event of an endpoint, or a datagram of a channel (announces, presences). */
export type NetworkInput =
  | { readonly type: "transport"; readonly endpoint: string; readonly event: TransportEvent }
  | {
    readonly type: "datagram";
    readonly channel: string;
    readonly source: TransportAddress;
    readonly data: Uint8Array;
  };

/** Input of a machine before its `start`: the driver has opened an endpoint for it. */
export interface EndpointOpened {
  /** Says which input it is. */
  readonly type: "endpointOpened";
  /** The name under which the machine knows the endpoint. */
  readonly endpoint: string;
  /** The port in use, never 0. */
  readonly port: number;
  /** Addresses the endpoint is reached at, loopback and link-local ones included. */
  readonly addresses: readonly IpAddress[];
}

/** What a machine asks of its driver's network. `endpoint` and `channel` are names the machine's driver gave. */
export type NetworkEffect =
  | { readonly type: "transport"; readonly endpoint: string; readonly command: TransportCommand }
  | { readonly type: "datagram"; readonly channel: string; readonly data: Uint8Array };

// ------------------------------------------------------------------------------ packets below the embedded stack

/** Where a received SCTP packet came from. */
export interface PacketMeta {
  /** The sender's address. */
  readonly source: IpAddress;
  /** The address of this host that it was sent to. */
  readonly destination: IpAddress;
  /** UDP source port it came in (RFC 6951); 0 = plain SCTP over IP. */
  readonly udpPort: number;
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

// ------------------------------------------------------------------------------------------------------- addresses

/** How far an address reaches; ordered by {@linkcode scopeRank}. */
export type AddressScope = "loopback" | "link-local" | "site-local" | "global";

/**
 * The scope of an address (RFC 4291, RFC 4193, RFC 1918, RFC 3927). Unique local and private addresses are
 * site-local.
 *
 * @param address canonical text
 */
export function addressScope(address: IpAddress): AddressScope {
  if (isIpv4(address)) {
    if (address.startsWith("127.")) return "loopback";
    if (address.startsWith("169.254.")) return "link-local";
    const [first, second] = address.split(".").map(Number);
    const privateNetwork = first === 10 || (first === 192 && second === 168) ||
      (first === 172 && second !== undefined && second >= 16 && second < 32);
    return privateNetwork ? "site-local" : "global";
  }
  if (address === "::1") return "loopback";
  const head = Number.parseInt(address.split(":")[0] || "0", 16);
  if ((head & 0xffc0) === 0xfe80) return "link-local";
  if ((head & 0xfe00) === 0xfc00 || (head & 0xffc0) === 0xfec0) return "site-local";
  return "global";
}

/** Whether this is an address of the loopback interface, which means something else on every host. */
export function isLoopback(address: IpAddress): boolean {
  return addressScope(address) === "loopback";
}

/** A number that grows with the scope's reach: loopback 0, link-local 1, site-local 2, global 3. */
export function scopeRank(scope: AddressScope): number {
  return ["loopback", "link-local", "site-local", "global"].indexOf(scope);
}

/** Whether the canonical text is an IPv4 address. */
export function isIpv4(address: IpAddress): boolean {
  return !address.includes(":");
}

/**
 * Reads an address as people write it.
 *
 * @param text `10.1.0.1`, `fd01::1`, `::ffff:10.1.0.1`, `fe80::1%2`
 * @returns canonical text, or undefined when it is not an address
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const octets = ipAddressOctets(text);
  if (octets === undefined) return undefined;
  const zone = text.includes("%") ? text.slice(text.indexOf("%")) : "";
  return formatIpAddress(octets) + zone;
}

/**
 * The octets of an address: 4 or 16.
 *
 * @param text an address, canonical or not; a zone is ignored
 * @returns undefined when the text is not an address
 */
export function ipAddressOctets(text: string): Uint8Array | undefined {
  const percent = text.indexOf("%");
  const bare = percent < 0 ? text : text.slice(0, percent);
  return bare.includes(":") ? ipv6Octets(bare) : ipv4Octets(bare);
}

/**
 * Canonical text of an address. IPv4-mapped IPv6 addresses become IPv4.
 *
 * @param octets 4 or 16 octets
 */
export function formatIpAddress(octets: Uint8Array): IpAddress {
  if (octets.length === 4) return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(octets[i]! << 8 | octets[i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return octets.subarray(12).join(".");
  }
  let bestStart = -1, bestLength = 1; // RFC 5952 §4.2.2: a single zero group is not shortened
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) [bestStart, bestLength] = [start, end - start];
    if (end > start) start = end;
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (bestStart < 0) return text(groups);
  return `${text(groups.slice(0, bestStart))}::${text(groups.slice(bestStart + bestLength))}`;
}

/** `10.1.0.1:3863` or `[fd01::1]:3863`. */
export function formatTransportAddress({ address, port }: TransportAddress): string {
  return isIpv4(address) ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Several transport addresses of one peer, for people: `10.1.0.1:3863, [fd01::1]:3863`. */
export function formatTransportAddresses(addresses: readonly TransportAddress[]): string {
  return addresses.map(formatTransportAddress).join(", ");
}

/** Pairs each address with the port. */
export function transportAddresses(addresses: readonly IpAddress[], port: number): TransportAddress[] {
  return addresses.map((address) => ({ address, port }));
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4);
  let index = 0, value = 0, digits = 0; // by hand: every message with an address comes along here
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) {
      value = 10 * value + code - 0x30;
      if (++digits > 3 || value > 255) return undefined;
    } else {
      if (code !== 0x2e || digits === 0 || index === 3) return undefined;
      octets[index++] = value;
      value = digits = 0;
    }
  }
  if (index !== 3 || digits === 0) return undefined;
  octets[3] = value;
  return octets;
}

/** One pass and one allocation: every address of a message comes along here. */
function ipv6Octets(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(16);
  let at = 0, gapAt = -1, value = 0, digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = hexDigit(code);
    if (digit >= 0) {
      value = value << 4 | digit;
      if (++digits > 4) return undefined;
    } else if (code === DOT) { // the group under way is the first number of an embedded IPv4 address, which ends the text
      const embedded = ipv4Octets(text.slice(i - digits));
      if (embedded === undefined || at > 12) return undefined;
      octets.set(embedded, at);
      at += 4;
      digits = 0;
      break;
    } else if (code !== COLON) {
      return undefined;
    } else if (digits > 0) {
      if (at > 14 || i + 1 === text.length) return undefined;
      octets[at++] = value >> 8;
      octets[at++] = value;
      value = digits = 0;
    } else if (i === 0) {
      if (text.charCodeAt(1) !== COLON) return undefined; // else the second colon makes the gap
    } else {
      if (gapAt >= 0) return undefined;
      gapAt = at;
    }
  }
  if (digits > 0) {
    if (at > 14) return undefined;
    octets[at++] = value >> 8;
    octets[at++] = value;
  }
  if (gapAt < 0) return at === 16 ? octets : undefined;
  if (at > 14) return undefined; // a gap stands for at least one group (RFC 4291 §2.2)
  const resumesAt = 16 - (at - gapAt);
  octets.copyWithin(resumesAt, gapAt, at);
  return octets.fill(0, gapAt, resumesAt);
}

const DOT = 0x2e, COLON = 0x3a;

/** The value of a hexadecimal digit; -1 = it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
