/**
 * Socket options by name (RFC 6458 §8 and its successors), the same on every transport. The tables say what there is;
 * `ffi/` knows the structures of the Linux kernel, `protocol/sctp/` what the embedded stack makes of them.
 *
 * Not options here, since the interface has a better place for them: what `send` says of each message
 * (SCTP_DEFAULT_SNDINFO), what is a command (SCTP_RESET_STREAMS, …) or a method (bindx, peeloff), and what a transport
 * needs for itself (SCTP_RECVRCVINFO).
 */
import type { IpAddress } from "./address.ts";
import type { AssociationId } from "./basics.ts";
import { BASIC_SOCKET_OPTIONS } from "./socket_option_basic.ts";
import { EXTENSION_SOCKET_OPTIONS } from "./socket_option_extension.ts";

/**
 * What a field of an option holds: "list" = numbers, "text" = octets as text or as `0x…`; the kinds of
 * {@linkcode SOCKET_OPTION_WORDS} hold one of some words.
 */
export type SocketOptionField =
  | "boolean"
  | "number"
  | "milliseconds"
  | "seconds"
  | "octets"
  | "address"
  | "list"
  | "text"
  | SocketOptionWords;

/** Kinds of fields that hold a word. */
export type SocketOptionWords = "association-state" | "path-state" | "reliability" | "scheduler";

/** The words of a kind, in the order of Linux's numbers for them (reference/sctp.md §2.1). */
export const SOCKET_OPTION_WORDS: Readonly<Record<SocketOptionWords, readonly string[]>> = {
  "association-state": [
    "empty",
    "closed",
    "cookie-wait",
    "cookie-echoed",
    "established",
    "shutdown-pending",
    "shutdown-sent",
    "shutdown-received",
    "shutdown-ack-sent",
  ],
  "path-state": ["inactive", "potentially-failed", "active", "unconfirmed"],
  /** RFC 7496 §4.4; Linux's numbers are 0x10 apart. */
  "reliability": ["none", "ttl", "rtx", "prio"],
  /** RFC 8260 §3 and first come, first served. */
  "scheduler": ["fcfs", "prio", "rr", "fc", "wfq"],
};

/** A socket option. */
export interface SocketOptionDescription {
  /** Linux's number at level SOL_SCTP (reference/sctp.md §2.2), or at SOL_SOCKET. */
  readonly number: number;
  readonly level: "sctp" | "socket";
  /** Where it is defined. */
  readonly source: string;
  /**
   * The smallest thing it can be set for; a path option may be set for an association or the endpoint, too. A stream
   * option needs an association or, where it says so, the endpoint will do.
   */
  readonly scope: "endpoint" | "association" | "path" | "stream";
  readonly access: "read" | "write" | "read-write";
  /** Its fields by name, in the order of the structure; one value alone is called `value`. */
  readonly fields: Readonly<Record<string, SocketOptionField>>;
  /** Fields that can be read only, though others can be set. */
  readonly readOnly?: readonly string[];
  /** What it does, in one line. */
  readonly summary: string;
}

/** Values of an option's fields. When set, fields that are absent keep what they have. */
export type SocketOptionValue = Readonly<
  Record<string, number | boolean | string | readonly number[] | undefined>
>;

/** What an option is read from or set for. Without an association: the endpoint, for associations to come. */
export interface SocketOptionTarget {
  readonly association?: AssociationId;
  /** One path of the association. */
  readonly address?: IpAddress;
  /** One stream to send on; absent = 0. */
  readonly stream?: number;
}

/** Names of the socket options: those of RFC 6458 in lower case, without `SCTP_`. */
export type SocketOptionName = keyof typeof BASIC_SOCKET_OPTIONS | keyof typeof EXTENSION_SOCKET_OPTIONS;

/** All socket options by name. */
export const SOCKET_OPTIONS: Readonly<Record<SocketOptionName, SocketOptionDescription>> = {
  ...BASIC_SOCKET_OPTIONS,
  ...EXTENSION_SOCKET_OPTIONS,
};

/** What there is to know of an option. */
export function socketOption(name: SocketOptionName): SocketOptionDescription {
  return SOCKET_OPTIONS[name];
}

/** Finds an option by a name as people write it: `RTOINFO`, `SCTP_RTOINFO`, `SO_SNDBUF`, `delayed-sack`. */
export function findSocketOption(text: string): SocketOptionName | undefined {
  const name = text.toLowerCase().replaceAll("-", "_").replace(/^(sctp|so)_/, "");
  return Object.hasOwn(SOCKET_OPTIONS, name) ? name as SocketOptionName : undefined;
}

/** An option cannot be read or set. The message is a sentence for people. */
export class SocketOptionError extends Error {
  /**
   * As errno names it: EINVAL, EPERM, EACCES, ENOPROTOOPT, EOPNOTSUPP, ENOTCONN, ENOBUFS, EADDRINUSE, EADDRNOTAVAIL; of
   * kernel SCTP whatever it says.
   */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SocketOptionError";
    this.code = code;
  }
}
