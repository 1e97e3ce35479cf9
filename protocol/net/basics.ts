/** Time, names and numbers that everything about the network uses. */

/** A point on a monotonic clock, in milliseconds (fractions allowed). Only differences mean anything. */
export type Instant = number;

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

/** An SCTP error cause (RFC 9260 §3.3.10). */
export interface ErrorCause {
  /** Cause code, 16 bits. */
  readonly code: number;
  /** Cause-specific information; may be empty. */
  readonly info: Uint8Array;
}
