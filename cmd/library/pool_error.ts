/** What can go wrong for a user of the library. */

/** Why a {@linkcode PoolError} came. */
export type PoolErrorReason =
  /** An option has a value that nothing can be done with. */
  | "option"
  /** SCTP cannot be had here, or a port is in use. */
  | "transport"
  /** What was waited for did not come before the caller's signal or time limit. */
  | "timeout"
  /** No registrar accepts the registration. */
  | "refused"
  /** The session, client or element was used after its end. */
  | "ended";

/** Something that a program which uses a pool has to know. The message says what to do where that is known. */
export class PoolError extends Error {
  /** For programs. */
  readonly reason: PoolErrorReason;

  /**
   * Makes an error.
   *
   * @param reason for programs
   * @param message for people
   */
  constructor(reason: PoolErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PoolError";
    this.reason = reason;
  }
}
