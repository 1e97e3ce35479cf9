import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterReader } from "./parameter_reader.ts";
import { ParameterType } from "./parameter_type.ts";
import { type PolicyParameter, readPolicy, writePolicy } from "./policy.ts";
import {
  type SctpTransport,
  takeSctpTransport,
  takeTransport,
  type TransportParameter,
  writeTransport,
} from "./transport.ts";

/** Pool Element parameter (RFC 5354 §3.10). */
export interface PoolElement {
  /** PE identifier, 32 bits, not 0. */
  readonly elementId: number;
  /** ID of the registrar that looks after the element; 0 in a registration. */
  readonly homeRegistrarId: number;
  /**
   * Registration life in milliseconds, signed 32 bits; -1 = for ever. RFC 5354 has seconds; RSPLIB, which is all there
   * is to talk to, has milliseconds (reference/rsplib.md §3.5).
   */
  readonly registrationLifeMs: number;
  /** Where its users reach it. */
  readonly userTransport: TransportParameter;
  /** How the pool selects, and this element's values for it. */
  readonly policy: PolicyParameter;
  /** Where registrars reach it; in ENRP only. */
  readonly asapTransport?: SctpTransport | undefined;
}

/**
 * Reads the value of a Pool Element parameter:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                         PE Identifier                         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                 Home ENRP Server Identifier                   |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                       Registration Life                       |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :  User Transport, Selection Policy, ASAP Transport parameters  :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function readPoolElement(reader: Reader, unrecognized?: Uint8Array[]): PoolElement {
  const elementId = reader.u32("PE identifier");
  const homeRegistrarId = reader.u32("home registrar ID");
  const registrationLifeMs = reader.i32("registration life");
  const parameters = ParameterReader.rest(reader, unrecognized);
  const userTransport = takeTransport(parameters, "user transport");
  const policy = parameters.take(ParameterType.memberSelectionPolicy, "policy", readPolicy);
  const element = { elementId, homeRegistrarId, registrationLifeMs, userTransport, policy };
  if (parameters.next !== ParameterType.sctpTransport) {
    parameters.end();
    return element;
  }
  const asapTransport = takeSctpTransport(parameters, "ASAP transport");
  parameters.end();
  return { ...element, asapTransport };
}

/** Writes a Pool Element parameter. */
export function writePoolElement(writer: Writer, element: PoolElement): void {
  writer.tlv(ParameterType.poolElement, (value) => {
    value.u32(element.elementId);
    value.u32(element.homeRegistrarId);
    value.i32(element.registrationLifeMs);
    writeTransport(value, element.userTransport);
    writePolicy(value, element.policy);
    if (element.asapTransport !== undefined) writeTransport(value, element.asapTransport);
  });
}
