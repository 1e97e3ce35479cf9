import { addressScope, scopeRank } from "../net.ts";
import type { IpAddress } from "../net.ts";

/**
 * Addresses of which scope are given to others. "auto": site-local and global ones, and loopback ones if the
 * association runs over loopback, so that one machine without a network can show everything.
 */
export type MinimumScope = "auto" | "loopback" | "site-local" | "global";

/**
 * The addresses of an element that may be handed to pool users: those that it really has, as its association shows,
 * and that reach far enough (reference/rsplib.md §3.8).
 *
 * @param offered what the element registers
 * @param peerAddresses the addresses of its association
 */
export function usableAddresses(
  offered: readonly IpAddress[],
  peerAddresses: readonly IpAddress[],
  scope: MinimumScope,
): readonly IpAddress[] {
  const theirs = new Set(peerAddresses.map(withoutZone));
  return offered.filter((address) => theirs.has(withoutZone(address)) && reachesFarEnough(address, scope));
}

function reachesFarEnough(address: IpAddress, minimum: MinimumScope): boolean {
  const scope = addressScope(address);
  // The address is one of the association's, so a loopback one shows that the association runs over loopback.
  if (minimum === "auto") return scope === "loopback" || scopeRank(scope) >= scopeRank("site-local");
  return scopeRank(scope) >= scopeRank(minimum);
}

/** Zones are numbers of this host; a peer knows nothing of them. */
export function withoutZone(address: IpAddress): IpAddress {
  const percent = address.indexOf("%");
  return percent < 0 ? address : address.slice(0, percent);
}
