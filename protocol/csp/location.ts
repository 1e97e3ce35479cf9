import { addressScope, formatTransportAddress, scopeRank } from "../net.ts";
import type { AddressScope, IpAddress } from "../net.ts";

/**
 * Where a component is, in RSPLIB's words: `host: 10.1.1.1:42976, fd01::1`. Global addresses, or else site-local ones; the
 * first one with the port.
 *
 * @param host the host's name; empty = it has none
 * @param addresses in the order of preference
 * @param port undefined = the component is reached at no port
 */
export function componentLocation(
  host: string,
  addresses: readonly IpAddress[],
  port: number | undefined,
): string {
  const shown = reaching(addresses, "global") ?? reaching(addresses, "site-local");
  if (shown === undefined) return host === "" ? "(local only)" : host;
  const [first = "", ...others] = shown;
  const places = [port === undefined ? first : formatTransportAddress({ address: first, port }), ...others];
  return (host === "" ? "" : `${host}: `) + places.join(", ");
}

function reaching(addresses: readonly IpAddress[], scope: AddressScope): readonly IpAddress[] | undefined {
  const far = addresses.filter((address) => scopeRank(addressScope(address)) >= scopeRank(scope));
  return far.length === 0 ? undefined : far;
}
