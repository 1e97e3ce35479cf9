/**
 * FORWARD TSN (RFC 3758 §3.2) and I-FORWARD-TSN (RFC 8260 §2.3.1), the receiving side; the sending side stands in
 * abandonment.ts. The peer has given messages up: nothing up to its new cumulative TSN is waited for.
 *
 *     +---------------------------------------------------------------+
 *     |                      new cumulative TSN                       |
 *     |           stream              |    stream sequence number     |   FORWARD TSN, for each stream
 *     |           stream              |         reserved            |U|   I-FORWARD-TSN, for each stream
 *     |                      message identifier                       |
 *     +---------------------------------------------------------------+
 */
import { DecodeError } from "../wire/errors.ts";
import type { DataFormat } from "./data_format.ts";
import type { Inbound } from "./inbound.ts";
import { readU16, readU32 } from "./packet.ts";

/** Octets of the chunk header and the new cumulative TSN. */
export const FORWARD_HEADER_OCTETS = 8;

/** The flag of an I-FORWARD-TSN entry: it is about unordered messages. */
export const ENTRY_UNORDERED = 1;

/**
 * Takes a FORWARD TSN or I-FORWARD-TSN. An old one changes nothing, but wants a SACK all the same (RFC 3758 §3.6).
 *
 * @param chunk header and value
 * @returns 0, or a value of `DataOutcome` that says why the association cannot go on
 * @throws {DecodeError} when there is no new cumulative TSN in it
 */
export function takeForwardTsn(inbound: Inbound, chunk: Uint8Array, format: DataFormat): number {
  if (chunk.length < FORWARD_HEADER_OCTETS) {
    throw new DecodeError("truncated", "FORWARD TSN needs 8 octets", 0);
  }
  if (!inbound.forward(readU32(chunk, 4))) return 0;
  const { forwardEntryOctets, interleaved } = format;
  const last = chunk.length - forwardEntryOctets;
  for (let at = FORWARD_HEADER_OCTETS; at <= last; at += forwardEntryOctets) {
    const stream = readU16(chunk, at);
    if (!interleaved) inbound.skip(stream, readU16(chunk, at + 2), false);
    else inbound.skip(stream, readU32(chunk, at + 4), (chunk[at + 3]! & ENTRY_UNORDERED) !== 0);
  }
  return inbound.settle();
}
