import { DecodeError, StateError } from "../wire/errors.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";

const HEADER_LENGTH = 4;

/** What the 16-bit length field can say. */
export const MAX_MESSAGE_LENGTH = 65535;

/** A message of ASAP or ENRP behind its common header. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** What follows the header. */
  readonly body: Reader;
}

/**
 * Reads the header that all messages of ASAP and ENRP share (RFC 5354 §4):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |     Flags     |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The length may count the padding of the last parameter or not; nothing else may follow the message.
 *
 * @param octets one whole user message or datagram; borrowed
 * @throws {DecodeError} `truncated` or `bad-length`
 */
export function readFrame(octets: Uint8Array): Frame {
  const header = new Reader(octets);
  const type = header.u8("message type");
  const flags = header.u8("message flags");
  const length = header.u16("message length");
  if (length < HEADER_LENGTH) {
    throw new DecodeError("bad-length", `the message says it has ${length} octets`, 2);
  }
  if (length > octets.length) {
    throw new DecodeError("truncated", `the message has ${octets.length} of ${length} octets`, 2);
  }
  if (octets.length > (length + 3 & ~3)) {
    throw new DecodeError("bad-length", `${octets.length - length} octets follow the message`, length);
  }
  return { type, flags, body: new Reader(octets.subarray(HEADER_LENGTH, length), HEADER_LENGTH) };
}

/**
 * Writes a message.
 *
 * @param type message type
 * @param flags 8 bits
 * @param writeBody writes what follows the header
 * @returns the message; its length counts all padding, as RSPLIB does it
 * @throws {StateError} when the message gets longer than {@linkcode MAX_MESSAGE_LENGTH}
 */
export function writeFrame(type: number, flags: number, writeBody: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  writer.u8(type);
  writer.u8(flags);
  writer.u16(0);
  writeBody(writer);
  if (writer.length > MAX_MESSAGE_LENGTH) {
    throw new StateError(`a message has at most ${MAX_MESSAGE_LENGTH} octets, not ${writer.length}`);
  }
  writer.patchU16(2, writer.length);
  return writer.finish();
}
