/** What a transport tells of its associations. */
import type { IpAddress } from "./address.ts";
import type { AssociationId, ErrorCause, Ppid } from "./basics.ts";

/** What a transport tells of its associations. One stream of events per endpoint, in order. */
export type TransportEvent =
  | AssociationUp
  | AssociationDown
  | MessageReceived
  | PathChanged
  | SendFailed
  | RemoteError
  | HeartbeatAnswered
  | AdaptationIndicated
  | AuthenticationChanged
  | StreamsReset
  | AssociationReset
  | StreamsAdded
  /** The peer has begun to shut the association down: it takes no more messages. */
  | AssociationEvent<"peerShutdown">
  /** More than the endpoint's send buffer, or what goes within its `sendBufferMs`, is queued: stop sending until `writable`. */
  | AssociationEvent<"blocked">
  /** The queue has drained below half of that. Only after `blocked`. */
  | AssociationEvent<"writable">
  /** All that was sent has been acknowledged (RFC 6458 §6.1.9). Only with the endpoint's `senderDryEvents`. */
  | AssociationEvent<"senderDry">
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

/** One whole user message. */
export interface MessageReceived extends AssociationEvent<"message"> {
  /** The stream it came by, 0–65534. */
  readonly stream: number;
  /** Stream sequence number, or with interleaving (RFC 8260) the 32-bit message ID; 0 for unordered DATA. */
  readonly ssn: number;
  /** TSN of the message's first fragment. */
  readonly tsn: number;
  /** What the message belongs to, as its sender says. */
  readonly ppid: Ppid;
  /** Whether it may have overtaken other messages of its stream. */
  readonly unordered: boolean;
  /**
   * Owned by the receiver of this event, unless its endpoint has `borrowedMessages`; its `buffer` may hold other messages,
   * too.
   */
  readonly data: Uint8Array;
}

/** A peer address changed its state (RFC 6458 §6.1.2). */
export interface PathChanged extends AssociationEvent<"path"> {
  /** The peer address. */
  readonly address: IpAddress;
  /** What became of it. "potentially-failed" (RFC 7829 §7.1) only with the endpoint's `exposePotentiallyFailed`. */
  readonly change:
    | "confirmed"
    | "available"
    | "unreachable"
    | "potentially-failed"
    | "made-primary"
    | "added"
    | "removed";
}

/** Why a message will not be delivered. */
export type SendFailure =
  /** The association ended before it was acknowledged. */
  | "association-ended"
  /** Its lifetime, its retransmissions or its priority were used up (RFC 7496). */
  | "abandoned"
  /** It is empty or too long, its stream or shared key cannot be used, or the association is about to end. */
  | "refused";

/** A message that was not acknowledged before its association ended, was abandoned, or cannot be sent at all. */
export interface SendFailed extends AssociationEvent<"sendFailed"> {
  /** The stream it was to go by. */
  readonly stream: number;
  /** As given with `send`. */
  readonly ppid: Ppid;
  /** The whole message. */
  readonly data: Uint8Array;
  /** Whether some of it was transmitted: the peer may have got it. */
  readonly sent: boolean;
  /** Why; absent = the association ended. */
  readonly failure?: SendFailure;
  /** As given with `send`; absent = 0. */
  readonly context?: number;
}

/** The peer sent an ERROR chunk. */
export interface RemoteError extends AssociationEvent<"remoteError"> {
  /** What the peer complains of. */
  readonly cause: ErrorCause;
}

/** The answer to a HEARTBEAT that a `heartbeat` command asked for. Transports that cannot see it do not tell it. */
export interface HeartbeatAnswered extends AssociationEvent<"heartbeatAck"> {
  /** The peer address that answered. */
  readonly address: IpAddress;
  /** From the HEARTBEAT to its acknowledgement, in milliseconds. */
  readonly roundTripMs: number;
}

/** The peer's adaptation layer indication (RFC 5061 §4.2.6, RFC 6458 §6.1.6); comes behind `up`. */
export interface AdaptationIndicated extends AssociationEvent<"adaptation"> {
  /** 32 bits; what they mean is the application's affair. */
  readonly indication: number;
}

/** Something about authentication (RFC 4895; RFC 6458 §6.1.8). */
export interface AuthenticationChanged extends AssociationEvent<"authentication"> {
  /** The peer uses a new key, a deactivated key is no longer used, or the peer does not authenticate at all. */
  readonly indication: "new-key" | "free-key" | "no-authentication";
  /** Shared key identifier, 16 bits; 0 with "no-authentication". */
  readonly keyId: number;
}

/** What became of a request to change streams (RFC 6525). */
export type ReconfigurationOutcome = "performed" | "denied" | "failed";

/** Streams start again at SSN 0 (RFC 6525; RFC 6458 §6.1.11). */
export interface StreamsReset extends AssociationEvent<"streamsReset"> {
  /** Seen from this side. */
  readonly direction: "incoming" | "outgoing";
  /** The streams; empty = all. */
  readonly streams: readonly number[];
  /** "denied" and "failed" answer a request of this side, and nothing has changed. */
  readonly outcome: ReconfigurationOutcome;
}

/** All TSNs and SSNs of the association start anew (RFC 6525; RFC 6458 §6.1.12). */
export interface AssociationReset extends AssociationEvent<"associationReset"> {
  /** The next TSN of this side. */
  readonly localTsn: number;
  /** The next TSN of the peer. */
  readonly peerTsn: number;
  /** "denied" and "failed" answer a request of this side, and nothing has changed. */
  readonly outcome: ReconfigurationOutcome;
}

/** There are more streams (RFC 6525; RFC 6458 §6.1.13). */
export interface StreamsAdded extends AssociationEvent<"streamsAdded"> {
  /** Streams that the peer may send on now. */
  readonly inboundStreams: number;
  /** Streams that this side may send on now. */
  readonly outboundStreams: number;
  /** "denied" and "failed" answer a request of this side, and nothing has changed. */
  readonly outcome: ReconfigurationOutcome;
}
