/**
 * CRC32c (Castagnoli), the checksum of SCTP packets (RFC 9260 Appendix A). Sixteen octets a step with
 * sixteen tables ("slicing-by-16", half again as fast as by eight), since every octet in and out passes through here.
 */

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const CHECKSUM_OFFSET = 8;

/** Octets of one step, and tables for it. */
const STRIDE = 16;

/**
 * Table `k` starts at `256 * k`: there, at `b`, is the CRC of octet `b` followed by `k` zero octets. 16 KiB stay in the
 * first-level cache, and one array in place of sixteen leaves the compiler a register for everything else.
 */
const T: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(STRIDE * 256);
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
    tables[octet] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const crc = tables[at - 256]!;
    tables[at] = crc >>> 8 ^ tables[crc & 255]!;
  }
  return tables;
}

/** Feeds four little-endian words, sixteen octets, into a running CRC that has been added to the first one. */
function step(a: number, b: number, c: number, d: number): number {
  return T[3840 + (a & 255)]! ^ T[3584 + (a >>> 8 & 255)]! ^ T[3328 + (a >>> 16 & 255)]! ^
    T[3072 + (a >>> 24)]! ^
    T[2816 + (b & 255)]! ^ T[2560 + (b >>> 8 & 255)]! ^ T[2304 + (b >>> 16 & 255)]! ^ T[2048 + (b >>> 24)]! ^
    T[1792 + (c & 255)]! ^ T[1536 + (c >>> 8 & 255)]! ^ T[1280 + (c >>> 16 & 255)]! ^ T[1024 + (c >>> 24)]! ^
    T[768 + (d & 255)]! ^ T[512 + (d >>> 8 & 255)]! ^ T[256 + (d >>> 16 & 255)]! ^ T[d >>> 24]!;
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
      crc = crc >>> 8 ^ T[(crc ^ octet) & 255]!;
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
    crc = T[3840 + (a & 255)]! ^ T[3584 + (a >>> 8 & 255)]! ^ T[3328 + (a >>> 16 & 255)]! ^
      T[3072 + (a >>> 24)]! ^
      T[2816 + (b & 255)]! ^ T[2560 + (b >>> 8 & 255)]! ^ T[2304 + (b >>> 16 & 255)]! ^
      T[2048 + (b >>> 24)]! ^
      T[1792 + (c & 255)]! ^ T[1536 + (c >>> 8 & 255)]! ^ T[1280 + (c >>> 16 & 255)]! ^
      T[1024 + (c >>> 24)]! ^
      T[768 + (d & 255)]! ^ T[512 + (d >>> 8 & 255)]! ^ T[256 + (d >>> 16 & 255)]! ^ T[d >>> 24]!;
  }
  for (; at < end; at++) crc = crc >>> 8 ^ T[(crc ^ view.getUint8(at)) & 255]!;
  return crc;
}
