import { DecodeError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { encodeText } from "../../wire/text.ts";
import { Writer } from "../../wire/writer.ts";
import {
  type FractalParameter,
  FractalType,
  readFractalParameter,
  writeFractalParameter,
} from "./messages.ts";

/** State of a fractal session, which a PE gives to the PU for the PE's successor (RFC 5352 §2.2.11). */
export interface FractalCookie {
  /** The image. */
  readonly parameter: FractalParameter;
  /** Column of the pixel that the successor begins with: the last one that was computed from RSPLIB's PE, the next one from ours. */
  readonly currentX: number;
  /** Row of that pixel. */
  readonly currentY: number;
}

/** Says what a cookie is and by which rules it was made. */
const MAGIC = encodeText("<FG-TD1>");
const COOKIE_LENGTH = 76;
/** What the length field of the Parameter message within says: RSPLIB counts the header only. */
const QUIRK_LENGTH = 4;

/**
 * Reads a cookie: 8 octets `<FG-TD1>`, a Parameter message of 60 octets, CurrentX and CurrentY (u32 each).
 *
 * As RSPLIB does it, the total length, the first 8 octets and the message type are checked; the length field of the
 * Parameter message is not, since RSPLIB writes 4 there. A position outside the image is refused, because a server
 * would compute for nobody.
 *
 * @param octets value of the Cookie parameter; borrowed
 * @throws {DecodeError} when it is no valid cookie
 */
export function readFractalCookie(octets: Uint8Array): FractalCookie {
  if (octets.length !== COOKIE_LENGTH) {
    throw new DecodeError(
      "bad-length",
      `a fractal cookie has ${COOKIE_LENGTH} octets, not ${octets.length}`,
      0,
    );
  }
  const reader = new Reader(octets);
  const magic = reader.view(MAGIC.length, "cookie magic");
  if (!magic.every((octet, i) => octet === MAGIC[i])) {
    throw new DecodeError("bad-value", "the cookie does not start with <FG-TD1>", 0);
  }
  const type = reader.u8("message type");
  if (type !== FractalType.parameter) {
    throw new DecodeError("bad-value", `the cookie holds a message of type ${type}`, MAGIC.length);
  }
  reader.skip(3, "message flags and length");
  const parameter = readFractalParameter(reader);
  const offset = reader.offset;
  const currentX = reader.u32("CurrentX");
  const currentY = reader.u32("CurrentY");
  if (currentX >= parameter.width || currentY >= parameter.height) {
    throw new DecodeError("bad-value", `position (${currentX}, ${currentY}) is outside the image`, offset);
  }
  return { parameter, currentX, currentY };
}

/**
 * Writes a cookie exactly as RSPLIB does, so that servers of both kinds can take over from each other.
 *
 * @returns 76 octets
 */
export function writeFractalCookie({ parameter, currentX, currentY }: FractalCookie): Uint8Array {
  const writer = new Writer(COOKIE_LENGTH);
  writer.bytes(MAGIC);
  writeFractalParameter(writer, parameter, QUIRK_LENGTH);
  writer.u32(currentX);
  writer.u32(currentY);
  return writer.finish();
}
