/** Why octets from a peer could not be read; enough to choose an RFC 5354 or RFC 9260 error cause. */
export type DecodeReason =
  /** The message ends before the field does. */
  | "truncated"
  /** A length field contradicts its surroundings. */
  | "bad-length"
  /** A field holds a value that its definition forbids. */
  | "bad-value"
  /** A parameter that must be there is not. */
  | "missing-parameter"
  /** A parameter of a type that this program does not know and whose action bits say "stop". */
  | "unknown-parameter"
  /** A message or chunk type that this program does not know. */
  | "unknown-type"
  /** More of something than this program is willing to keep. */
  | "too-many"
  /** A checksum or magic number does not match. */
  | "bad-checksum";

/** The peer sent something that cannot be read. The only exception that a decoder throws. */
export class DecodeError extends Error {
  /** What is wrong, for programs. */
  readonly reason: DecodeReason;
  /** Where in the decoded octets the trouble starts. */
  readonly offset: number;
  /** The offending octets (for example the whole unknown TLV), where an error cause wants them. */
  readonly octets: Uint8Array | undefined;

  /**
   * Makes the error of a decoder.
   *
   * @param reason what is wrong, for programs
   * @param message what is wrong, for people: no full stop
   * @param offset where the trouble starts, counted in octets from the start of the outermost message
   * @param octets the offending octets, a copy
   */
  constructor(reason: DecodeReason, message: string, offset: number, octets?: Uint8Array) {
    super(message);
    this.name = "DecodeError";
    this.reason = reason;
    this.offset = offset;
    this.octets = octets;
  }
}

/** The caller used an object of this program against its contract. */
export class StateError extends Error {
  /**
   * Makes the error.
   *
   * @param message which rule was broken, for people: no full stop
   */
  constructor(message: string) {
    super(message);
    this.name = "StateError";
  }
}
