import { assert } from "./assert.ts";

const INITIAL_CAPACITY = 256;

/**
 * Writes big-endian fields into a buffer that grows. TLVs are written by closure: the length field is filled in
 * afterwards and padding follows by itself.
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
  #view: DataView;
  #length = 0;

  /** @param capacity octets to reserve; the buffer grows when more is written */
  constructor(capacity: number = INITIAL_CAPACITY) {
    this.#octets = new Uint8Array(capacity);
    this.#view = new DataView(this.#octets.buffer);
  }

  /** How many octets have been written. */
  get length(): number {
    return this.#length;
  }

  /** Writes one octet. */
  u8(value: number): void {
    this.#view.setUint8(this.#grow(1), value);
  }

  /** Writes 16 bits. */
  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  /** Writes 32 bits. */
  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  /** Writes 64 bits. */
  u64(value: bigint): void {
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

  /** Overwrites 16 bits written before. */
  patchU16(at: number, value: number): void {
    assert(at >= 0 && at + 2 <= this.#length, "a patch lies within what was written");
    this.#view.setUint16(at, value);
  }

  /**
   * Writes a TLV: 16 bits of type, 16 bits of length (header and value, without this TLV's own padding; RFC 5354
   * §2), the value, zero padding.
   *
   * @param type the parameter type
   * @param writeValue writes the value
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

  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#octets.length) {
      const grown = new Uint8Array(Math.max(needed, this.#octets.length * 2));
      grown.set(this.#octets);
      this.#octets = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }
}
