import { DecodeError, StateError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import { ParameterReader } from "./parameter_reader.ts";
import { ParameterType, unknownParameterAction } from "./parameter_type.ts";
import { type PolicyParameter, readPolicy, writePolicy } from "./policy.ts";
import { type TransportParameter, writeTransport } from "./transport.ts";

/** Error cause codes: RFC 5354 §3.12, and RSPLIB's own from 0x0010 on. */
export const CauseCode = {
  unspecified: 0x0000,
  unrecognizedParameter: 0x0001,
  unrecognizedMessage: 0x0002,
  invalidValues: 0x0003,
  nonUniqueElementId: 0x0004,
  inconsistentPolicy: 0x0005,
  lackOfResources: 0x0006,
  inconsistentTransportType: 0x0007,
  inconsistentDataControl: 0x0008,
  unknownPoolHandle: 0x0009,
  rejectedForSecurity: 0x000a,
  /** RSPLIB: the message cannot be read, its length for example is wrong. */
  invalidMessage: 0x0010,
  /** RSPLIB: a value is wrong, for example no usable address. */
  invalidValue: 0x0011,
  /** RSPLIB: transport protocol differs from the pool's; RFC 5354 has 7 for it. */
  wrongProtocol: 0x100a,
  /** RSPLIB: it does not know the policy. */
  unsupportedPolicy: 0x100b,
  /** RSPLIB: ID 0. */
  invalidId: 0xf000,
  ownId: 0xf001,
  duplicateId: 0xf002,
  invalidPolicy: 0xf003,
  invalidPoolHandle: 0xf004,
  invalidAddresses: 0xf005,
  invalidRegistrator: 0xf006,
  /** RSPLIB: no address of the ASAP transport is an address of the association. */
  noUsableAsapAddresses: 0xf007,
  /** RSPLIB: no address of the user transport is an address of the association. */
  noUsableUserAddresses: 0xf008,
} as const;

/** One of the error cause codes with a name. */
export type CauseCode = typeof CauseCode[keyof typeof CauseCode];

/** One error cause of an Operation Error parameter (RFC 5354 §3.12). */
export interface ErrorCauseParameter {
  /** See {@linkcode CauseCode}; any 16 bits. */
  readonly code: number;
  /** Cause-specific information, often the offending or a correct parameter; empty = none. */
  readonly data: Uint8Array;
}

/** Operation Error parameter (RFC 5354 §3.12): at least one cause. RSPLIB sends and reads one. */
export type OperationError = readonly ErrorCauseParameter[];

const NO_DATA: Uint8Array = new Uint8Array();

/**
 * An operation error with one cause.
 *
 * @param code what went wrong
 * @param data cause-specific information
 */
export function operationError(code: CauseCode, data: Uint8Array = NO_DATA): OperationError {
  return [{ code, data }];
}

const CAUSE_HEADER_LENGTH = 4;

/**
 * Reads the value of an Operation Error parameter, which is a row of causes:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |          Cause Code           |         Cause Length          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :           Cause-Specific Information, then padding            :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * What the causes carry is not looked into: an error must not fail to be read because it quotes nonsense.
 */
export function readOperationError(reader: Reader): OperationError {
  const causes: ErrorCauseParameter[] = [];
  do {
    const code = reader.u16("error cause code");
    const offset = reader.offset;
    const length = reader.u16("error cause length");
    if (length < CAUSE_HEADER_LENGTH) {
      throw new DecodeError("bad-length", `error cause has length ${length} at offset ${offset}`, offset);
    }
    causes.push({ code, data: reader.bytes(length - CAUSE_HEADER_LENGTH, "error cause information") });
    reader.skipPadding();
  } while (reader.remaining > 0);
  return causes;
}

/**
 * Writes an Operation Error parameter. As RSPLIB does it, the padding of the last cause is the parameter's padding
 * and counts in neither length.
 *
 * @throws {StateError} when there is no cause
 */
export function writeOperationError(writer: Writer, error: OperationError): void {
  if (error.length === 0) throw new StateError("an operation error has at least one cause");
  writer.tlv(ParameterType.operationError, (value) => {
    for (const { code, data } of error) {
      value.pad(); // that of the cause before
      value.u16(code);
      value.u16(CAUSE_HEADER_LENGTH + data.length);
      value.bytes(data);
    }
  });
}

/**
 * The rejection of a registration whose policy is not the pool's: cause 0x0005 with the pool's policy parameter
 * (RFC 5354 §3.12), as tshark expects it too. RSPLIB sends the cause without data.
 */
export function inconsistentPolicyError(poolPolicy: PolicyParameter): OperationError {
  const writer = new Writer();
  writePolicy(writer, poolPolicy);
  return operationError(CauseCode.inconsistentPolicy, writer.finish());
}

/**
 * The rejection of a registration whose user transport is not of the pool's kind: cause 0x0007 with a transport
 * parameter of the pool (RFC 5354 §3.12.8). RSPLIB has a cause of its own for that, 0x100a.
 */
export function inconsistentTransportError(poolTransport: TransportParameter): OperationError {
  const writer = new Writer();
  writeTransport(writer, poolTransport);
  return operationError(CauseCode.inconsistentTransportType, writer.finish());
}

/** The pool's policy that a rejection with cause 0x0005 tells; undefined when it tells none. */
export function poolPolicyOf(error: OperationError): PolicyParameter | undefined {
  const cause = error.find(({ code }) => code === CauseCode.inconsistentPolicy);
  if (cause === undefined || cause.data.length === 0) return undefined;
  try {
    return new ParameterReader(cause.data, 0).take(ParameterType.memberSelectionPolicy, "policy", readPolicy);
  } catch (problem) {
    if (problem instanceof DecodeError) return undefined;
    throw problem;
  }
}

/** Longer offending parameters are not quoted: with the headers around it, the answer must stay below 64 KiB. */
const MAX_QUOTED_LENGTH = 65535 - 64;

/**
 * What to answer to a message that cannot be read.
 *
 * A parameter or message of unknown type is reported (causes 1 and 2) or not, as its action bits say (RFC 5354 §3, §4);
 * a parameter with a wrong value or at the wrong place is reported (cause 3), each with the offending octets. Where there
 * is nothing to quote, RSPLIB's cause 0x0010 says it: RFC 5354 has only 0, "unspecified", for that, which RSPLIB takes
 * for "no error".
 *
 * @param error from a decoder of ASAP or ENRP
 * @returns "silent" = discard the message without an answer
 */
export function errorFor(error: DecodeError): OperationError | "silent" {
  const { reason, octets } = error;
  if (reason === "unknown-type" && octets !== undefined && !wantsReport(octets[0]!)) return "silent";
  if (octets === undefined || octets.length > MAX_QUOTED_LENGTH) {
    return operationError(CauseCode.invalidMessage);
  }
  switch (reason) {
    case "unknown-type":
      return operationError(CauseCode.unrecognizedMessage, octets);
    case "unknown-parameter":
      return unknownParameterAction(octets[0]! << 8 | octets[1]!) === "stop"
        ? "silent"
        : operationError(CauseCode.unrecognizedParameter, octets);
    default:
      return operationError(CauseCode.invalidValues, octets);
  }
}

/** Whether a message of unknown type wants to be reported: bits 01 do, 00 does not, the others are reserved. */
function wantsReport(messageType: number): boolean {
  return messageType >>> 6 === 1;
}

/** More are not reported: a message of nothing but unknown parameters is no business of ours. */
const MAX_REPORTED_PARAMETERS = 16;

/**
 * The report of parameters that were skipped but want to be reported (action bits 11): one cause each, as far as they
 * fit into a message.
 *
 * @param parameters what a decoder collected
 * @returns undefined when there is nothing to report
 */
export function unrecognizedParameters(parameters: readonly Uint8Array[]): OperationError | undefined {
  const causes: ErrorCauseParameter[] = [];
  let length = 0;
  for (const data of parameters.slice(0, MAX_REPORTED_PARAMETERS)) {
    length += CAUSE_HEADER_LENGTH + (data.length + 3 & ~3);
    if (length <= MAX_QUOTED_LENGTH) causes.push({ code: CauseCode.unrecognizedParameter, data });
  }
  return causes.length === 0 ? undefined : causes;
}
