/**
 * SACK (RFC 9260 §3.3.4):
 *
 *     +---------------------------------------------------------------+
 *     |                      cumulative TSN ack                       |
 *     |           advertised receiver window credit (a_rwnd)          |
 *     |  number of gap ack blocks = N | number of duplicate TSNs = X  |
 *     |  gap ack block #1 start       |  gap ack block #1 end         |
 *     |  …                            |  duplicate TSN 1 …            |
 *     +---------------------------------------------------------------+
 *
 * Block bounds are offsets from the cumulative TSN ack.
 */
import { DecodeError } from "../wire/errors.ts";
import { readU16 } from "./packet.ts";

/** Octets of the chunk header and the fixed fields. */
export const SACK_HEADER_OCTETS = 16;

/** Octets of one gap ack block, and of one duplicate TSN. */
export const SACK_ITEM_OCTETS = 4;

/**
 * How many gap ack blocks the SACK at an offset has.
 *
 * @throws {DecodeError} when the blocks and the duplicates do not fit into the chunk
 */
export function gapBlockCount(packet: Uint8Array, at: number, length: number): number {
  if (length < SACK_HEADER_OCTETS) throw new DecodeError("truncated", "a SACK needs 16 octets", at);
  const gaps = readU16(packet, at + 12), duplicates = readU16(packet, at + 14);
  if (SACK_HEADER_OCTETS + SACK_ITEM_OCTETS * (gaps + duplicates) > length) {
    throw new DecodeError("bad-length", "the blocks of a SACK do not fit into the chunk", at);
  }
  return gaps;
}
