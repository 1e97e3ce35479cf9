import type { IpAddress } from "../net.ts";
import { DecodeError, StateError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { takeAddress, writeAddress } from "./address.ts";
import { ParameterReader } from "./parameter_reader.ts";
import { ParameterType } from "./parameter_type.ts";

/** Whether a transport carries the user's data only, or ASAP's control channel too (RFC 5354 §3.4). Only SCTP can. */
export type TransportUse = "data" | "data+control";

/** What all transports have, so that code that treats them alike need not tell them apart. */
export interface TransportBase<Protocol extends string, Use extends TransportUse = TransportUse> {
  /** Which protocol it is. */
  readonly protocol: Protocol;
  /** 0..65535 */
  readonly port: number;
  /** "data" for all but SCTP. */
  readonly use: Use;
  /** At least one; more than one only with SCTP. */
  readonly addresses: readonly IpAddress[];
}

/** SCTP Transport parameter (RFC 5354 §3.4): 1 to {@linkcode MAX_TRANSPORT_ADDRESSES} addresses. */
export interface SctpTransport extends TransportBase<"sctp"> {}

/**
 * TCP Transport parameter (RFC 5354 §3.5): exactly one address, data only. RSPLIB has a transport use where RFC 5354 has
 * a reserved field; it is ignored.
 */
export interface TcpTransport extends TransportBase<"tcp", "data"> {}

/** UDP (RFC 5354 §3.6) or UDP-Lite (§3.7) Transport parameter: exactly one address, data only. */
export interface UdpTransport extends TransportBase<"udp" | "udp-lite", "data"> {}

/** DCCP Transport parameter (RFC 5354 §3.3): exactly one address, data only. */
export interface DccpTransport extends TransportBase<"dccp", "data"> {
  /** 32 bits. */
  readonly serviceCode: number;
}

/** Opaque Transport parameter (RFC 5354 §3.16): means something to the application only. No port, no address. */
export interface OpaqueTransport extends TransportBase<"opaque", "data"> {
  /** Any octets. */
  readonly value: Uint8Array;
}

/** Where something is reached (RFC 5354 §3.3–3.7, §3.16). */
export type TransportParameter =
  | SctpTransport
  | TcpTransport
  | UdpTransport
  | DccpTransport
  | OpaqueTransport;

/** Most addresses of an SCTP transport: RSPLIB keeps 64, and a peer must not make an element grow without end. */
export const MAX_TRANSPORT_ADDRESSES = 64;

type Protocol = TransportParameter["protocol"];

const TYPES: Readonly<Record<Protocol, ParameterType>> = {
  "dccp": ParameterType.dccpTransport,
  "sctp": ParameterType.sctpTransport,
  "tcp": ParameterType.tcpTransport,
  "udp": ParameterType.udpTransport,
  "udp-lite": ParameterType.udpLiteTransport,
  "opaque": ParameterType.opaqueTransport,
};

const PROTOCOLS: ReadonlyMap<number, Protocol> = new Map(
  (Object.keys(TYPES) as Protocol[]).map((protocol) => [TYPES[protocol], protocol]),
);

/** Whether a transport parameter comes next. */
export function isTransportNext(parameters: ParameterReader): boolean {
  return PROTOCOLS.has(parameters.next);
}

/**
 * Takes a transport parameter of any protocol.
 *
 * @param parameters where it comes next
 * @param what its role, for the error message
 */
export function takeTransport(parameters: ParameterReader, what: string): TransportParameter {
  const protocol = PROTOCOLS.get(parameters.next) ?? "sctp"; // no transport at all: take() says that it is missing
  return parameters.take(
    TYPES[protocol],
    what,
    (value, unrecognized) => readTransport(value, protocol, unrecognized),
  );
}

/** Takes an SCTP transport parameter, where no other will do: everything that registrars say goes over SCTP. */
export function takeSctpTransport(parameters: ParameterReader, what: string): SctpTransport {
  return parameters.take(TYPES.sctp, what, readSctpTransport);
}

function readSctpTransport(reader: Reader, unrecognized: Uint8Array[] | undefined): SctpTransport {
  const port = reader.u16("port");
  const use = readUse(reader);
  const addresses = readAddresses(reader, MAX_TRANSPORT_ADDRESSES, unrecognized);
  return { protocol: "sctp", port, use, addresses };
}

/**
 * Reads the value of a transport parameter. Without the opaque one they look alike:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |             Port              |       Transport Use (SCTP)     |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :      Service Code (DCCP only), then address parameters        :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
function readTransport(
  reader: Reader,
  protocol: Protocol,
  unrecognized: Uint8Array[] | undefined,
): TransportParameter {
  if (protocol === "opaque") {
    return { protocol, port: 0, use: "data", addresses: [], value: reader.bytes(reader.remaining, "value") };
  }
  if (protocol === "sctp") return readSctpTransport(reader, unrecognized);
  const port = reader.u16("port");
  reader.skip(2, "reserved field of the transport");
  if (protocol === "dccp") {
    const serviceCode = reader.u32("DCCP service code");
    return { protocol, port, use: "data", serviceCode, addresses: readAddresses(reader, 1, unrecognized) };
  }
  return { protocol, port, use: "data", addresses: readAddresses(reader, 1, unrecognized) };
}

function readUse(reader: Reader): TransportUse {
  const offset = reader.offset;
  const use = reader.u16("transport use");
  if (use > 1) throw new DecodeError("bad-value", `transport use is ${use} at offset ${offset}`, offset);
  return use === 1 ? "data+control" : "data";
}

function readAddresses(reader: Reader, most: number, unrecognized: Uint8Array[] | undefined): IpAddress[] {
  const offset = reader.offset;
  const parameters = ParameterReader.rest(reader, unrecognized);
  const addresses = [takeAddress(parameters)];
  while (parameters.next >= 0) {
    if (addresses.length === most) {
      throw new DecodeError("too-many", `more than ${most} addresses at offset ${offset}`, offset);
    }
    addresses.push(takeAddress(parameters));
  }
  return addresses;
}

/**
 * Writes a transport parameter.
 *
 * @throws {StateError} when the number of addresses is not what the protocol allows
 */
export function writeTransport(writer: Writer, transport: TransportParameter): void {
  writer.tlv(TYPES[transport.protocol], (value) => {
    if (transport.protocol === "opaque") {
      value.bytes(transport.value);
      return;
    }
    value.u16(transport.port);
    value.u16(transport.use === "data+control" ? 1 : 0); // the reserved field of the protocols without "use"
    if (transport.protocol === "dccp") value.u32(transport.serviceCode);
    const { protocol, addresses } = transport;
    const most = protocol === "sctp" ? MAX_TRANSPORT_ADDRESSES : 1;
    if (addresses.length < 1 || addresses.length > most) {
      throw new StateError(`a transport of ${protocol} has 1 to ${most} addresses, not ${addresses.length}`);
    }
    for (const address of addresses) writeAddress(value, address);
  });
}
