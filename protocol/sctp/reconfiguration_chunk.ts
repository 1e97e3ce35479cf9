/**
 * RE-CONFIG (RFC 6525 §3.1): one or two parameters, of which at most two are requests.
 *
 *     +---------------------------------------------------------------+
 *     |  type = 130   |     flags     |            length             |
 *     |                re-configuration parameter                     |
 *     |           re-configuration parameter (optional)               |
 *     +---------------------------------------------------------------+
 */
import { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { CHUNK_HEADER_OCTETS, ChunkType, makeChunk, skipsUnknown } from "./chunk.ts";
import { readParameter } from "./parameters.ts";

/** What a request came to (§4.4, table 3). */
export const ReconfigurationResult = {
  nothingToDo: 0,
  performed: 1,
  denied: 2,
  wrongSsn: 3,
  requestInProgress: 4,
  badSequenceNumber: 5,
  inProgress: 6,
} as const;

/** A parameter of RE-CONFIG. `request` and `response` are sequence numbers of requests. */
export type ReconfigurationParameter = ReconfigurationRequest | ReconfigurationResponse;

/** A parameter that asks for something. */
export type ReconfigurationRequest =
  | OutgoingReset
  /** §4.2: the receiver shall reset streams that it sends on; none listed = all. */
  | { readonly type: "resetIncoming"; readonly request: number; readonly streams: readonly number[] }
  /** §4.3 */
  | { readonly type: "resetAssociation"; readonly request: number }
  /** §4.5 */
  | { readonly type: "addOutgoing"; readonly request: number; readonly count: number }
  /** §4.6 */
  | { readonly type: "addIncoming"; readonly request: number; readonly count: number };

/** §4.1: the sender's streams; none listed = all. */
export interface OutgoingReset {
  readonly type: "resetOutgoing";
  readonly request: number;
  /** The request that this one answers, or the last one of the peer. */
  readonly response: number;
  /** The last TSN that may belong to a message of before the reset. */
  readonly lastTsn: number;
  readonly streams: readonly number[];
}

/** §4.4 */
export interface ReconfigurationResponse {
  readonly type: "response";
  readonly response: number;
  /** A {@linkcode ReconfigurationResult}. */
  readonly result: number;
  /** Of a reset of the association: the next TSNs of both sides. */
  readonly tsns?: { readonly sender: number; readonly receiver: number } | undefined;
}

/** Parameter types (§4). */
const TYPES = {
  resetOutgoing: 13,
  resetIncoming: 14,
  resetAssociation: 15,
  response: 16,
  addOutgoing: 17,
  addIncoming: 18,
} as const;

/** More parameters are not read: no combination of §3.1 has them. */
const MAX_RECONFIGURATION_PARAMETERS = 2;

/** Octets of a RE-CONFIG chunk with an Outgoing SSN Reset Request, streams apart. */
export const OUTGOING_RESET_OCTETS = 20;

/** Writes a RE-CONFIG chunk. */
export function makeReconfiguration(parameters: readonly ReconfigurationParameter[]): Uint8Array {
  return makeChunk(ChunkType.reconfiguration, 0, (w) => {
    for (const parameter of parameters) {
      w.tlv(TYPES[parameter.type], (value) => writeParameter(value, parameter));
    }
  }, CHUNK_HEADER_OCTETS);
}

function writeParameter(w: Writer, parameter: ReconfigurationParameter): void {
  w.u32(parameter.type === "response" ? parameter.response : parameter.request);
  switch (parameter.type) {
    case "resetOutgoing":
      w.u32(parameter.response);
      w.u32(parameter.lastTsn);
      return parameter.streams.forEach((stream) => w.u16(stream));
    case "resetIncoming":
      return parameter.streams.forEach((stream) => w.u16(stream));
    case "resetAssociation":
      return;
    case "addOutgoing":
    case "addIncoming":
      w.u16(parameter.count);
      return w.u16(0);
    case "response":
      w.u32(parameter.result);
      if (parameter.tsns === undefined) return;
      w.u32(parameter.tsns.sender);
      return w.u32(parameter.tsns.receiver);
    default:
      return parameter satisfies never;
  }
}

/**
 * Reads a RE-CONFIG chunk. Parameters of unknown types are passed over, or end the list, as their action bits say.
 *
 * @param chunk header and value
 * @throws {DecodeError} when a parameter is too short
 */
export function readReconfiguration(chunk: Uint8Array): ReconfigurationParameter[] {
  const reader = new Reader(chunk);
  reader.skip(CHUNK_HEADER_OCTETS, "chunk header");
  const parameters: ReconfigurationParameter[] = [];
  while (reader.remaining >= 4 && parameters.length < MAX_RECONFIGURATION_PARAMETERS) {
    const { type, value } = readParameter(reader);
    const parameter = readOne(type, value);
    if (parameter !== undefined) parameters.push(parameter);
    else if (!skipsUnknown(type >>> 14)) break;
  }
  return parameters;
}

function readOne(type: number, r: Reader): ReconfigurationParameter | undefined {
  switch (type) {
    case TYPES.resetOutgoing:
      return {
        type: "resetOutgoing",
        request: r.u32("request sequence number"),
        response: r.u32("response sequence number"),
        lastTsn: r.u32("sender's last assigned TSN"),
        streams: readStreams(r),
      };
    case TYPES.resetIncoming:
      return { type: "resetIncoming", request: r.u32("request sequence number"), streams: readStreams(r) };
    case TYPES.resetAssociation:
      return { type: "resetAssociation", request: r.u32("request sequence number") };
    case TYPES.addOutgoing:
    case TYPES.addIncoming:
      return {
        type: type === TYPES.addOutgoing ? "addOutgoing" : "addIncoming",
        request: r.u32("request sequence number"),
        count: r.u16("number of new streams"),
      };
    case TYPES.response:
      return {
        type: "response",
        response: r.u32("response sequence number"),
        result: r.u32("result"),
        tsns: r.remaining >= 8
          ? { sender: r.u32("sender's next TSN"), receiver: r.u32("receiver's next TSN") }
          : undefined,
      };
    default:
      return undefined;
  }
}

function readStreams(r: Reader): number[] {
  const streams = new Set<number>();
  while (r.remaining >= 2) streams.add(r.u16("stream number"));
  return [...streams];
}
