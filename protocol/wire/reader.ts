import { DecodeError } from "./errors.ts";

/**
 * Reads big-endian fields from octets, front to back. The one place that checks bounds: every read names what it
 * reads, so the error message is free. Each reading method throws a {@linkcode DecodeError} with reason `truncated` when
 * the octets end before the field does.
 *
 * @example Read a header
 * ```ts
 * import { Reader } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const reader = new Reader(Uint8Array.of(1, 0, 0, 8, 0xca, 0xfe, 0, 1));
 * assert.equal(reader.u8("type"), 1);
 * assert.equal(reader.u8("flags"), 0);
 * assert.equal(reader.u16("length"), 8);
 * assert.equal(reader.u32("server ID"), 0xcafe0001);
 * assert.equal(reader.remaining, 0);
 * ```
 */
export class Reader {
  readonly #octets: Uint8Array;
  #offset = 0;
  /** Offset of this reader's first octet in the outermost message, so that errors speak of that. */
  readonly #base: number;

  /**
   * Makes a reader that stands at the first octet.
   *
   * @param octets what to read; borrowed, not copied
   * @param base offset of `octets` in the outermost message, for error offsets
   */
  constructor(octets: Uint8Array, base = 0) {
    this.#octets = octets;
    this.#base = base;
  }

  /** Offset of the next octet within the outermost message. */
  get offset(): number {
    return this.#base + this.#offset;
  }

  /** How many octets are left. */
  get remaining(): number {
    return this.#octets.length - this.#offset;
  }

  /** Reads one octet. */
  u8(what: string): number {
    return this.#octets[this.#take(1, what)]!;
  }

  /** Reads 16 bits. */
  u16(what: string): number {
    const at = this.#take(2, what);
    return this.#octets[at]! << 8 | this.#octets[at + 1]!;
  }

  /** Reads 32 bits as an unsigned number. */
  u32(what: string): number {
    const at = this.#take(4, what);
    const octets = this.#octets;
    return (octets[at]! << 24 | octets[at + 1]! << 16 | octets[at + 2]! << 8 | octets[at + 3]!) >>> 0;
  }

  /** Reads 32 bits in two's complement. */
  i32(what: string): number {
    return this.u32(what) | 0;
  }

  /** Reads 64 bits. */
  u64(what: string): bigint {
    return this.#view().getBigUint64(this.#take(8, what));
  }

  /** Reads an IEEE 754 double. */
  f64(what: string): number {
    return this.#view().getFloat64(this.#take(8, what));
  }

  /** Reads `length` octets as a copy that the caller may keep. */
  bytes(length: number, what: string): Uint8Array {
    const start = this.#take(length, what);
    return this.#octets.slice(start, start + length);
  }

  /** Reads `length` octets as a view of the message (borrowed: copy what you keep). */
  view(length: number, what: string): Uint8Array {
    const start = this.#take(length, what);
    return this.#octets.subarray(start, start + length);
  }

  /** A reader for the next `length` octets, which this reader skips. */
  sub(length: number, what: string): Reader {
    const base = this.offset;
    return new Reader(this.view(length, what), base);
  }

  /** Skips `length` octets. */
  skip(length: number, what: string): void {
    this.#take(length, what);
  }

  /** Skips padding up to the next multiple of four, as far as it is there (its content is ignored, RFC 5354 §1.2). */
  skipPadding(): void {
    const padding = -this.#offset & 3;
    this.#offset = Math.min(this.#offset + padding, this.#octets.length);
  }

  /** Made when it is needed: most readers live for two or three small fields, and a view costs more than those. */
  #view(): DataView {
    return new DataView(this.#octets.buffer, this.#octets.byteOffset, this.#octets.byteLength);
  }

  #take(length: number, what: string): number {
    const start = this.#offset;
    if (length > this.#octets.length - start) {
      throw new DecodeError(
        "truncated",
        `${what} needs ${length} octets at offset ${this.offset}, but ${this.remaining} are left`,
        this.offset,
      );
    }
    this.#offset = start + length;
    return start;
  }
}
