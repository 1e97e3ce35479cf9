import { formatIpAddress, type IpAddress, ipAddressOctets } from "../net.ts";
import { StateError } from "../wire/errors.ts";
import type { Writer } from "../wire/writer.ts";
import type { ParameterReader } from "./parameter_reader.ts";
import { ParameterType } from "./parameter_type.ts";

const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;

/**
 * Takes an IPv4 or IPv6 Address parameter (RFC 5354 §3.1, §3.2): 4 or 16 octets.
 *
 * An IPv4-mapped IPv6 address becomes the IPv4 address that it means, and is written as such: RSPLIB does the same.
 * Loopback and link-local addresses are read as they stand; which ones are of use is not the codec's business.
 */
export function takeAddress(parameters: ParameterReader): IpAddress {
  return parameters.next === ParameterType.ipv6Address
    ? parameters.take(
      ParameterType.ipv6Address,
      "IPv6 address",
      (value) => formatIpAddress(value.view(IPV6_LENGTH, "IPv6 address")),
    )
    : parameters.take(
      ParameterType.ipv4Address,
      "IPv4 or IPv6 address",
      (value) => formatIpAddress(value.view(IPV4_LENGTH, "IPv4 address")),
    );
}

/**
 * Writes an address as the parameter of its family. The zone of a link-local address means nothing to others and is
 * left out.
 *
 * @throws {StateError} when the text is not an address
 */
export function writeAddress(writer: Writer, address: IpAddress): void {
  const octets = ipAddressOctets(address);
  if (octets === undefined) throw new StateError(`"${address}" is not an IP address`);
  const type = octets.length === IPV4_LENGTH ? ParameterType.ipv4Address : ParameterType.ipv6Address;
  writer.tlv(type, (value) => value.bytes(octets));
}
