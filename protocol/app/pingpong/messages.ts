import { DecodeError, StateError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";

/** Message types of the Ping Pong Protocol (SCTP PPID 33). */
export const PingPongType = { ping: 1, pong: 2 } as const;

const HEADER_LENGTH = 4;
/** Octets before the data of a Ping. */
const PING_LENGTH = HEADER_LENGTH + 8;
/** Octets before the data of a Pong. */
const PONG_LENGTH = HEADER_LENGTH + 16;

/** Most octets of data: with more, the length field of the Pong could not say how long it is. */
export const MAX_PING_DATA: number = 0xffff - PONG_LENGTH;

/** Ping, PU to PE: an answer is wanted. */
export interface Ping {
  /** Which message it is. */
  readonly type: "ping";
  /** Counted by the PU, 64 bits. */
  readonly messageNumber: bigint;
  /** Comes back as it is; at most {@linkcode MAX_PING_DATA} octets. */
  readonly data: Uint8Array;
}

/** Pong, PE to PU: the answer. */
export interface Pong {
  /** Which message it is. */
  readonly type: "pong";
  /** The Ping's. */
  readonly messageNumber: bigint;
  /** Counted by the PE over all Pongs of a session, from 1, and by its successor after a failover. 64 bits. */
  readonly replyNumber: bigint;
  /** The Ping's. */
  readonly data: Uint8Array;
}

/** Any message of the Ping Pong Protocol. */
export type PingPongMessage = Ping | Pong;

/**
 * Reads a message of the Ping Pong Protocol (reference/rsplib.md §5.3):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |   Flags (0)   |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                        Message Number                         |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  Reply Number (Pong only)                     |
 *     |                                                               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :                             Data                              :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Strict: the length field must be the message's length, since nothing can follow a message. Tolerant: flags are ignored.
 *
 * @param octets one whole SCTP user message of PPID 33; borrowed
 * @throws {DecodeError} when the message is not valid; RSPLIB's server aborts the association then
 *
 * @example RSPLIB's first Ping, with less to say
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = Uint8Array.fromHex("0100000e00000000000000014869");
 * const ping = readPingPong(octets);
 * assert.deepEqual(ping, { type: "ping", messageNumber: 1n, data: Uint8Array.of(0x48, 0x69) });
 * assert.deepEqual(writePingPong(ping), octets);
 * ```
 */
export function readPingPong(octets: Uint8Array): PingPongMessage {
  const reader = new Reader(octets);
  const type = reader.u8("message type");
  reader.skip(1, "message flags");
  const length = reader.u16("message length");
  if (type !== PingPongType.ping && type !== PingPongType.pong) {
    throw new DecodeError("unknown-type", `ping-pong message type ${type} is unknown`, 0);
  }
  if (length !== octets.length) {
    throw new DecodeError(
      "bad-length",
      `the message says it has ${length} octets, but has ${octets.length}`,
      2,
    );
  }
  const messageNumber = reader.u64("message number");
  if (type === PingPongType.pong) {
    const replyNumber = reader.u64("reply number");
    return { type: "pong", messageNumber, replyNumber, data: reader.bytes(reader.remaining, "data") };
  }
  if (reader.remaining > MAX_PING_DATA) {
    throw new DecodeError("bad-length", `a Pong cannot hold the ${reader.remaining} octets of the Ping`, 2);
  }
  return { type: "ping", messageNumber, data: reader.bytes(reader.remaining, "data") };
}

/**
 * Writes a message of the Ping Pong Protocol.
 *
 * @param message what to say
 * @returns its octets, to be sent as one SCTP user message of PPID 33
 * @throws {StateError} when the data is longer than {@linkcode MAX_PING_DATA}
 */
export function writePingPong(message: PingPongMessage): Uint8Array {
  const { type, messageNumber, data } = message;
  if (data.length > MAX_PING_DATA) {
    throw new StateError(
      `a ping-pong message has at most ${MAX_PING_DATA} octets of data, not ${data.length}`,
    );
  }
  const length = (type === "ping" ? PING_LENGTH : PONG_LENGTH) + data.length;
  const writer = new Writer(length);
  writer.u8(PingPongType[type]);
  writer.u8(0);
  writer.u16(length);
  writer.u64(messageNumber);
  if (type === "pong") writer.u64(message.replyNumber);
  writer.bytes(data);
  return writer.finish();
}
