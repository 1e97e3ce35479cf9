/**
 * The common header of an SCTP packet (RFC 9260 §3.1):
 *
 *      0                   1                   2                   3
 *     +-------------------------------+-------------------------------+
 *     |      source port              |      destination port         |
 *     +-------------------------------+-------------------------------+
 *     |                      verification tag                         |
 *     +---------------------------------------------------------------+
 *     |                      checksum (CRC32c)                        |
 *     +---------------------------------------------------------------+
 */
import { putChecksum } from "./crc32c.ts";

/** Octets of the common header. */
export const COMMON_HEADER_OCTETS = 12;

/** Shortest packet that says something: the common header and a chunk header. */
export const MIN_PACKET_OCTETS = 16;

let lastBuffer: ArrayBufferLike | undefined;
let lastView: DataView = new DataView(new ArrayBuffer(0));

/**
 * A view of the whole buffer behind some octets. A driver's packets lie in a few big buffers, so the last view is
 * kept: a view for each packet would be garbage at several hundred thousand a second.
 *
 * @returns a view in which the octets start at their `byteOffset`
 */
export function viewBehind(octets: Uint8Array): DataView {
  const buffer = octets.buffer;
  if (buffer !== lastBuffer) {
    lastBuffer = buffer;
    lastView = new DataView(buffer);
  }
  return lastView;
}

/** Reads 16 bits in network order; the caller has checked the bounds. */
export function readU16(octets: Uint8Array, at: number): number {
  return octets[at]! << 8 | octets[at + 1]!;
}

/** Reads 32 bits in network order; the caller has checked the bounds. */
export function readU32(octets: Uint8Array, at: number): number {
  return (octets[at]! << 24 | octets[at + 1]! << 16 | octets[at + 2]! << 8 | octets[at + 3]!) >>> 0;
}

/** Writes the common header with the checksum left zero. */
export function writeHeader(view: DataView, at: number, sourcePort: number, port: number, tag: number): void {
  view.setUint32(at, sourcePort << 16 | port);
  view.setUint32(at + 4, tag);
  view.setUint32(at + 8, 0);
}

/** A packet of its own around chunks, with its checksum. For packets outside any association and for tests. */
export function makePacket(
  sourcePort: number,
  destinationPort: number,
  tag: number,
  chunks: readonly Uint8Array[],
): Uint8Array {
  let length = COMMON_HEADER_OCTETS;
  for (const chunk of chunks) length += chunk.length;
  const packet = new Uint8Array(length);
  const view = new DataView(packet.buffer);
  writeHeader(view, 0, sourcePort, destinationPort, tag);
  let at = COMMON_HEADER_OCTETS;
  for (const chunk of chunks) {
    packet.set(chunk, at);
    at += chunk.length;
  }
  putChecksum(view, 0, length);
  return packet;
}
