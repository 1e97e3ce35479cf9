/**
 * ASCONF and ASCONF-ACK (RFC 5061 §4.1): requests to change addresses, and what became of each.
 *
 *     ASCONF:      header, sequence number, address parameter, requests …
 *     ASCONF-ACK:  header, sequence number, responses …
 *
 *     request:     +-------------------------------+-------------------------------+
 *                  |   0xC001, 0xC002 or 0xC004    |            length             |
 *                  |                   request correlation ID                      |
 *                  |                     address parameter                         |
 *                  +---------------------------------------------------------------+
 *     response:    0xC003 with the correlation ID and error causes, or 0xC005 with the correlation ID alone
 */
import type { ErrorCause, IpAddress } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import { Reader } from "../wire/reader.ts";
import { CauseCode, writeCause } from "./causes.ts";
import { ChunkType, makeChunk, reportsUnknown, skipsUnknown } from "./chunk.ts";
import { MAX_CAUSE_OCTETS, MAX_PARAMETERS } from "./limits.ts";
import { ParameterType, readAddress, readParameter, writeAddress } from "./parameters.ts";

/** What is asked for. */
export type AsconfKind = "add" | "delete" | "setPrimary";

/** One request of an ASCONF. */
export interface AsconfRequest {
  readonly kind: AsconfKind;
  readonly correlationId: number;
  /** 0.0.0.0 and :: stand for the address that the packet comes from (§4.2.1, §4.2.2, §4.2.4). */
  readonly address: IpAddress;
}

/** A request as it was received. */
export interface ReceivedRequest extends AsconfRequest {
  /** The parameter, which goes back with an error: at most {@linkcode MAX_CAUSE_OCTETS} of it. */
  readonly whole: Uint8Array;
}

/** What becomes of a request. */
export interface AsconfResponse {
  readonly correlationId: number;
  /** Undefined = it was carried out. */
  readonly cause: ErrorCause | undefined;
}

/** An ASCONF as it was received. */
export interface ReceivedAsconf {
  readonly serial: number;
  readonly requests: readonly (ReceivedRequest | AsconfResponse)[];
}

const KINDS: ReadonlyMap<number, AsconfKind> = new Map([
  [ParameterType.addAddress, "add"],
  [ParameterType.deleteAddress, "delete"],
  [ParameterType.setPrimaryAddress, "setPrimary"],
]);

const KIND_TYPES: Readonly<Record<AsconfKind, number>> = {
  add: ParameterType.addAddress,
  delete: ParameterType.deleteAddress,
  setPrimary: ParameterType.setPrimaryAddress,
};

/** Octets of header, sequence number. */
const FIXED_OCTETS = 8;

/**
 * Writes an ASCONF.
 *
 * @param address one by which the peer knows this side, so that it finds the association whatever the packet's source
 */
export function writeAsconf(
  serial: number,
  address: IpAddress,
  requests: readonly AsconfRequest[],
): Uint8Array {
  return makeChunk(ChunkType.asconf, 0, (w) => {
    w.u32(serial);
    writeAddress(w, address);
    for (const request of requests) {
      w.tlv(KIND_TYPES[request.kind], (value) => {
        value.u32(request.correlationId);
        writeAddress(value, request.address);
      });
    }
  }, FIXED_OCTETS);
}

/**
 * Reads an ASCONF. A request of an unknown type follows its action bits: it is reported or not, and ends the list or
 * not (§5.2 V2).
 *
 * @param chunk header and value
 * @throws {DecodeError} when the chunk or a parameter is too short
 */
export function readAsconf(chunk: Uint8Array): ReceivedAsconf {
  const reader = new Reader(chunk);
  reader.skip(4, "chunk header");
  const serial = reader.u32("sequence number");
  readAddressParameter(reader);
  const requests: (ReceivedRequest | AsconfResponse)[] = [];
  for (let count = 0; reader.remaining >= 4 && count < MAX_PARAMETERS; count++) {
    const { type, value, whole: octets } = readParameter(reader);
    const whole = octets.slice(0, MAX_CAUSE_OCTETS);
    const correlationId = value.u32("correlation ID");
    const kind = KINDS.get(type);
    if (kind !== undefined) {
      requests.push({ kind, correlationId, address: readAddressParameter(value), whole });
      continue;
    }
    const actionBits = type >>> 14;
    if (reportsUnknown(actionBits)) {
      requests.push({ correlationId, cause: { code: CauseCode.unrecognizedParameters, info: whole } });
    }
    if (!skipsUnknown(actionBits)) break;
  }
  return { serial, requests };
}

function readAddressParameter(reader: Reader): IpAddress {
  const { type, value } = readParameter(reader);
  if (type === ParameterType.ipv4Address || type === ParameterType.ipv6Address) {
    return readAddress(type, value);
  }
  throw new DecodeError("bad-value", `a parameter of type ${type} is no address`, reader.offset);
}

/** Writes an ASCONF-ACK. */
export function writeAsconfAck(serial: number, responses: readonly AsconfResponse[]): Uint8Array {
  return makeChunk(ChunkType.asconfAck, 0, (w) => {
    w.u32(serial);
    for (const { correlationId, cause } of responses) {
      w.tlv(
        cause === undefined ? ParameterType.successIndication : ParameterType.errorIndication,
        (value) => {
          value.u32(correlationId);
          if (cause !== undefined) writeCause(value, cause);
        },
      );
    }
  }, FIXED_OCTETS);
}

/**
 * Reads an ASCONF-ACK.
 *
 * @param chunk header and value
 * @throws {DecodeError} when the chunk or a parameter is too short
 */
export function readAsconfAck(chunk: Uint8Array): { serial: number; responses: AsconfResponse[] } {
  const reader = new Reader(chunk);
  reader.skip(4, "chunk header");
  const serial = reader.u32("sequence number");
  const responses: AsconfResponse[] = [];
  for (let count = 0; reader.remaining >= 4 && count < MAX_PARAMETERS; count++) {
    const { type, value } = readParameter(reader);
    if (type === ParameterType.successIndication) {
      responses.push({ correlationId: value.u32("correlation ID"), cause: undefined });
    } else if (type === ParameterType.errorIndication) {
      const correlationId = value.u32("correlation ID");
      const code = value.remaining >= 4 ? value.u16("cause code") : CauseCode.protocolViolation;
      if (value.remaining >= 2) value.skip(2, "cause length");
      const info = value.bytes(Math.min(value.remaining, MAX_CAUSE_OCTETS), "cause information");
      responses.push({ correlationId, cause: { code, info } });
    }
  }
  return { serial, responses };
}
