/**
 * The authentication chunk (RFC 4895 §5.1). It authenticates all chunks that follow it in its packet:
 *
 *     +---------------+---------------+-------------------------------+
 *     |   type = 15   |   flags = 0   |            length             |
 *     |     shared key identifier     |        HMAC identifier        |
 *     |                            HMAC …                             |
 *     +---------------------------------------------------------------+
 */
import { DecodeError } from "../wire/errors.ts";
import { chunkLengthAt, ChunkType } from "./chunk.ts";
import { COMMON_HEADER_OCTETS, readU16 } from "./packet.ts";

/** HMAC identifiers (RFC 4895 §8.4). */
export const HmacId = { sha1: 1, sha256: 3 } as const;

/** Octets in front of the HMAC: chunk header and the two identifiers. */
export const AUTH_HEADER_OCTETS = 8;

/** Octets of an HMAC; undefined = this stack does not know the algorithm. */
export function hmacOctets(hmacId: number): number | undefined {
  return hmacId === HmacId.sha1 ? 20 : hmacId === HmacId.sha256 ? 32 : undefined;
}

/** Writes an AUTH chunk whose HMAC is zero, as it enters its own computation (§6.2). @returns where it ends */
export function writeAuth(packet: Uint8Array, at: number, keyId: number, hmacId: number): number {
  const length = AUTH_HEADER_OCTETS + (hmacOctets(hmacId) ?? 0);
  packet.fill(0, at, at + length);
  packet[at] = ChunkType.authentication;
  packet[at + 2] = length >> 8;
  packet[at + 3] = length;
  packet[at + 4] = keyId >> 8;
  packet[at + 5] = keyId;
  packet[at + 6] = hmacId >> 8;
  packet[at + 7] = hmacId;
  return at + length;
}

/** What stands in an AUTH chunk besides its HMAC. */
export interface AuthIdentifiers {
  readonly keyId: number;
  readonly hmacId: number;
}

/**
 * Reads the identifiers of an AUTH chunk.
 *
 * @param length of the chunk, which lies within the packet
 * @throws {DecodeError} when the chunk is too short for them
 */
export function readAuth(packet: Uint8Array, at: number, length: number): AuthIdentifiers {
  if (length < AUTH_HEADER_OCTETS) throw new DecodeError("truncated", "AUTH needs 8 octets", at);
  return { keyId: readU16(packet, at + 4), hmacId: readU16(packet, at + 6) };
}

/** Where the first chunk of a packet starts that is not AUTH: that chunk says what the packet is. */
export function behindAuth(packet: Uint8Array): number {
  if (packet[COMMON_HEADER_OCTETS] !== ChunkType.authentication) return COMMON_HEADER_OCTETS;
  const at = COMMON_HEADER_OCTETS + (chunkLengthAt(packet, COMMON_HEADER_OCTETS) + 3 & ~3);
  return at + 4 > packet.length ? COMMON_HEADER_OCTETS : at;
}
