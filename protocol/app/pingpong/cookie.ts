import { DecodeError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { encodeText } from "../../wire/text.ts";
import { Writer } from "../../wire/writer.ts";

/** State of a ping-pong session, which a PE gives to the PU for the PE's successor (RFC 5352 §2.2.11). */
export interface PingPongCookie {
  /** The reply number that the next Pong has, 64 bits. */
  readonly nextReply: bigint;
}

/** Says what a cookie is and by which rules it was made. */
const MAGIC = encodeText("<PP-TD1>");
const COOKIE_LENGTH = 16;

/**
 * Reads a cookie: 8 octets `<PP-TD1>`, the next reply number (u64).
 *
 * @param octets value of the Cookie parameter; borrowed
 * @throws {DecodeError} when it is no valid cookie
 */
export function readPingPongCookie(octets: Uint8Array): PingPongCookie {
  if (octets.length !== COOKIE_LENGTH) {
    throw new DecodeError(
      "bad-length",
      `a ping-pong cookie has ${COOKIE_LENGTH} octets, not ${octets.length}`,
      0,
    );
  }
  const reader = new Reader(octets);
  const magic = reader.view(MAGIC.length, "cookie magic");
  if (!magic.every((octet, i) => octet === MAGIC[i])) {
    throw new DecodeError("bad-value", "the cookie does not start with <PP-TD1>", 0);
  }
  return { nextReply: reader.u64("next reply number") };
}

/**
 * Writes a cookie exactly as RSPLIB does, so that servers of both kinds can take over from each other.
 *
 * @returns 16 octets
 */
export function writePingPongCookie({ nextReply }: PingPongCookie): Uint8Array {
  const writer = new Writer(COOKIE_LENGTH);
  writer.bytes(MAGIC);
  writer.u64(nextReply);
  return writer.finish();
}
