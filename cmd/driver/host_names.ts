/** From the names of hosts to their addresses. */
import { lookup } from "node:dns/promises";
import { LocalAddressCache } from "../../ffi/local_addresses.ts";
import { isIpv4, isLoopback, parseIpAddress } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { OptionError } from "../options.ts";
import type { HostSocket, Socket } from "../options.ts";

/** A name has no address that will do. The message is a sentence of its own, for people. */
export class HostNameError extends OptionError {}

/** Asks for all addresses of a host. @throws {Error} with a `code` such as ENOTFOUND */
export type Lookup = (name: string) => Promise<readonly string[]>;

const askSystem: Lookup = async (name) => {
  const found = await lookup(name, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/**
 * Finds the addresses of hosts: a registrar that is given by a name is reached at all that the name stands for.
 *
 * @param sockets as the command line has them
 * @param ask the system's resolver unless a test has its own
 * @throws {HostNameError} when a name has no address
 *
 * @example An address needs no resolver
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const [registrar] = await resolveHosts([{ hosts: ["10.1.0.1"], port: 3863 }]);
 * assert.deepEqual(registrar, { addresses: ["10.1.0.1"], port: 3863 });
 * ```
 */
export function resolveHosts(sockets: readonly HostSocket[], ask: Lookup = askSystem): Promise<Socket[]> {
  return Promise.all(sockets.map(async ({ hosts, port }) => {
    const found = await Promise.all(hosts.map((host) => addressesOf(host, ask)));
    return { addresses: [...new Set(found.flat())], port };
  }));
}

/** What {@linkcode resolveLocal} knows of this host. */
export interface LocalNames {
  /** The system's resolver unless a test has its own. */
  readonly ask?: Lookup | undefined;
  /** The addresses of this host that will do; all unless said otherwise. */
  readonly own?: readonly IpAddress[] | undefined;
}

/**
 * Finds the addresses of a place on this host. A name stands for those of its addresses that this host has: `localhost` is
 * an IPv6 address as well where there is no IPv6, and the name of a service may be shared by several hosts. What is written
 * as an address is left to who opens it.
 *
 * @throws {HostNameError} when a name has no address of this host
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const book = { ask: () => Promise.resolve(["10.1.0.1", "10.1.0.2"]), own: ["127.0.0.1", "10.1.0.2"] };
 * const { addresses } = await resolveLocal({ hosts: ["pool.example"], port: 0 }, book);
 * assert.deepEqual(addresses, ["10.1.0.2"]);
 * ```
 */
export async function resolveLocal(
  { hosts, port }: HostSocket,
  { ask = askSystem, own }: LocalNames = {},
): Promise<Socket> {
  const found = await Promise.all(hosts.map(async (host) => {
    const addresses = await addressesOf(host, ask);
    if (parseIpAddress(host) !== undefined) return addresses;
    const here = own ?? new LocalAddressCache().addresses(); // asked for names only: a program may lack the permission
    const usable = addresses.filter((address) => here.includes(address) || isLoopbackNet(address));
    if (usable.length > 0) return usable;
    throw new HostNameError(
      `host ${JSON.stringify(host)} is ${addresses.join(", ")}, and this machine has no such address; ` +
        "`ip address` shows those it has",
    );
  }));
  return { addresses: [...new Set(found.flat())], port };
}

/** The IPv4 addresses of this host. */
export function ipv4Addresses(): IpAddress[] {
  return new LocalAddressCache().addresses().filter(isIpv4);
}

/** Linux has all of 127.0.0.0/8, though its interface shows one: Debian gives a machine's own name 127.0.1.1. */
function isLoopbackNet(address: IpAddress): boolean {
  return isIpv4(address) && isLoopback(address);
}

async function addressesOf(host: string, ask: Lookup): Promise<IpAddress[]> {
  const address = parseIpAddress(host);
  if (address !== undefined) return [address];
  if (host.includes("%")) { // the resolver would give it back as it is
    throw new HostNameError(
      `${
        JSON.stringify(host)
      } is no address: behind % of a link-local IPv6 address stands the number of an interface, ` +
        "which `ip link` shows",
    );
  }
  let found: readonly string[];
  try {
    found = await ask(host);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new HostNameError(
      `no address is known for host ${JSON.stringify(host)} (${code}); give its address`,
    );
  }
  return found.map(parseIpAddress).filter((address) => address !== undefined);
}
