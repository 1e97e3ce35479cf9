import { assert } from "./assert.ts";
import { StateError } from "./errors.ts";

const INITIAL_CAPACITY = 256;

/**
 * Writes big-endian fields into a buffer that grows. TLVs are written by closure: the length field is filled in
 * afterwards and padding follows by itself. A number that its field cannot hold is refused, never cut.
 *
 * @example Write a TLV (type 0x0009, "Echo")
 * ```ts
 * import { Writer } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const writer = new Writer();
 * writer.tlv(0x0009, (w) => w.bytes(Uint8Array.of(0x45, 0x63, 0x68)));
 * assert.equal(writer.finish().toHex(), "0009000745636800");
 * ```
 */
export class Writer {
  #octets: Uint8Array;
  #length = 0;

  /**
   * Makes an empty writer.
   *
   * @param capacity octets to reserve; the buffer grows when more is written
   */
  constructor(capacity: number = INITIAL_CAPACITY) {
    this.#octets = new Uint8Array(capacity);
  }

  /** How many octets have been written. */
  get length(): number {
    return this.#length;
  }

  /**
   * Writes one octet.
   *
   * @param value a whole number, 0 to 0xff
   * @throws {StateError} when it is not
   */
  u8(value: number): void {
    if ((value & 0xff) !== value) refuse(value, "u8");
    const at = this.#grow(1);
    this.#octets[at] = value;
  }

  /**
   * Writes 16 bits.
   *
   * @param value a whole number, 0 to 0xffff
   * @throws {StateError} when it is not
   */
  u16(value: number): void {
    if ((value & 0xffff) !== value) refuse(value, "u16");
    this.#putU16(this.#grow(2), value);
  }

  /**
   * Writes 32 bits.
   *
   * @param value a whole number, 0 to 0xffffffff
   * @throws {StateError} when it is not
   */
  u32(value: number): void {
    if (value >>> 0 !== value) refuse(value, "u32");
    this.#putU32(this.#grow(4), value);
  }

  /**
   * Writes 32 bits in two's complement.
   *
   * @param value a whole number, -0x80000000 to 0x7fffffff
   * @throws {StateError} when it is not
   */
  i32(value: number): void {
    if ((value | 0) !== value) refuse(value, "i32");
    this.#putU32(this.#grow(4), value);
  }

  /**
   * Writes 64 bits.
   *
   * @param value 0 to 2^64 - 1
   * @throws {StateError} when it is not
   */
  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) refuse(value, "u64");
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
  }

  /** Writes an IEEE 754 double. */
  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }

  /** Writes octets as they are. */
  bytes(octets: Uint8Array): void {
    const at = this.#grow(octets.length);
    this.#octets.set(octets, at);
  }

  /** Writes zeros up to the next multiple of four. */
  pad(): void {
    this.#grow(-this.#length & 3);
  }

  /**
   * Overwrites 16 bits written before.
   *
   * @param at offset of the first of the two octets
   * @param value a whole number, 0 to 0xffff
   * @throws {StateError} when it is not
   */
  patchU16(at: number, value: number): void {
    if ((value & 0xffff) !== value) refuse(value, "u16");
    assert(at >= 0 && at + 2 <= this.#length, "a patch lies within what was written");
    this.#putU16(at, value);
  }

  /**
   * Writes a TLV: 16 bits of type, 16 bits of length (header and value, without this TLV's own padding; RFC 5354
   * §2), the value, zero padding.
   *
   * @param type the parameter type
   * @param writeValue writes the value
   * @throws {StateError} when header and value are longer than 65535 octets
   */
  tlv(type: number, writeValue: (writer: Writer) => void): void {
    const start = this.#length;
    this.u16(type);
    this.u16(0);
    writeValue(this);
    this.patchU16(start + 2, this.#length - start);
    this.pad();
  }

  /** What was written, as a copy of its own. The writer may go on. */
  finish(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }

  // Stores of single octets take the place of a DataView, which would cost more to make than a short message to write.

  #putU16(at: number, value: number): void {
    this.#octets[at] = value >> 8;
    this.#octets[at + 1] = value;
  }

  #putU32(at: number, value: number): void {
    const octets = this.#octets;
    octets[at] = value >> 24;
    octets[at + 1] = value >> 16;
    octets[at + 2] = value >> 8;
    octets[at + 3] = value;
  }

  /** For the long fields, which are rare. */
  get #view(): DataView {
    return new DataView(this.#octets.buffer);
  }

  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#octets.length) {
      const grown = new Uint8Array(Math.max(needed, this.#octets.length * 2));
      grown.set(this.#octets);
      this.#octets = grown;
    }
    this.#length = needed;
    return at;
  }
}

/** Apart from the checks, so that these are small enough to be inlined. */
function refuse(value: number | bigint, field: "u8" | "u16" | "u32" | "i32" | "u64"): never {
  throw new StateError(`${value} does not fit into a field of type ${field}`);
}
