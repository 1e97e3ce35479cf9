import { DecodeError } from "../wire/errors.ts";
import { Writer } from "../wire/writer.ts";

/**
 * Chunk types (RFC 9260 §3.2), and those of the extensions: AUTH (RFC 4895 §4.1), I-DATA and I-FORWARD-TSN (RFC 8260
 * §2.1, §2.3.1), ASCONF (RFC 5061 §4.1), RE-CONFIG (RFC 6525 §3.1), PAD (RFC 4820 §3), FORWARD TSN (RFC 3758 §3.2). Of a
 * type that is unknown, or of an extension that the peers have not agreed upon, the action bits say what is done with it.
 */
export const ChunkType = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  ecnEcho: 12,
  cwr: 13,
  shutdownComplete: 14,
  authentication: 15,
  iData: 64,
  asconfAck: 128,
  reconfiguration: 130,
  pad: 132,
  forwardTsn: 192,
  asconf: 193,
  iForwardTsn: 194,
} as const;

/** T bit of ABORT and SHUTDOWN COMPLETE: the verification tag is the sender's own, reflected (RFC 9260 §8.5.1). */
export const TAG_REFLECTED = 0x01;

/** Octets of a chunk header: type, flags, length. */
export const CHUNK_HEADER_OCTETS = 4;

/** Whether the type's action bits ask to go on behind an unknown chunk or parameter ("1x"). */
export function skipsUnknown(actionBits: number): boolean {
  return (actionBits & 2) !== 0;
}

/** Whether the type's action bits ask for a report of an unknown chunk or parameter ("x1"). */
export function reportsUnknown(actionBits: number): boolean {
  return (actionBits & 1) !== 0;
}

/**
 * Builds a chunk with its padding. The length field counts neither that nor the padding of the last parameter (§3.2).
 *
 * @param writeValue writes what follows the chunk header
 * @param parametersAt where in the chunk parameters or causes start, if it has any
 */
export function makeChunk(
  type: number,
  flags: number,
  writeValue?: (writer: Writer) => void,
  parametersAt?: number,
): Uint8Array {
  const writer = new Writer(64);
  writer.u8(type);
  writer.u8(flags);
  writer.u16(0);
  writeValue?.(writer);
  const length = writer.length;
  writer.pad();
  const chunk = writer.finish();
  const unpadded = parametersAt === undefined ? length : endOfParameters(chunk, parametersAt, length);
  chunk[2] = unpadded >> 8;
  chunk[3] = unpadded;
  return chunk;
}

/** Where the last parameter ends without its padding. */
function endOfParameters(chunk: Uint8Array, from: number, length: number): number {
  let end = from;
  for (let at = from; at < length; at += end - at + 3 & ~3) end = at + (chunk[at + 2]! << 8 | chunk[at + 3]!);
  return end;
}

/**
 * The chunk at an offset of a packet, without a copy.
 *
 * @param packet a whole packet
 * @param at where the chunk starts
 * @returns the octets of the chunk: header and value, no padding
 * @throws {DecodeError} when the chunk does not fit in the packet
 */
export function chunkAt(packet: Uint8Array, at: number): Uint8Array {
  return packet.subarray(at, at + chunkLengthAt(packet, at));
}

/**
 * The length field of the chunk at an offset.
 *
 * @returns octets of header and value, at least 4
 * @throws {DecodeError} when the chunk does not fit in the packet
 */
export function chunkLengthAt(packet: Uint8Array, at: number): number {
  if (at + CHUNK_HEADER_OCTETS > packet.length) {
    throw new DecodeError("truncated", "a chunk header needs 4 octets", at);
  }
  const length = packet[at + 2]! << 8 | packet[at + 3]!;
  if (length < CHUNK_HEADER_OCTETS || at + length > packet.length) {
    throw new DecodeError("bad-length", `a chunk of ${length} octets does not fit in the packet`, at);
  }
  return length;
}

/** Where the chunk after one of this length starts: chunks are padded to multiples of four. */
export function nextChunkAt(at: number, length: number): number {
  return at + (length + 3 & ~3);
}
