/** From the names of hosts to their addresses. */
import { lookup } from "node:dns/promises";
import { parseIpAddress } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { OptionError } from "../options.ts";
import type { HostSocket, Socket } from "../options.ts";

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
 * @throws {OptionError} when a name has no address
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

async function addressesOf(host: string, ask: Lookup): Promise<IpAddress[]> {
  const address = parseIpAddress(host);
  if (address !== undefined) return [address];
  if (host.includes("%")) { // the resolver would give it back as it is
    throw new OptionError(
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
    throw new OptionError(`no address is known for host ${JSON.stringify(host)} (${code}); give its address`);
  }
  return found.map(parseIpAddress).filter((address) => address !== undefined);
}
