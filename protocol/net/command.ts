/** What a transport is asked to do. */
import type { IpAddress } from "./address.ts";
import type { AssociationId, Ppid } from "./basics.ts";

/** What a transport is asked to do. None of them fails at once: what goes wrong comes back as an event. */
export type TransportCommand =
  | ConnectCommand
  | SendCommand
  /** Sends what is queued, then SHUTDOWN (RFC 9260 §9.2). Ends with `down`. */
  | { readonly type: "shutdown"; readonly association: AssociationId }
  /** ABORT with cause "user-initiated abort" (RFC 9260 §9.1). Ends with `down`, origin "local". */
  | { readonly type: "abort"; readonly association: AssociationId; readonly reason?: string }
  | { readonly type: "setPrimary"; readonly association: AssociationId; readonly address: IpAddress }
  /** A HEARTBEAT at once, on one path or on all. Answered by `heartbeatAck` where the transport can see it. */
  | { readonly type: "heartbeat"; readonly association: AssociationId; readonly address?: IpAddress }
  /** Says that this many octets of received messages have been consumed; only with `manualReceive`. */
  | { readonly type: "consumed"; readonly association: AssociationId; readonly octets: number }
  | ResetStreamsCommand
  /** Lets all TSNs and SSNs start anew (RFC 6525 §5.1.4). Answered by `associationReset`. */
  | { readonly type: "resetAssociation"; readonly association: AssociationId }
  | AddStreamsCommand;

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

/** Sends one user message. The data is owned by the transport from now on: do not change it, unless it is `lent`. */
export interface SendCommand {
  /** Says which command it is. */
  readonly type: "send";
  /** Where to. */
  readonly association: AssociationId;
  /** The message, at least one octet. */
  readonly data: Uint8Array;
  /** The data is the caller's again when `execute` returns: the transport copies what it keeps. Default false. */
  readonly lent?: boolean;
  /** Octets of the message that go before `data`, such as a header; only where it is `lent`. */
  readonly head?: Uint8Array;
  /** What the message belongs to, for the peer. */
  readonly ppid: Ppid;
  /** Default 0. */
  readonly stream?: number;
  /** Default false. */
  readonly unordered?: boolean;
  /** Asks the peer for a SACK at once (I bit, RFC 7053). Default false. */
  readonly sackImmediately?: boolean;
  /** When to give the message up; absent = never, or what the option `default_prinfo` says. */
  readonly reliability?: PartialReliability;
  /** Sends it to this address of the peer in the first place (RFC 6458 §5.3.4, SCTP_ADDR_OVER). */
  readonly destination?: IpAddress;
  /** Comes back with `sendFailed`; 32 bits. */
  readonly context?: number;
  /** Shared key that authenticates it (RFC 4895; RFC 6458 §5.3.8); absent = the active one. */
  readonly authKeyId?: number;
}

/** A message in one piece: its data, or a copy with what goes before it. */
export function messageOctets({ head, data }: Pick<SendCommand, "head" | "data">): Uint8Array {
  if (head === undefined) return data;
  const octets = new Uint8Array(head.length + data.length);
  octets.set(head);
  octets.set(data, head.length);
  return octets;
}

/** The command for who keeps it: where the octets are only lent, it has a copy of its own. */
export function keptCommand(command: SendCommand): SendCommand {
  if (command.lent !== true) return command;
  const { head, lent: _, ...rest } = command;
  return { ...rest, data: head === undefined ? rest.data.slice() : messageOctets(command) };
}

/** When a message is given up (RFC 7496). Without the peer's support the message is reliable all the same. */
export type PartialReliability =
  /** When it is older than this (RFC 3758 §3.1): milliseconds. */
  | { readonly policy: "ttl"; readonly lifetimeMs: number }
  /** When a fragment of it was retransmitted so many times (RFC 7496 §3.1). 0 = never retransmitted. */
  | { readonly policy: "rtx"; readonly retransmissions: number }
  /** When the send buffer is full and a message of a smaller number wants in (RFC 7496 §3.2). */
  | { readonly policy: "prio"; readonly priority: number };

/** Lets streams start again at SSN 0 (RFC 6525). Answered by `streamsReset`. */
export interface ResetStreamsCommand {
  /** Says which command it is. */
  readonly type: "resetStreams";
  /** Whose streams. */
  readonly association: AssociationId;
  /** Seen from this side; "incoming" asks the peer to do it. */
  readonly direction: "incoming" | "outgoing" | "both";
  /** The streams; empty = all. */
  readonly streams: readonly number[];
}

/** Asks for more streams (RFC 6525 §5.1.5, §5.1.6). Answered by `streamsAdded`. */
export interface AddStreamsCommand {
  /** Says which command it is. */
  readonly type: "addStreams";
  /** Whose streams. */
  readonly association: AssociationId;
  /** How many more to send on; 0 = none. */
  readonly outbound: number;
  /** How many more the peer may send on; 0 = none. */
  readonly inbound: number;
}
