/** Multicast groups as options name them. */
import type { TransportAddress } from "../../protocol/net.ts";
import { OptionError } from "../options.ts";
import type { HostSocket } from "../options.ts";
import { resolveHosts } from "./host_names.ts";
import type { Lookup } from "./host_names.ts";

/** Where registrars announce themselves to pool elements and pool users. */
export const ASAP_ANNOUNCE_GROUP: TransportAddress = { address: "239.0.0.50", port: 3863 };

/** Where registrars show themselves to each other. */
export const ENRP_PRESENCE_GROUP: TransportAddress = { address: "239.0.0.51", port: 9901 };

/**
 * The group that an option names.
 *
 * @param name the option, for the message
 * @param ask finds the address of a group that has a name; the system's resolver unless a test has its own
 * @returns undefined when the group is switched off
 * @throws {OptionError} when the address is not a multicast address
 */
export async function groupOf(
  name: string,
  chosen: "auto" | "off" | "none" | HostSocket | undefined,
  automatic: TransportAddress,
  ask?: Lookup,
): Promise<TransportAddress | undefined> {
  if (chosen === "off" || chosen === "none") return undefined;
  if (chosen === undefined || chosen === "auto") return automatic;
  const [socket] = await resolveHosts([chosen], ask);
  const { addresses = [], port = 0 } = socket ?? {}, [address = ""] = addresses;
  if (addresses.length !== 1 || !isMulticast(address) || port === 0) {
    throw new OptionError(`option -${name} must be one multicast group such as 239.0.0.50:3863`);
  }
  return { address, port };
}

function isMulticast(address: string): boolean {
  if (address.includes(":")) return address.startsWith("ff");
  const first = Number(address.slice(0, address.indexOf(".")));
  return first >= 224 && first <= 239;
}
