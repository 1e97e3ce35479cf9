import { DecodeError, StateError } from "../../wire/errors.ts";
import { Reader } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";
import type { EnvironmentHash } from "./types.ts";

/** Message types of the Scripting Service Protocol (reference/rsplib.md §5.5, SCTP PPID 35); `print` is this project's. */
export const ScriptingType = {
  notReady: 0,
  ready: 1,
  upload: 2,
  download: 3,
  keepAlive: 4,
  keepAliveAck: 5,
  status: 6,
  environment: 7,
  print: 8,
} as const;

/** Most octets of a file in one message: RSPLIB's buffer. */
export const MAX_SCRIPTING_DATA = 16_384;
/** Most octets of a server's name in Ready and NotReady: RSPLIB's buffer. */
export const MAX_SCRIPTING_INFO = 64;
/** SHA-1. */
export const ENVIRONMENT_HASH_LENGTH = 20;

/** Why a server is not ready. */
export const NotReadyReason = { fullyLoaded: 1, outOfResources: 2 } as const;

/** Environment, PE to PU: the environment is not in the cache, upload it. */
const UPLOAD_NEEDED_FLAG = 0x01;

/**
 * In Ready and KeepAlive: the sender understands Print, and keep-alives at any time. RSPLIB ignores this flag; its pool users
 * leave a server that sends what they do not expect at that moment.
 */
const EXTENDED_FLAG = 0x80;

const HEADER_LENGTH = 4;

/** Where a text of a Print message comes from. */
export type PrintChannel = "stdout" | "stderr" | "server";

const PRINT_CHANNELS: readonly PrintChannel[] = ["stdout", "stderr", "server"];

/** PE to PU: no session now. Followed by the end of the association. */
export interface NotReadyMessage {
  /** Which message it is. */
  readonly type: "notReady";
  /** See {@linkcode NotReadyReason}; any 32 bits. */
  readonly reason: number;
  /** The server's name: at most {@linkcode MAX_SCRIPTING_INFO} octets, not terminated. */
  readonly info: Uint8Array;
}

/** PE to PU: begin. */
export interface ReadyMessage {
  /** Which message it is. */
  readonly type: "ready";
  /** The server's name: at most {@linkcode MAX_SCRIPTING_INFO} octets, not terminated. */
  readonly info: Uint8Array;
  /** Whether the PE understands more than RSPLIB's. */
  readonly extended: boolean;
}

/** A piece of a file: Upload, PU to PE, or Download, PE to PU. */
export interface FileMessage {
  /** Which message it is. */
  readonly type: "upload" | "download";
  /** At most {@linkcode MAX_SCRIPTING_DATA} octets; none = the end of the file. */
  readonly data: Uint8Array;
}

/** In both directions: answer by KeepAliveAck. */
export interface KeepAliveMessage {
  /** Which message it is. */
  readonly type: "keepAlive";
  /** From a PU: whether it understands more than RSPLIB's. */
  readonly extended: boolean;
}

/** In both directions: the answer to KeepAlive. */
export interface KeepAliveAckMessage {
  /** Which message it is. */
  readonly type: "keepAliveAck";
  /** A PE says 0 here; a PU says nothing. */
  readonly status: number | undefined;
}

/** PE to PU: processing starts (the first one, 0), or has ended with this exit status (the second one). */
export interface StatusMessage {
  /** Which message it is. */
  readonly type: "status";
  /** 32 bits; 0 = all is well. */
  readonly status: number;
}

/** PU to PE: whether it has this environment; PE to PU: whether it has. */
export interface EnvironmentMessage {
  /** Which message it is. */
  readonly type: "environment";
  /** Names the environment. */
  readonly hash: EnvironmentHash;
  /** From a PE: it has not. */
  readonly uploadNeeded: boolean;
}

