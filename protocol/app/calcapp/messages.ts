import { DecodeError } from "../../wire/errors.ts";
import { assert } from "../../wire/assert.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";

/** Message types of the CalcApp protocol (reference/rsplib.md §5.4, SCTP PPID 34). */
export const CalcAppType = {
  request: 1,
  accept: 2,
  reject: 3,
  abort: 4,
  complete: 5,
  keepAlive: 6,
  keepAliveAck: 7,
} as const;

/** Largest job, in calculations: what a number holds exactly. At RSPLIB's usual speed it would take 285 years. */
export const MAX_JOB_SIZE: number = Number.MAX_SAFE_INTEGER;

/** All messages have one layout. */
const MESSAGE_LENGTH = 24;

/** Request, PU to PE: a job. */
export interface CalcAppRequest {
  /** Which message it is. */
  readonly type: "request";
  /** Chosen by the PU; names the job within the session. */
  readonly jobId: number;
  /** Calculations, at most {@linkcode MAX_JOB_SIZE}. */
  readonly jobSize: number;
}

/** Complete, PE to PU: the job is done. */
export interface CalcAppComplete {
  /** Which message it is. */
  readonly type: "complete";
  /** Which job. */
  readonly jobId: number;
  /** Calculations, as requested. */
  readonly jobSize: number;
  /** Calculations that were done: all of them. */
  readonly completed: number;
}

/** The messages that say something about a job and need no more words. */
export interface CalcAppSignal {
  /**
   * Accept and reject answer a Request or a cookie, PE to PU. A keep-alive is sent by either side about an accepted job and
   * is acknowledged by the other one. Abort gives a job up; RSPLIB knows the message and never sends it.
   */
  readonly type: "accept" | "reject" | "abort" | "keepAlive" | "keepAliveAck";
  /** Which job. */
  readonly jobId: number;
}

/** Any message of the CalcApp protocol. */
export type CalcAppMessage = CalcAppRequest | CalcAppComplete | CalcAppSignal;

/**
 * Reads a message of the CalcApp protocol:
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |   Flags (0)   |     Message Length = 24       |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                            Job ID                             |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |            Job Size (64 bits; Request and Complete)           |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |               Completed (64 bits; Complete only)              |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Strict: the length, since all messages have the same. Tolerant: flags, and fields that mean nothing in a message of its
 * type, are ignored.
 *
 * @param octets one whole SCTP user message of PPID 34; borrowed
 * @throws {DecodeError} when the message is not valid
 *
 * @example RSPLIB's Accept of job 1
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = Uint8Array.fromHex("02000018" + "00000001" + "00".repeat(16));
 * assert.deepEqual(readCalcApp(octets), { type: "accept", jobId: 1 });
 * ```
 */
export function readCalcApp(octets: Uint8Array): CalcAppMessage {
  const reader = new Reader(octets);
  const code = reader.u8("message type");
  reader.skip(1, "message flags");
  const length = reader.u16("message length");
  const type = TYPES.get(code);
  if (type === undefined) {
    throw new DecodeError("unknown-type", `CalcApp message type ${code} is unknown`, 0);
  }
  if (length !== MESSAGE_LENGTH || octets.length !== MESSAGE_LENGTH) {
    const sentence =
      `a CalcApp message has ${MESSAGE_LENGTH} octets; this one says ${length}, and has ${octets.length}`;
    throw new DecodeError("bad-length", sentence, 2);
  }
  const jobId = reader.u32("job ID");
  switch (type) {
    case "request":
      return { type, jobId, jobSize: readCalculations(reader, "job size") };
    case "complete": {
      const jobSize = readCalculations(reader, "job size");
      return { type, jobId, jobSize, completed: readCalculations(reader, "completed calculations") };
    }
    default:
      return { type, jobId };
  }
}

const TYPES: ReadonlyMap<number, CalcAppMessage["type"]> = new Map(
  Object.entries(CalcAppType).map(([name, code]) => [code, name as CalcAppMessage["type"]]),
);

/**
 * Reads a number of calculations, here or in a cookie.
 *
 * @throws {DecodeError} `bad-value` when it is larger than {@linkcode MAX_JOB_SIZE}
 */
export function readCalculations(reader: Reader, what: string): number {
  const offset = reader.offset;
  const value = reader.u64(what);
  if (value > BigInt(MAX_JOB_SIZE)) {
    throw new DecodeError("bad-value", `${what}: ${value} is more than ${MAX_JOB_SIZE}`, offset);
  }
  return Number(value);
}

/**
 * Writes a message of the CalcApp protocol.
 *
 * @param message what to say
 * @returns 24 octets, to be sent as one SCTP user message of PPID 34
 */
export function writeCalcApp(message: CalcAppMessage): Uint8Array {
  const jobSize = "jobSize" in message ? message.jobSize : 0;
  const completed = "completed" in message ? message.completed : 0;
  const writer = new Writer(MESSAGE_LENGTH);
  writer.u8(CalcAppType[message.type]);
  writer.u8(0);
  writer.u16(MESSAGE_LENGTH);
  writer.u32(message.jobId);
  writeCalculations(writer, jobSize);
  writeCalculations(writer, completed);
  return writer.finish();
}

/** Writes a number of calculations, here or in a cookie. */
export function writeCalculations(writer: Writer, calculations: number): void {
  assert(
    Number.isSafeInteger(calculations) && calculations >= 0,
    "calculations are counted in whole numbers",
  );
  writer.u64(BigInt(calculations));
}
