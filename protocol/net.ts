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
  | { readonly type: "peerShutdown"; readonly association: AssociationId }
  /** More than the endpoint's send buffer is queued: stop sending until `writable`. */
  | { readonly type: "blocked"; readonly association: AssociationId }
  /** The queue has drained below half of the send buffer. Only after `blocked`. */
  | { readonly type: "writable"; readonly association: AssociationId }
  /** The peer restarted the association (RFC 9260 §5.2.4.1): queued data is gone, the ID stays. */
  | { readonly type: "restarted"; readonly association: AssociationId };

/** An association is established. Comes before every other event of that association. */
export interface AssociationUp {
  readonly type: "up";
  readonly association: AssociationId;
  /** The `request` of the `connect` that asked for it; undefined for a peer's association. */
  readonly request: number | undefined;
  readonly peerAddresses: readonly IpAddress[];
  readonly peerPort: number;
  readonly outboundStreams: number;
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
export interface AssociationDown {
  readonly type: "down";
  readonly association: AssociationId;
  readonly request: number | undefined;
  readonly reason: DownReason;
  readonly origin: "local" | "peer";
  /** The first error cause of the ABORT (RFC 9260 §3.3.10), if there was one. */
  readonly cause: ErrorCause | undefined;
}

/** An SCTP error cause (RFC 9260 §3.3.10). */
export interface ErrorCause {
  readonly code: number;
  readonly info: Uint8Array;
}

/** One whole user message. */
export interface MessageReceived {
  readonly type: "message";
  readonly association: AssociationId;
  readonly stream: number;
  /** Stream sequence number; 0 for unordered messages. */
  readonly ssn: number;
  /** TSN of the message's first fragment. */
  readonly tsn: number;
  readonly ppid: Ppid;
  readonly unordered: boolean;
  /** Owned by the receiver of this event. */
  readonly data: Uint8Array;
}

/** State of a path, as RFC 6458 §6.1.2 and §8.2.2 name it. */
export type PathState = "active" | "inactive" | "unconfirmed";

/** A peer address changed its state. */
export interface PathChanged {
  readonly type: "path";
  readonly association: AssociationId;
  readonly address: IpAddress;
  readonly change: "confirmed" | "available" | "unreachable" | "made-primary" | "added" | "removed";
}

/** A message that was accepted but not acknowledged before its association ended. */
export interface SendFailed {
  readonly type: "sendFailed";
  readonly association: AssociationId;
  readonly stream: number;
  readonly ppid: Ppid;
  readonly data: Uint8Array;
  /** Whether some of it was transmitted: the peer may have got it. */
  readonly sent: boolean;
}

/** The peer sent an ERROR chunk. */
export interface RemoteError {
  readonly type: "remoteError";
  readonly association: AssociationId;
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
  readonly type: "connect";
  /** Chosen by the caller, unique among its pending connects. */
  readonly request: number;
  /** At least one address of the peer, in order of preference. */
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** UDP encapsulation port of the peer (RFC 6951); 0 = plain IP; absent = the transport finds out. */
  readonly encapsulationPort?: number;
}

/** Sends one user message. The data is copied or owned by the transport from now on: do not change it. */
export interface SendCommand {
  readonly type: "send";
  readonly association: AssociationId;
  readonly data: Uint8Array;
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
  /** 0 = an ephemeral port. */
  readonly port?: number;
  /** Local addresses; empty or absent = all of this host. */
  readonly addresses?: readonly IpAddress[];
  /** Whether peers may set up associations. Default false. */
  readonly listen?: boolean;
  /** Default 10, as kernel SCTP. */
  readonly outboundStreams?: number;
  /** Default 65535. */
  readonly maxInboundStreams?: number;
  /** Retransmission time-out in milliseconds; defaults 1000 (initial), 1000, 60000. */
  readonly rto?: { readonly initialMs: number; readonly minMs: number; readonly maxMs: number };
  /** Default 8. */
  readonly maxInitRetransmissions?: number;
  /** Error limit of an association. Default 10. */
  readonly associationMaxRetransmissions?: number;
  /** Error limit of a path. Default 5. */
  readonly pathMaxRetransmissions?: number;
  /** Default 30000; 0 = no heartbeats. */
  readonly heartbeatIntervalMs?: number;
  /** Default 200. */
  readonly sackDelayMs?: number;
  /** A SACK at least every so many packets. Default 2. */
  readonly sackFrequency?: number;
  /** Default 60000. */
  readonly cookieLifeMs?: number;
  /** Octets queued for sending per association before `blocked`. Default 1 MiB. */
  readonly sendBuffer?: number;
  /** Octets of receive buffer per association: the advertised window. Default 1 MiB. */
  readonly receiveBuffer?: number;
  /** Longest user message accepted in either direction. Default 16 MiB. */
  readonly maxMessage?: number;
  /** Ends an association that was idle for so long, by SHUTDOWN. 0 = never (default). */
  readonly autoCloseMs?: number;
  /**
   * The reader says with `consumed` when it has taken messages; until then they occupy the receive window. Default
   * false: a delivered message counts as consumed.
   */
  readonly manualReceive?: boolean;
}

/** What is known of a path to a peer. */
export interface PathStatus {
  readonly address: IpAddress;
  /** Source address in use, as far as known. */
  readonly localAddress: IpAddress | undefined;
  /** UDP port of the peer on this path; 0 = plain SCTP over IP. */
  readonly encapsulationPort: number;
  readonly state: PathState;
  readonly primary: boolean;
  /** Congestion window in octets. */
  readonly cwnd: number;
  /** Smoothed round-trip time in milliseconds; 0 = none measured yet. */
  readonly srttMs: number;
  readonly rtoMs: number;
  /** Path MTU in octets, IP header included. */
  readonly mtu: number;
}

/** What is known of an association. */
export interface AssociationStatus {
  readonly state:
    | "cookie-wait"
    | "cookie-echoed"
    | "established"
    | "shutdown-pending"
    | "shutdown-sent"
    | "shutdown-received"
    | "shutdown-ack-sent";
  readonly peerPort: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  /** The peer's advertised window less what is in flight, in octets. */
  readonly peerReceiveWindow: number;
  /** Octets accepted from the user and not yet acknowledged. */
  readonly queuedOctets: number;
  readonly paths: readonly PathStatus[];
}

/** One SCTP endpoint: a port, some addresses, many associations (RFC 6458's one-to-many style). */
export interface Endpoint {
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
  readonly kind: "kernel" | "embedded" | "simulated";
  /** For the first log line: what carries SCTP and why this one. */
  readonly description: string;
  /** @throws an error with `code` EADDRINUSE, EADDRNOTAVAIL or EACCES and a message for people */
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

/** What a machine asks of its driver's network. `endpoint` and `channel` are names the machine's driver gave. */
export type NetworkEffect =
  | { readonly type: "transport"; readonly endpoint: string; readonly command: TransportCommand }
  | { readonly type: "datagram"; readonly channel: string; readonly data: Uint8Array };

// ------------------------------------------------------------------------------ packets below the embedded stack

/** Where a received SCTP packet came from. */
export interface PacketMeta {
  readonly source: IpAddress;
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
  if (octets.length === 4) return octets.join(".");
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

function ipv4Octets(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function ipv6Octets(text: string): Uint8Array | undefined {
  let rest = text;
  const tail: number[] = [];
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".")) {
    const embedded = ipv4Octets(text.slice(lastColon + 1));
    if (embedded === undefined) return undefined;
    tail.push(embedded[0]! << 8 | embedded[1]!, embedded[2]! << 8 | embedded[3]!);
    rest = text.slice(0, lastColon + 1) + "0:0"; // keeps the shape; the zeros are replaced below
  }
  const halves = rest.split("::");
  if (halves.length > 2) return undefined;
  const parse = (half: string) => half === "" ? [] : half.split(":");
  const before = parse(halves[0]!), after = parse(halves[1] ?? "");
  if (![...before, ...after].every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const missing = 8 - before.length - after.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after].map((group) =>
    Number.parseInt(group, 16)
  );
  if (tail.length > 0) groups.splice(6, 2, ...tail);
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}