/** PE to PU, when both are of this project: what the job has printed, or what the server has to say of it. */
export interface PrintMessage {
  /** Which message it is. */
  readonly type: "print";
  /** Whose words. */
  readonly channel: PrintChannel;
  /** UTF-8, as far as the job writes it; pieces may cut characters. At most {@linkcode MAX_SCRIPTING_DATA} octets. */
  readonly data: Uint8Array;
}

/** Any message of the Scripting Service Protocol. */
export type ScriptingMessage =
  | NotReadyMessage
  | ReadyMessage
  | FileMessage
  | KeepAliveMessage
  | KeepAliveAckMessage
  | StatusMessage
  | EnvironmentMessage
  | PrintMessage;

/**
 * Reads a message of the Scripting Service Protocol:
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     Type      |     Flags     |        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :   NotReady:          Reason (u32), Info                       :
 *     :   Ready:             Info                                     :
 *     :   Upload, Download:  Data                                     :
 *     :   KeepAlive:         -                                        :
 *     :   KeepAliveAck:      Status (u32) from a PE, - from a PU      :
 *     :   Status:            Status (u32)                             :
 *     :   Environment:       SHA-1 (20 octets)                        :
 *     :   Print:             Data; flags: 1 stdout, 2 stderr, 3 server :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Strict: the length field and the message must agree, and so must type and length. Tolerant: unknown flags are ignored.
 *
 * @param octets one whole SCTP user message of PPID 35; borrowed, but the `data` of the result is a part of it
 * @throws {DecodeError} when the message is not valid
 *
 * @example The end of an upload
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const end = { type: "upload", data: new Uint8Array() } as const;
 * assert.deepEqual(readScripting(writeScripting(end)), end);
 * ```
 */
export function readScripting(octets: Uint8Array): ScriptingMessage {
  const reader = new Reader(octets);
  const type = reader.u8("message type");
  const flags = reader.u8("message flags");
  const length = reader.u16("message length");
  if (length !== octets.length) {
    throw new DecodeError(
      "bad-length",
      `the message says it has ${length} octets, but has ${octets.length}`,
      2,
    );
  }
  const message = readBody(reader, type, flags);
  if (reader.remaining > 0) {
    throw new DecodeError(
      "bad-length",
      `${reader.remaining} octets too many at offset ${reader.offset}`,
      reader.offset,
    );
  }
  return message;
}

function readBody(reader: Reader, type: number, flags: number): ScriptingMessage {
  switch (type) {
    case ScriptingType.notReady:
      return { type: "notReady", reason: reader.u32("reason"), info: info(reader) };
    case ScriptingType.ready:
      return { type: "ready", info: info(reader), extended: isExtended(flags) };
    case ScriptingType.upload:
      return { type: "upload", data: piece(reader) };
    case ScriptingType.download:
      return { type: "download", data: piece(reader) };
    case ScriptingType.keepAlive:
      return { type: "keepAlive", extended: isExtended(flags) };
    case ScriptingType.keepAliveAck:
      return { type: "keepAliveAck", status: reader.remaining === 0 ? undefined : reader.u32("status") };
    case ScriptingType.status:
      return { type: "status", status: reader.u32("status") };
    case ScriptingType.environment: {
      const hash = reader.bytes(ENVIRONMENT_HASH_LENGTH, "hash of the environment");
      return { type: "environment", hash, uploadNeeded: (flags & UPLOAD_NEEDED_FLAG) !== 0 };
    }
    case ScriptingType.print: {
      const channel = PRINT_CHANNELS[flags - 1];
      if (channel === undefined) {
        throw new DecodeError("bad-value", `there is no channel ${flags} to print on`, 1);
      }
      return { type: "print", channel, data: piece(reader) };
    }
    default:
      throw new DecodeError("unknown-type", `scripting message type ${type} is unknown`, 0);
  }
}

function isExtended(flags: number): boolean {
  return (flags & EXTENDED_FLAG) !== 0;
}

function info(reader: Reader): Uint8Array {
  return atMost(reader, MAX_SCRIPTING_INFO, "name of the server");
}

