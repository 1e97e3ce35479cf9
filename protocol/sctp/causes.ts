/**
 * Error causes of ERROR and ABORT chunks (RFC 9260 §3.3.10):
 *
 *     +-------------------------------+-------------------------------+
 *     |          cause code           |         cause length          |
 *     +-------------------------------+-------------------------------+
 *     |                 cause-specific information                    |
 *     +---------------------------------------------------------------+
 */
import type { ErrorCause } from "../net.ts";
import { encodeText } from "../wire/text.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import { CHUNK_HEADER_OCTETS, ChunkType, makeChunk } from "./chunk.ts";
import { MAX_CAUSE_OCTETS, MAX_PARAMETERS } from "./limits.ts";

/** Cause codes of RFC 9260 §3.3.10. */
export const CauseCode = {
  invalidStream: 1,
  missingParameter: 2,
  staleCookie: 3,
  outOfResource: 4,
  unresolvableAddress: 5,
  unrecognizedChunk: 6,
  invalidParameter: 7,
  unrecognizedParameters: 8,
  noUserData: 9,
  cookieWhileShuttingDown: 10,
  restartWithNewAddresses: 11,
  userInitiatedAbort: 12,
  protocolViolation: 13,
  /** RFC 5061 §4.3 */
  deleteLastAddress: 0x00a0,
  resourceShortage: 0x00a1,
  deleteSourceAddress: 0x00a2,
  illegalAsconfAck: 0x00a3,
  noAuthorization: 0x00a4,
  /** RFC 4895 §4.1 */
  unsupportedHmac: 0x0105,
} as const;

/** A cause whose information is text for people. */
export function textCause(code: number, text: string): ErrorCause {
  return { code, info: encodeText(text).subarray(0, MAX_CAUSE_OCTETS) };
}

/** A cause whose information starts with a 32-bit number. */
export function numberCause(code: number, value: number): ErrorCause {
  const writer = new Writer(4);
  writer.u32(value);
  return { code, info: writer.finish() };
}

/** "Invalid stream identifier": the stream and two reserved octets. */
export function invalidStreamCause(stream: number): ErrorCause {
  return numberCause(CauseCode.invalidStream, (stream << 16) >>> 0);
}

/** "Missing mandatory parameter": how many, and their types. */
export function missingParameterCause(parameterType: number): ErrorCause {
  const writer = new Writer(8);
  writer.u32(1);
  writer.u16(parameterType);
  return { code: CauseCode.missingParameter, info: writer.finish() };
}

/** "Unsupported HMAC identifier" (RFC 4895 §4.1). */
export function unsupportedHmacCause(hmacId: number): ErrorCause {
  return { code: CauseCode.unsupportedHmac, info: Uint8Array.of(hmacId >> 8, hmacId) };
}

/** Writes a cause with its padding. */
export function writeCause(writer: Writer, cause: ErrorCause): void {
  writer.tlv(cause.code, (w) => w.bytes(cause.info));
}

/** An ERROR chunk. */
export function makeError(cause: ErrorCause): Uint8Array {
  return makeChunk(ChunkType.error, 0, (writer) => writeCause(writer, cause), CHUNK_HEADER_OCTETS);
}

/** An ABORT chunk. */
export function makeAbort(flags: number, cause?: ErrorCause): Uint8Array {
  return makeChunk(ChunkType.abort, flags, (writer) => {
    if (cause !== undefined) writeCause(writer, cause);
  }, CHUNK_HEADER_OCTETS);
}

/**
 * Reads the causes of an ERROR or ABORT chunk.
 *
 * @param chunk header and value
 * @returns the causes in order, each with a copy of at most {@linkcode MAX_CAUSE_OCTETS} of its information
 * @throws {DecodeError} when a cause does not fit
 */
export function readCauses(chunk: Uint8Array): ErrorCause[] {
  const reader = new Reader(chunk);
  reader.skip(4, "chunk header");
  const causes: ErrorCause[] = [];
  while (reader.remaining >= 4 && causes.length < MAX_PARAMETERS) {
    const code = reader.u16("cause code");
    const length = reader.u16("cause length");
    const info = reader.view(Math.max(0, length - 4), "cause information");
    causes.push({ code, info: info.slice(0, MAX_CAUSE_OCTETS) });
    reader.skipPadding();
  }
  return causes;
}
