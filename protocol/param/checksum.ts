import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterType } from "./parameter_type.ts";
import type { PoolHandle } from "./pool_handle.ts";

/**
 * The PE checksum: whether two registrars hold the same elements of an owner (RFC 5353 §3.6.1, §3.6.2, RFC 5354 §3.15).
 *
 * It is the Internet checksum (RFC 1071) over pool handle, padded to an even length, and PE identifier of every
 * element. Only these enter it, so that it depends neither on the order of the elements nor on what RSPLIB leaves out.
 * The sum is kept exactly, so that an element can be taken out again.
 *
 * @example One element, added and removed
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeText } from "@rsp/rsp";
 *
 * const checksum = new PeChecksum();
 * checksum.add(encodeText("EchoPool"), 0x11223344);
 * assert.equal(checksum.value, 0x4deb);
 * checksum.remove(encodeText("EchoPool"), 0x11223344);
 * assert.equal(checksum.value, 0xffff);
 * ```
 */
export class PeChecksum {
  #sum = 0;

  /** Counts an element in. */
  add(poolHandle: PoolHandle, elementId: number): void {
    this.#sum += elementSum(poolHandle, elementId);
  }

  /** Takes an element out that was counted in. */
  remove(poolHandle: PoolHandle, elementId: number): void {
    this.#sum -= elementSum(poolHandle, elementId);
  }

  /** The checksum, 16 bits; 0xffff of no element. */
  get value(): number {
    const folded = this.#sum === 0 ? 0 : (this.#sum - 1) % 0xffff + 1; // all carries added: 1..0xffff
    return 0xffff - folded;
  }
}

/** Sum of an element's 16-bit words. */
function elementSum(poolHandle: PoolHandle, elementId: number): number {
  let sum = (elementId >>> 16) + (elementId & 0xffff);
  for (let i = 0; i < poolHandle.length; i += 2) {
    sum += poolHandle[i]! << 8 | (poolHandle[i + 1] ?? 0);
  }
  return sum;
}

/** Reads the value of a PE Checksum parameter (RFC 5354 §3.15): 16 bits, so that the parameter has padding. */
export function readChecksum(reader: Reader): number {
  return reader.u16("PE checksum");
}

/** Writes a PE Checksum parameter. */
export function writeChecksum(writer: Writer, checksum: number): void {
  writer.tlv(ParameterType.peChecksum, (value) => value.u16(checksum));
}
