import { addressScope, isIpv4, isLoopback } from "../net.ts";
import type { IpAddress } from "../net.ts";

/** Addresses of a peer that are kept: more than hosts have, and a list of 128 peers still fits into a message. */
export const MAX_PEER_ADDRESSES = 8;

/**
 * The addresses among those that somebody names for a registrar at which it may be reached from here.
 *
 * @param named by the registrar itself or by another one; anything
 * @param overLoopback whether who named them is heard over the loopback interface: only then do loopback addresses mean
 *   the same to both
 */
export function reachableAddresses(named: readonly IpAddress[], overLoopback: boolean): IpAddress[] {
  return named.filter((address) => {
    if (isLoopback(address)) return overLoopback;
    return !isGroupOrNone(address) && addressScope(address) !== "link-local"; // zones are numbers of another host
  }).slice(0, MAX_PEER_ADDRESSES);
}

/**
 * Our own addresses as a peer may see them: loopback and link-local ones only if there is nothing else, or the peer is
 * heard over loopback.
 */
export function shownAddresses(own: readonly IpAddress[], overLoopback: boolean): readonly IpAddress[] {
  const far = own.filter((address) => !isLoopback(address) && addressScope(address) !== "link-local");
  const shown = overLoopback || far.length === 0 ? own : far;
  return shown.map(withoutZone).slice(0, MAX_PEER_ADDRESSES);
}

/** Multicast, broadcast, unspecified: no host has such an address. */
function isGroupOrNone(address: IpAddress): boolean {
  if (!isIpv4(address)) return address === "::" || address.toLowerCase().startsWith("ff");
  const first = Number.parseInt(address, 10);
  return first === 0 || first >= 224;
}

function withoutZone(address: IpAddress): IpAddress {
  const percent = address.indexOf("%");
  return percent < 0 ? address : address.slice(0, percent);
}
