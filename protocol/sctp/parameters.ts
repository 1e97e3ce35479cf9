/**
 * Parameters of INIT and INIT ACK chunks (RFC 9260 §3.3.2.1, §3.3.3.1), and what is done with unknown ones (§3.2.1).
 */
import { formatIpAddress, ipAddressOctets, isIpv4 } from "../net.ts";
import type { IpAddress } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";

/** Parameter types that this stack reads or writes. */
export const ParameterType = {
  heartbeatInfo: 1,
  ipv4Address: 5,
  ipv6Address: 6,
  stateCookie: 7,
  unrecognizedParameter: 8,
  cookiePreservative: 9,
  hostName: 11,
  supportedAddressTypes: 12,
  /** RFC 4895 §3 */
  random: 0x8002,
  authenticatedChunks: 0x8003,
  hmacAlgorithms: 0x8004,
  supportedExtensions: 0x8008,
  forwardTsnSupported: 0xc000,
  /** RFC 5061 §4.2 */
  addAddress: 0xc001,
  deleteAddress: 0xc002,
  errorIndication: 0xc003,
  setPrimaryAddress: 0xc004,
  successIndication: 0xc005,
  /** RFC 5061 §4.2.6 */
  adaptationIndication: 0xc006,
} as const;

/** Reads a parameter's header and gives a reader for its value. Padding is skipped as far as it is there. */
export function readParameter(reader: Reader): { type: number; value: Reader; whole: Uint8Array } {
  const start = reader.offset;
  const type = reader.u16("parameter type");
  const length = reader.u16("parameter length");
  if (length < 4) throw new DecodeError("bad-length", `a parameter of ${length} octets has no header`, start);
  const view = reader.view(length - 4, "parameter value");
  const whole = new Uint8Array(view.buffer, view.byteOffset - 4, length);
  const value = new Reader(view, start + 4);
  reader.skipPadding();
  return { type, value, whole };
}

/** Writes an address parameter. */
export function writeAddress(writer: Writer, address: IpAddress): void {
  const octets = ipAddressOctets(address);
  if (octets === undefined) return;
  const type = isIpv4(address) ? ParameterType.ipv4Address : ParameterType.ipv6Address;
  writer.tlv(type, (w) => w.bytes(octets));
}

/** Reads the value of an address parameter. */
export function readAddress(type: number, value: Reader): IpAddress {
  return formatIpAddress(value.bytes(type === ParameterType.ipv4Address ? 4 : 16, "address"));
}
