/**
 * Which addresses are told to a peer, and which of a peer's addresses are believed.
 */
import { addressScope, isIpv4, isLoopback } from "../net.ts";
import type { IpAddress } from "../net.ts";
import { MAX_LOCAL_ADDRESSES, MAX_PEER_ADDRESSES } from "./limits.ts";

/** Whether a packet may come from this address or be sent to it: it names one host. */
export function isUnicast(address: IpAddress): boolean {
  if (isIpv4(address)) {
    const first = Number.parseInt(address, 10);
    return first !== 0 && first < 224;
  }
  return address !== "::" && !address.startsWith("ff");
}

/**
 * The own addresses to list to a peer: those that reach at least as far as the peer's of the same family. A private IPv4
 * address is not told to a peer with a global one; scopes of different families say nothing about each other, and unique
 * local IPv6 addresses go along with global ones. A peer on loopback is this host and hears of all; nobody else hears of
 * loopback addresses. Link-local addresses are never listed: the zone that they need means nothing to others.
 *
 * @param local addresses of the endpoint
 * @param peers addresses of the peer, the one in use first
 */
export function addressesForPeer(local: readonly IpAddress[], peers: readonly IpAddress[]): IpAddress[] {
  const thisHost = peers.some(isLoopback);
  const privateToo = peers.every((peer) => !isIpv4(peer)) ||
    peers.some((peer) => isIpv4(peer) && addressScope(peer) !== "global");
  return local.filter((address) => {
    const scope = addressScope(address);
    if (!isUnicast(address) || scope === "link-local") return false;
    if (thisHost) return true;
    return scope !== "loopback" && (privateToo || !isIpv4(address) || scope === "global");
  }).slice(0, MAX_LOCAL_ADDRESSES);
}

/**
 * The peer addresses to use: the source of the packet, then those listed that can be the peer's. A loopback address is
 * believed of a peer on this host only, else we would send HEARTBEATs to ourselves; a link-local one only as source.
 *
 * @param source where the INIT or INIT ACK came from
 * @param listed addresses in the chunk
 * @param local addresses of the endpoint; families that are missing there cannot be reached
 */
export function usablePeerAddresses(
  source: IpAddress,
  listed: readonly IpAddress[],
  local: readonly IpAddress[],
): IpAddress[] {
  const sameHost = addressScope(source) === "loopback" || local.includes(source);
  const ipv4 = local.some(isIpv4), ipv6 = local.some((address) => !isIpv4(address));
  const usable = [source];
  for (const address of listed) {
    const scope = addressScope(address);
    if (usable.length >= MAX_PEER_ADDRESSES || usable.includes(address) || !isUnicast(address)) continue;
    if (scope === "link-local" || (scope === "loopback" && !sameHost)) continue;
    if (isIpv4(address) ? ipv4 : ipv6) usable.push(address);
  }
  return usable;
}

/**
 * The source address for packets to a destination: what the route says if the endpoint is bound to it, else a bound
 * one of the family.
 *
 * @param bound addresses the endpoint is bound to; empty = all
 */
export function sourceAddress(
  routed: IpAddress | undefined,
  destination: IpAddress,
  bound: readonly IpAddress[],
): IpAddress | undefined {
  if (bound.length === 0 || (routed !== undefined && bound.includes(routed))) return routed;
  return bound.find((address) => isIpv4(address) === isIpv4(destination));
}
