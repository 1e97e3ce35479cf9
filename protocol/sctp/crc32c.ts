/**
 * CRC32c (Castagnoli), the checksum of SCTP packets (RFC 9260 Appendix A). Sixteen octets a step with
 * sixteen tables ("slicing-by-16", half again as fast as by eight), since every octet in and out passes through here.
 */

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const CHECKSUM_OFFSET = 8;

/** Octets of one step, and tables for it: 16 KiB, which stays in the first-level cache. */
const STRIDE = 16;

const [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15] = makeTables();

/** `tables[k][b]` is the CRC of octet `b` followed by `k` zero octets. */
function makeTables(): Tables {
  const tables = Array.from({ length: STRIDE }, () => new Int32Array(256));
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
    tables[0]![octet] = crc;
  }
  for (let k = 1; k < STRIDE; k++) {
    const previous = tables[k - 1]!, table = tables[k]!;
    for (let octet = 0; octet < 256; octet++) {
      const crc = previous[octet]!;
      table[octet] = crc >>> 8 ^ tables[0]![crc & 255]!;
    }
  }
  return tables as Table[] as Tables;
}

type Table = Int32Array;

// deno-fmt-ignore
type Tables = [
  Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table, Table,
];

/** Feeds four little-endian words, sixteen octets, into a running CRC that has been added to the first one. */
function step(a: number, b: number, c: number, d: number): number {
  return T15[a & 255]! ^ T14[a >>> 8 & 255]! ^ T13[a >>> 16 & 255]! ^ T12[a >>> 24]! ^
    T11[b & 255]! ^ T10[b >>> 8 & 255]! ^ T9[b >>> 16 & 255]! ^ T8[b >>> 24]! ^
    T7[c & 255]! ^ T6[c >>> 8 & 255]! ^ T5[c >>> 16 & 255]! ^ T4[c >>> 24]! ^
    T3[d & 255]! ^ T2[d >>> 8 & 255]! ^ T1[d >>> 16 & 255]! ^ T0[d >>> 24]!;
}

/**
 * CRC32c of octets.
 *
 * @example The check value of the catalogue
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = Uint8Array.from("123456789", (digit) => digit.charCodeAt(0));
 * assert.equal(crc32c(octets), 0xe3069283);
 * ```
 */
export function crc32c(octets: Uint8Array): number {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return ~run(view, 0, octets.length, -1) >>> 0;
}

/**
 * The checksum of a packet, with its checksum field taken as zero.
 *
 * @param view a view that holds the packet
 * @param start where the packet starts
 * @param length octets of packet, at least 12
 * @returns the value as it stands in the field when that is read in little-endian order (RFC 9260 Appendix A)
 */
export function packetChecksum(view: DataView, start: number, length: number): number {
  const ports = view.getInt32(start, true), tag = view.getInt32(start + 4, true);
  if (length < STRIDE) { // a lone header
    let crc = -1;
    for (let at = 0; at < length; at++) {
      const octet = at >= CHECKSUM_OFFSET && at < CHECKSUM_OFFSET + 4 ? 0 : view.getUint8(start + at);
      crc = crc >>> 8 ^ T0[(crc ^ octet) & 255]!;
    }
    return ~crc >>> 0;
  }
  const crc = step(~ports, tag, 0, view.getInt32(start + 12, true));
  return ~run(view, start + STRIDE, start + length, crc) >>> 0;
}

/** Whether the checksum of a packet of at least 12 octets is right. */
export function checksumMatches(view: DataView, start: number, length: number): boolean {
  return view.getUint32(start + CHECKSUM_OFFSET, true) === packetChecksum(view, start, length);
}

/** Fills in the checksum of a packet. */
export function putChecksum(view: DataView, start: number, length: number): void {
  view.setUint32(start + CHECKSUM_OFFSET, packetChecksum(view, start, length), true);
}

function run(view: DataView, from: number, end: number, crc: number): number {
  let at = from;
  for (const last = end - STRIDE; at <= last; at += STRIDE) { // `step` by hand: the call costs a tenth
    const a = view.getInt32(at, true) ^ crc, b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true), d = view.getInt32(at + 12, true);
    crc = T15[a & 255]! ^ T14[a >>> 8 & 255]! ^ T13[a >>> 16 & 255]! ^ T12[a >>> 24]! ^
      T11[b & 255]! ^ T10[b >>> 8 & 255]! ^ T9[b >>> 16 & 255]! ^ T8[b >>> 24]! ^
      T7[c & 255]! ^ T6[c >>> 8 & 255]! ^ T5[c >>> 16 & 255]! ^ T4[c >>> 24]! ^
      T3[d & 255]! ^ T2[d >>> 8 & 255]! ^ T1[d >>> 16 & 255]! ^ T0[d >>> 24]!;
  }
  for (; at < end; at++) crc = crc >>> 8 ^ T0[(crc ^ view.getUint8(at)) & 255]!;
  return crc;
}
