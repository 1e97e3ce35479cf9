/**
 * The addresses of this host.
 *
 * @module
 */
import { networkInterfaces } from "node:os";
import { type IpAddress, parseIpAddress } from "../protocol/net.ts";

/** A local address and the network it is in. */
export interface LocalAddress {
  /** Canonical text; of a link-local address with its zone. */
  readonly address: IpAddress;
  /** Length of the network's prefix. */
  readonly prefixBits: number;
}

/** How long an answer is believed. Associations are set up by the thousand; addresses change by the hour. */
const FRESH_MS = 1000;

/** Asks the system for its addresses, at most once a second. */
export class LocalAddressCache {
  #networks: readonly LocalAddress[] = [];
  #addresses: readonly IpAddress[] = [];
  #freshUntil = -Infinity;

  /** All addresses of interfaces that are up, in the order of the interfaces; the same array as long as they are the same. */
  addresses(): readonly IpAddress[] {
    this.#refresh();
    return this.#addresses;
  }

  /** The same with their networks. */
  networks(): readonly LocalAddress[] {
    this.#refresh();
    return this.#networks;
  }

  /** Asks anew next time: they have changed. */
  forget(): void {
    this.#freshUntil = -Infinity;
  }

  #refresh(): void {
    const now = performance.now();
    if (now < this.#freshUntil) return;
    this.#freshUntil = now + FRESH_MS;
    this.#networks = readLocalAddresses();
    const found = this.#networks.map(({ address }) => address);
    const same = found.length === this.#addresses.length &&
      found.every((address, i) => address === this.#addresses[i]);
    if (!same) this.#addresses = found;
  }
}

function readLocalAddresses(): LocalAddress[] {
  const found = new Map<IpAddress, LocalAddress>();
  for (const interfaces of Object.values(networkInterfaces())) {
    for (const { address: text, cidr, family, scopeid } of interfaces ?? []) {
      const bare = parseIpAddress(text.replace(/%.*/, "")); // the zone may stand there by its name
      if (bare === undefined) continue;
      const zone = family === "IPv6" && bare.startsWith("fe80") && scopeid ? `%${scopeid}` : "";
      const address = `${bare}${zone}`;
      const prefixBits = Number(cidr?.slice(cidr.indexOf("/") + 1) ?? (family === "IPv4" ? 32 : 128));
      found.set(address, { address, prefixBits });
    }
  }
  return [...found.values()];
}
