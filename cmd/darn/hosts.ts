/** Hosts of the command line and of commands, by address or by name. */
import { networkInterfaces } from "node:os";
import { addressScope, isIpv4 } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { resolveHosts, resolveLocal } from "../driver/host_names.ts";
import { OptionError } from "../options.ts";
import type { HostSocket, Socket } from "../options.ts";
import { CommandError } from "./command_error.ts";

/**
 * All addresses of some hosts, each once.
 *
 * @param hosts as typed
 * @throws {CommandError} when a name has no address
 */
export function hostAddresses(hosts: readonly string[]): Promise<IpAddress[]> {
  return addressesBy(async (socket) => (await resolveHosts([socket]))[0]!, hosts);
}

/**
 * All addresses that this host has under some of its names, each once.
 *
 * @param hosts as typed
 * @throws {CommandError} when a name has no address of this host
 */
export function localHostAddresses(hosts: readonly string[]): Promise<IpAddress[]> {
  return addressesBy(resolveLocal, hosts);
}

async function addressesBy(
  find: (socket: HostSocket) => Promise<Socket>,
  hosts: readonly string[],
): Promise<IpAddress[]> {
  const bare = hosts.map((host) => host.replace(/^\[(.*)\]$/, "$1"));
  try {
    return [...(await find({ hosts: bare, port: 0 })).addresses];
  } catch (error) {
    if (error instanceof OptionError) throw new CommandError(error.message);
    throw error;
  }
}

/**
 * Puts a zone behind link-local IPv6 addresses that have none.
 *
 * @param name name of an interface; undefined = leave them alone
 * @param interfaces those of this host
 * @throws {OptionError} when there is no such interface
 */
export function withZone(
  addresses: readonly IpAddress[],
  name: string | undefined,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): IpAddress[] {
  if (name === undefined) return [...addresses];
  // Only its link-local addresses have a zone, and Linux lists them behind the others.
  const zone = interfaces[name]?.find(({ scopeid = 0 }) => scopeid !== 0)?.scopeid ?? 0;
  return addresses.map((address) => {
    const needsZone = !isIpv4(address) && addressScope(address) === "link-local" && !address.includes("%");
    if (!needsZone) return address;
    if (zone === 0) throw new OptionError(`option --interface: ${name} has no link-local IPv6 address here`);
    return `${address}%${zone}`;
  });
}
