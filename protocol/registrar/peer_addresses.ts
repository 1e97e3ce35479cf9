import { addressScope, isIpv4, isLoopback } from "../net.ts";
import type { IpAddress } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { TransportParameter } from "../param/transport.ts";
import { withoutZone } from "./usable_addresses.ts";

/** Addresses of a peer that are kept: more than hosts have, and a list of 128 peers still fits into a message. */
export const MAX_PEER_ADDRESSES = 8;

/**
 * Whether an address that somebody names means the same here.
 *
 * @param address anything
 * @param overLoopback whether who named it is heard over the loopback interface: only then do loopback addresses mean the
 *   same to both
 */
export function isReachable(address: IpAddress, overLoopback: boolean): boolean {
  if (isLoopback(address)) return overLoopback;
  return !isGroupOrNone(address) && addressScope(address) !== "link-local"; // zones are numbers of another host
}

/**
 * The addresses among those that somebody names for a registrar at which it may be reached from here.
 *
 * @param named by the registrar itself or by another one; anything
 * @param overLoopback see {@linkcode isReachable}
 */
export function reachableAddresses(named: readonly IpAddress[], overLoopback: boolean): IpAddress[] {
  return named.filter((address) => isReachable(address, overLoopback)).slice(0, MAX_PEER_ADDRESSES);
}

/**
 * An element that a peer tells of with the addresses at which it may be reached from here. A transport that has none of
 * them stays as it is: the element counts in the peer's checksum, and users are told in vain of it as by the peer.
 *
 * @param element as it was told
 * @param overLoopback see {@linkcode isReachable}
 */
export function reachableElement(element: PoolElement, overLoopback: boolean): PoolElement {
  const userTransport = reachableTransport(element.userTransport, overLoopback);
  const asapTransport = element.asapTransport && reachableTransport(element.asapTransport, overLoopback);
  const isAsItWas = userTransport === element.userTransport && asapTransport === element.asapTransport;
  return isAsItWas ? element : { ...element, userTransport, asapTransport };
}

function reachableTransport<Transport extends TransportParameter>(
  transport: Transport,
  overLoopback: boolean,
): Transport {
  const addresses = transport.addresses.filter((address) => isReachable(address, overLoopback));
  const isUseful = addresses.length > 0 && addresses.length < transport.addresses.length;
  return isUseful ? { ...transport, addresses } : transport;
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
