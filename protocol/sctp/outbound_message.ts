import type { Instant, IpAddress, Ppid } from "../net.ts";

/** When a message is given up (RFC 7496 §3); only where the peer takes part in it. */
export interface MessageLimit {
  readonly policy: "ttl" | "rtx" | "prio";
  /** Not sent any more from this instant on; NEVER with the other policies. */
  readonly expiresAt: Instant;
  /** How often one of its chunks may be sent again; Infinity with the other policies. */
  readonly retransmissions: number;
  /** The larger, the sooner it makes room for others; -1 with the other policies. */
  readonly priority: number;
}

/** A user message on its way out. Its fragments refer to `data` by offset and length. */
export interface OutboundMessage {
  readonly data: Uint8Array;
  /** The data is a copy of what the user has lent, to be given back once it is acknowledged. */
  readonly lent: boolean;
  readonly ppid: Ppid;
  readonly stream: number;
  readonly unordered: boolean;
  readonly immediate: boolean;
  /** The user's; comes back when it fails. */
  readonly context: number;
  /** Where it goes in the first place; undefined = the primary path. */
  readonly destination: IpAddress | undefined;
  /** Undefined = it is reliable. */
  readonly limit: MessageLimit | undefined;
  /** Shared key that its packets are authenticated with; -1 = they need not be (RFC 4895). */
  readonly authKeyId: number;
  /** Stream sequence number or message identifier (RFC 8260 §2.1), given with the first fragment. */
  ssn: number;
  /** Octets that have become chunks. */
  taken: number;
  /** TSNs of its first and its last chunk so far; what lies between may belong to others (RFC 8260). */
  firstTsn: number;
  lastTsn: number;
  /** How many chunks it has become. */
  fragments: number;
  /** It was given up: nothing of it is sent any more. */
  abandoned: boolean;
}

/** What a message is made of. */
export type MessageParts = Pick<
  OutboundMessage,
  | "data"
  | "lent"
  | "ppid"
  | "stream"
  | "unordered"
  | "immediate"
  | "context"
  | "destination"
  | "limit"
  | "authKeyId"
>;

/** A message of which nothing was sent yet. Always of one shape: the hot loops see many of them. */
export function newMessage(parts: MessageParts): OutboundMessage {
  const { data, lent, ppid, stream, unordered, immediate, context, destination, limit, authKeyId } = parts;
  return {
    data,
    lent,
    ppid,
    stream,
    unordered,
    immediate,
    context,
    destination,
    limit,
    authKeyId,
    ssn: 0,
    taken: 0,
    firstTsn: 0,
    lastTsn: 0,
    fragments: 0,
    abandoned: false,
  };
}