function piece(reader: Reader): Uint8Array {
  return atMost(reader, MAX_SCRIPTING_DATA, "data");
}

/** All that remains: not copied, since every octet of a work package comes by here. */
function atMost(reader: Reader, limit: number, what: string): Uint8Array {
  const { offset, remaining } = reader;
  if (remaining > limit) {
    throw new DecodeError("bad-length", `the ${what} has ${remaining} octets, but at most ${limit}`, offset);
  }
  return reader.view(remaining, what);
}

/**
 * Writes a message of the Scripting Service Protocol.
 *
 * @param message what to say
 * @returns its octets, to be sent as one SCTP user message of PPID 35
 * @throws {StateError} when its data is longer than the protocol's limits
 */
export function writeScripting(message: ScriptingMessage): Uint8Array {
  switch (message.type) {
    case "notReady":
      return write(ScriptingType.notReady, 0, 4 + message.info.length, (writer) => {
        writer.u32(message.reason);
        writer.bytes(within(message.info, MAX_SCRIPTING_INFO));
      });
    case "ready":
      return write(ScriptingType.ready, extended(message), message.info.length, (writer) => {
        writer.bytes(within(message.info, MAX_SCRIPTING_INFO));
      });
    case "upload":
    case "download":
      return writeData(ScriptingType[message.type], 0, message.data);
    case "keepAlive":
      return write(ScriptingType.keepAlive, extended(message), 0, () => {});
    case "keepAliveAck": {
      const { status } = message;
      return write(ScriptingType.keepAliveAck, 0, status === undefined ? 0 : 4, (writer) => {
        if (status !== undefined) writer.u32(status);
      });
    }
    case "status":
      return write(ScriptingType.status, 0, 4, (writer) => writer.u32(message.status));
    case "environment": {
      const flags = message.uploadNeeded ? UPLOAD_NEEDED_FLAG : 0;
      return write(ScriptingType.environment, flags, ENVIRONMENT_HASH_LENGTH, (writer) => {
        writer.bytes(within(message.hash, ENVIRONMENT_HASH_LENGTH));
      });
    }
    case "print":
      return writeData(ScriptingType.print, PRINT_CHANNELS.indexOf(message.channel) + 1, message.data);
  }
}

function extended(message: { readonly extended: boolean }): number {
  return message.extended ? EXTENDED_FLAG : 0;
}

function writeData(type: number, flags: number, data: Uint8Array): Uint8Array {
  return write(type, flags, within(data, MAX_SCRIPTING_DATA).length, (writer) => writer.bytes(data));
}

function write(type: number, flags: number, bodyLength: number, body: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(HEADER_LENGTH + bodyLength);
  writer.u8(type);
  writer.u8(flags);
  writer.u16(HEADER_LENGTH + bodyLength);
  body(writer);
  return writer.finish();
}

function within(octets: Uint8Array, limit: number): Uint8Array {
  if (octets.length > limit) {
    throw new StateError(`a field of at most ${limit} octets cannot take ${octets.length}`);
  }
  return octets;
}

/** A part of a file as a message: its header, and the octets where they were. */
export interface FilePiece {
  readonly head: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * Writes octets of a file as full Upload or Download messages, with what remains in the last one. Every octet of a work
 * package comes by here: it is not copied.
 *
 * @returns the two parts of each message; together they are what {@linkcode writeScripting} writes
 */
export function writeFilePieces(type: "upload" | "download", data: Uint8Array): FilePiece[] {
  const pieces: FilePiece[] = [];
  for (let at = 0; at < data.length; at += MAX_SCRIPTING_DATA) {
    const piece = data.subarray(at, at + MAX_SCRIPTING_DATA);
    pieces.push({ head: writeHeader(ScriptingType[type], 0, piece.length), data: piece });
  }
  return pieces;
}

function writeHeader(type: number, flags: number, bodyLength: number): Uint8Array {
  const length = HEADER_LENGTH + bodyLength;
  return Uint8Array.of(type, flags, length >> 8, length & 0xff);
}
