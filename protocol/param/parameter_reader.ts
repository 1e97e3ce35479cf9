import { DecodeError } from "../wire/errors.ts";
import { Reader } from "../wire/reader.ts";
import { isKnownParameter, unknownParameterAction } from "./parameter_type.ts";

const HEADER_LENGTH = 4;

/** Reads a parameter's value; `unrecognized` as in the constructor of {@linkcode ParameterReader}. */
export type ValueReader<Value> = (reader: Reader, unrecognized: Uint8Array[] | undefined) => Value;

/**
 * Walks along the parameters of a message or of another parameter, front to back (RFC 5354 §3):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |        Parameter Type         |       Parameter Length        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :                 Parameter Value, then padding                 :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The length counts header and value, not the parameter's own padding. Parameters come in the order of the message's
 * definition, as RSPLIB demands too. A parameter of unknown type is treated by its action bits wherever it stands.
 * Padding is ignored on receipt, and may be missing behind the last parameter.
 *
 * Every {@linkcode DecodeError} that it throws carries the innermost whole parameter with the trouble, if there is one.
 */
export class ParameterReader {
  readonly #octets: Uint8Array;
  readonly #base: number;
  readonly #unrecognized: Uint8Array[] | undefined;
  /** Type of the next known parameter, -1 = none is left. */
  #type = -1;
  #start = 0;
  /** End of the next parameter without its padding. */
  #end = 0;

  /**
   * @param octets parameters, one behind the other; borrowed
   * @param base offset of `octets` in the message, for error offsets
   * @param unrecognized gets a copy of each unknown parameter that is skipped but wants to be reported
   */
  constructor(octets: Uint8Array, base: number, unrecognized?: Uint8Array[]) {
    this.#octets = octets;
    this.#base = base;
    this.#unrecognized = unrecognized;
    this.#advance();
  }

  /** Walks along what is left of a reader. */
  static rest(reader: Reader, unrecognized?: Uint8Array[]): ParameterReader {
    const base = reader.offset;
    return new ParameterReader(reader.view(reader.remaining, "parameters"), base, unrecognized);
  }

  /** Type of the next known parameter; -1 = there is none. */
  get next(): number {
    return this.#type;
  }

  /**
   * Takes the next parameter, which must be of this type.
   *
   * @param type which parameter must come next
   * @param what its name, for the error message
   * @param readValue reads the value to its last octet; gets `unrecognized` for the parameters within
   * @throws {DecodeError} `missing-parameter` when none or another one comes next, `bad-length` when octets are left
   */
  take<Value>(type: number, what: string, readValue: ValueReader<Value>): Value {
    if (this.#type !== type) throw this.#missing(what);
    const start = this.#start + HEADER_LENGTH;
    const reader = new Reader(this.#octets.subarray(start, this.#end), this.#base + start);
    let value: Value;
    try {
      value = readValue(reader, this.#unrecognized);
      if (reader.remaining > 0) {
        throw new DecodeError(
          "bad-length",
          `${what} has ${reader.remaining} octets too many at offset ${reader.offset}`,
          reader.offset,
        );
      }
    } catch (error) {
      if (!(error instanceof DecodeError) || error.octets !== undefined) throw error;
      throw new DecodeError(error.reason, error.message, error.offset, this.#copy());
    }
    this.#advance();
    return value;
  }

  /** Like {@linkcode take}, but undefined when something else or nothing comes next. */
  optional<Value>(type: number, what: string, readValue: ValueReader<Value>): Value | undefined {
    return this.#type === type ? this.take(type, what, readValue) : undefined;
  }

  /** @throws {DecodeError} `bad-value` when a parameter is left that has no place here */
  end(): void {
    if (this.#type < 0) return;
    throw new DecodeError(
      "bad-value",
      `parameter 0x${hex4(this.#type)} at offset ${this.#base + this.#start} has no place there`,
      this.#base + this.#start,
      this.#copy(),
    );
  }

  /** Finds the next known parameter behind the current one. */
  #advance(): void {
    const octets = this.#octets;
    for (;;) {
      const start = Math.min(this.#end + 3 & ~3, octets.length);
      this.#start = start;
      if (start === octets.length) {
        this.#type = -1;
        return;
      }
      if (start + HEADER_LENGTH > octets.length) {
        throw this.#bad("truncated", "a parameter header is cut off");
      }
      const type = octets[start]! << 8 | octets[start + 1]!;
      const length = octets[start + 2]! << 8 | octets[start + 3]!;
      if (length < HEADER_LENGTH) {
        throw this.#bad("bad-length", `parameter 0x${hex4(type)} has length ${length}`);
      }
      this.#end = start + length;
      if (this.#end > octets.length) {
        throw this.#bad("truncated", `parameter 0x${hex4(type)} of ${length} octets is cut off`);
      }
      if (isKnownParameter(type)) {
        this.#type = type;
        return;
      }
      this.#skipUnknown(type);
    }
  }

  #skipUnknown(type: number): void {
    switch (unknownParameterAction(type)) {
      case "stop":
      case "stop-and-report":
        throw new DecodeError(
          "unknown-parameter",
          `parameter 0x${hex4(type)} at offset ${this.#base + this.#start} is unknown`,
          this.#base + this.#start,
          this.#copy(),
        );
      case "skip-and-report":
        this.#unrecognized?.push(this.#copy());
        return;
      case "skip":
        return;
    }
  }

  #missing(what: string): DecodeError {
    const offset = this.#base + this.#start;
    if (this.#type < 0) {
      return new DecodeError("missing-parameter", `${what} is missing at offset ${offset}`, offset);
    }
    return new DecodeError(
      "missing-parameter",
      `${what} is missing at offset ${offset}, where parameter 0x${hex4(this.#type)} stands`,
      offset,
      this.#copy(),
    );
  }

  #bad(reason: "truncated" | "bad-length", message: string): DecodeError {
    const offset = this.#base + this.#start;
    return new DecodeError(reason, `${message} at offset ${offset}`, offset);
  }

  /** The current parameter without its padding, as an error cause wants it. */
  #copy(): Uint8Array {
    return this.#octets.slice(this.#start, this.#end);
  }
}

function hex4(type: number): string {
  return type.toString(16).padStart(4, "0");
}
