import { DecodeError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";
import { readCalculations, writeCalculations } from "./messages.ts";

/** State of a job, which a PE gives to the PU for the PE's successor (RFC 5352 §2.2.11). */
export interface CalcAppCookie {
  /** The PU's name for the job. */
  readonly jobId: number;
  /** Calculations of the whole job. */
  readonly jobSize: number;
  /** Those that are done. */
  readonly completed: number;
}

const COOKIE_LENGTH = 20;

/**
 * Reads a cookie: job ID (u32), job size and completed calculations (u64 each). RSPLIB's cookies have nothing that tells
 * them from others of the same length.
 *
 * @param octets value of the Cookie parameter; borrowed
 * @throws {DecodeError} when it is no valid cookie
 */
export function readCalcAppCookie(octets: Uint8Array): CalcAppCookie {
  if (octets.length !== COOKIE_LENGTH) {
    throw new DecodeError(
      "bad-length",
      `a CalcApp cookie has ${COOKIE_LENGTH} octets, not ${octets.length}`,
      0,
    );
  }
  const reader = new Reader(octets);
  const jobId = reader.u32("job ID");
  const jobSize = readCalculations(reader, "job size");
  const offset = reader.offset;
  const completed = readCalculations(reader, "completed calculations");
  if (completed > jobSize) {
    const sentence = `${completed} calculations are completed, but the job has ${jobSize}`;
    throw new DecodeError("bad-value", sentence, offset);
  }
  return { jobId, jobSize, completed };
}

/**
 * Writes a cookie exactly as RSPLIB does, so that servers of both kinds can take over from each other.
 *
 * @returns 20 octets
 */
export function writeCalcAppCookie({ jobId, jobSize, completed }: CalcAppCookie): Uint8Array {
  const writer = new Writer(COOKIE_LENGTH);
  writer.u32(jobId);
  writeCalculations(writer, jobSize);
  writeCalculations(writer, completed);
  return writer.finish();
}
