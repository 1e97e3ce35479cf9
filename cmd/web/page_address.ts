/** By which address a page is reached. */
import { networkInterfaces } from "node:os";
import { isWildcard } from "../../protocol/net.ts";

/**
 * The address to type into a browser for a server that listens here: where it listens everywhere, one by which others reach
 * this machine.
 *
 * @returns in brackets for IPv6 (RFC 3986 §3.2.2)
 */
export function pageAddress(address: string): string {
  const reached = isWildcard(address) ? ownAddress(address) : address;
  return reached.includes(":") ? `[${reached}]` : reached;
}

/** An address of this machine, for a socket that hears all of them: `::` hears IPv4, too. */
function ownAddress(any: string): string {
  const found = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const own = found.find(({ family }) => family === "IPv4") ??
    found.find(({ family }) => family === "IPv6" && any === "::");
  return own?.address ?? "127.0.0.1";
}
