import { readChecksum } from "../param/checksum.ts";
import { readFrame } from "../param/frame.ts";
import { ParameterReader } from "../param/parameter_reader.ts";
import { ParameterType } from "../param/parameter_type.ts";
import {
  given,
  takeElement,
  takeElements,
  takeError,
  takeOptionalServer,
  takePoolHandle,
} from "../param/take.ts";
import { readServerInformation, type ServerInformation } from "../param/server_information.ts";
import { DecodeError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import { EnrpFlag, type EnrpMessage, EnrpType, type HandleUpdate, type PoolEntry } from "./message.ts";

/**
 * Reads a message of ENRP (RFC 5353 §2). Flags that are not defined are ignored.
 *
 * @param octets one whole SCTP user message of PPID 12, or one datagram of the presence group; borrowed
 * @param unrecognized gets a copy of each unknown parameter that is skipped but wants to be reported (action bits 11);
 *   absent = they are skipped without a word, as RSPLIB does it
 * @returns the message, which keeps nothing of `octets`
 * @throws {DecodeError} when the message cannot be read; `errorFor` says what to answer
 *
 * @example A list request
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const message = readEnrp(Uint8Array.fromHex("0500000cc2818128e7bbf4ba"));
 * assert.deepEqual(message, { type: "listRequest", senderId: 0xc2818128, receiverId: 0xe7bbf4ba });
 * ```
 */
export function readEnrp(octets: Uint8Array, unrecognized?: Uint8Array[]): EnrpMessage {
  const { type, flags, body } = readFrame(octets);
  const readBody = READERS[type];
  if (readBody === undefined) {
    throw new DecodeError("unknown-type", `ENRP message type ${type} is unknown`, 0, octets.slice());
  }
  const ids: Ids = { senderId: body.u32("sender ID"), receiverId: body.u32("receiver ID") };
  return readBody({ ids, flags, body, unrecognized });
}

interface Ids {
  readonly senderId: number;
  readonly receiverId: number;
}

/** What a reader gets: the message behind the two IDs. */
interface Rest {
  readonly ids: Ids;
  readonly flags: number;
  readonly body: Reader;
  readonly unrecognized: Uint8Array[] | undefined;
}

const READERS: { readonly [type: number]: (rest: Rest) => EnrpMessage } = {
  [EnrpType.presence]: (rest) =>
    withParameters(rest, (parameters) => ({
      type: "presence",
      ...rest.ids,
      replyRequired: (rest.flags & EnrpFlag.replyRequired) !== 0,
      checksum: parameters.take(ParameterType.peChecksum, "PE checksum", readChecksum),
      ...given("serverInformation", takeOptionalServer(parameters)),
    })),
  [EnrpType.handleTableRequest]: (rest) =>
    withParameters(rest, () => ({
      type: "handleTableRequest",
      ...rest.ids,
      ownChildrenOnly: (rest.flags & EnrpFlag.ownChildrenOnly) !== 0,
    })),
  [EnrpType.handleTableResponse]: (rest) =>
    withParameters(rest, (parameters) => ({
      type: "handleTableResponse",
      ...rest.ids,
      rejected: (rest.flags & EnrpFlag.rejected) !== 0,
      more: (rest.flags & EnrpFlag.more) !== 0,
      pools: takePools(parameters),
    })),
  [EnrpType.handleUpdate]: readHandleUpdate,
  [EnrpType.listRequest]: (rest) => withParameters(rest, () => ({ type: "listRequest", ...rest.ids })),
  [EnrpType.listResponse]: (rest) =>
    withParameters(rest, (parameters) => ({
      type: "listResponse",
      ...rest.ids,
      rejected: (rest.flags & EnrpFlag.rejected) !== 0,
      servers: takeServers(parameters),
    })),
  [EnrpType.initTakeover]: (rest) => readTakeover(rest, "initTakeover"),
  [EnrpType.initTakeoverAck]: (rest) => readTakeover(rest, "initTakeoverAck"),
  [EnrpType.takeoverServer]: (rest) => readTakeover(rest, "takeoverServer"),
  [EnrpType.error]: (rest) =>
    withParameters(rest, (parameters) => ({ type: "error", ...rest.ids, error: takeError(parameters) })),
};

/** Reads the parameters up to the end of the message. */
function withParameters<Message>(rest: Rest, read: (parameters: ParameterReader) => Message): Message {
  const parameters = ParameterReader.rest(rest.body, rest.unrecognized);
  const message = read(parameters);
  parameters.end();
  return message;
}

/**
 * Behind the IDs (RFC 5353 §2.4):
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |         Update Action         |           (reserved)          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :             Pool Handle and Pool Element parameters           :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
function readHandleUpdate(rest: Rest): HandleUpdate {
  const { ids, flags, body } = rest;
  const offset = body.offset;
  const action = body.u16("update action");
  if (action > 1) {
    throw new DecodeError("bad-value", `update action is ${action} at offset ${offset}`, offset);
  }
  body.skip(2, "reserved field of the handle update");
  return withParameters(rest, (parameters) => ({
    type: "handleUpdate",
    ...ids,
    action: action === 0 ? "add" : "delete",
    ...given("takeoverSuggested", (flags & EnrpFlag.takeoverSuggested) !== 0 || undefined),
    poolHandle: takePoolHandle(parameters),
    element: takeElement(parameters),
  }));
}

/** The three takeover messages look alike: the target's ID follows the sender's and the receiver's. */
function readTakeover<Type extends "initTakeover" | "initTakeoverAck" | "takeoverServer">(
  rest: Rest,
  type: Type,
): {
  readonly type: Type;
  readonly senderId: number;
  readonly receiverId: number;
  readonly targetId: number;
} {
  const targetId = rest.body.u32("target ID");
  return withParameters(rest, () => ({ type, ...rest.ids, targetId }));
}

/** Pools and their elements; RSPLIB repeats neither, but a pool without elements is no error. */
function takePools(parameters: ParameterReader): PoolEntry[] {
  const pools: PoolEntry[] = [];
  while (parameters.next === ParameterType.poolHandle) {
    pools.push({ poolHandle: takePoolHandle(parameters), elements: takeElements(parameters) });
  }
  return pools;
}

function takeServers(parameters: ParameterReader): ServerInformation[] {
  const servers: ServerInformation[] = [];
  while (parameters.next === ParameterType.serverInformation) {
    servers.push(
      parameters.take(ParameterType.serverInformation, "server information", readServerInformation),
    );
  }
  return servers;
}
