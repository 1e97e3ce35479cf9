/**
 * The two chunks that carry user data. An association uses one of them all its life: I-DATA if both sides have agreed
 * on interleaving, else DATA (RFC 8260 §2.2.1). So the difference is chosen once, and costs the hot loops a call that the
 * compiler can inline.
 *
 * DATA (RFC 9260 §3.3.1):
 *
 *     +-------------------------------+-------------------------------+
 *     |  type = 0     | Res |I|U|B|E  |            length             |
 *     |                              TSN                              |
 *     |       stream identifier       |    stream sequence number     |
 *     |                 payload protocol identifier                   |
 *     |                           user data                           |
 *     +---------------------------------------------------------------+
 *
 * I-DATA (RFC 8260 §2.1):
 *
 *     +-------------------------------+-------------------------------+
 *     |  type = 64    | Res |I|U|B|E  |            length             |
 *     |                              TSN                              |
 *     |       stream identifier       |           reserved            |
 *     |                      message identifier                       |
 *     |   payload protocol identifier, or fragment sequence number    |
 *     |                           user data                           |
 *     +---------------------------------------------------------------+
 */
import { ChunkType } from "./chunk.ts";
import { DATA_HEADER_OCTETS, DataFlag } from "./data_chunk.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import { readU16, readU32 } from "./packet.ts";

/** Octets of the chunk header and the fixed fields of I-DATA. */
export const I_DATA_HEADER_OCTETS = 20;

/** How user data stands in a packet. */
export interface DataFormat {
  readonly chunkType: number;
  /** Octets of the chunk header and the fixed fields. */
  readonly headerOctets: number;
  /** Whether messages of several streams may be under way at once, fragment by fragment. */
  readonly interleaved: boolean;
  /** Chunk type that moves the peer's cumulative TSN forward (RFC 3758 §3.2, RFC 8260 §2.3.1). */
  readonly forwardChunkType: number;
  /** Octets of one stream's entry in that chunk. */
  readonly forwardEntryOctets: number;
  /** Stream sequence number or message identifier of the chunk at an offset. */
  readNumber(packet: Uint8Array, at: number): number;
  /** Writes the chunk header and the fixed fields of a fragment; `fragment` counts from 0. */
  writeHeader(
    view: DataView,
    position: number,
    flags: number,
    length: number,
    tsn: number,
    message: OutboundMessage,
    fragment: number,
  ): void;
}

/** DATA. */
export const DATA_FORMAT: DataFormat = {
  chunkType: ChunkType.data,
  headerOctets: DATA_HEADER_OCTETS,
  interleaved: false,
  forwardChunkType: ChunkType.forwardTsn,
  forwardEntryOctets: 4,
  readNumber(packet, at) {
    return readU16(packet, at + 10);
  },
  writeHeader(view, position, flags, length, tsn, message) {
    view.setUint32(position, flags << 16 | DATA_HEADER_OCTETS + length);
    view.setUint32(position + 4, tsn);
    view.setUint32(position + 8, message.stream << 16 | message.ssn);
    view.setUint32(position + 12, message.ppid);
  },
};

/** I-DATA. */
export const I_DATA_FORMAT: DataFormat = {
  chunkType: ChunkType.iData,
  headerOctets: I_DATA_HEADER_OCTETS,
  interleaved: true,
  forwardChunkType: ChunkType.iForwardTsn,
  forwardEntryOctets: 8,
  readNumber(packet, at) {
    return readU32(packet, at + 12);
  },
  writeHeader(view, position, flags, length, tsn, message, fragment) {
    view.setUint32(position, ChunkType.iData << 24 | flags << 16 | I_DATA_HEADER_OCTETS + length);
    view.setUint32(position + 4, tsn);
    view.setUint32(position + 8, message.stream << 16);
    view.setUint32(position + 12, message.ssn);
    view.setUint32(position + 16, (flags & DataFlag.begin) !== 0 ? message.ppid : fragment);
  },
};
