/** Where a registrar is: its endpoints and its groups, as the options say it. */
import { isIpv4, isWildcard } from "../../protocol/net.ts";
import type { ChannelOptions, DrivenEndpoint } from "../driver/drive.ts";
import { ASAP_ANNOUNCE_GROUP, ENRP_PRESENCE_GROUP, groupOf } from "../driver/groups.ts";
import { ipv4Addresses, resolveLocal } from "../driver/host_names.ts";
import type { Lookup } from "../driver/host_names.ts";
import { OptionError } from "../options.ts";
import type { RegistrarOptionValues } from "./options.ts";

/** The endpoints of a registrar. */
export interface RegistrarEndpoints {
  readonly asap: DrivenEndpoint;
  readonly enrp: DrivenEndpoint;
}

/**
 * The endpoints that `-asap` and `-enrp` ask for: the well-known ports when they are free, unless others were named.
 *
 * @param ask finds the addresses of a place that is named; the system's resolver unless a test has its own
 * @throws {OptionError} when the options contradict each other, or a name has no address of this host
 */
export async function registrarEndpoints(
  options: RegistrarOptionValues,
  ask?: Lookup,
): Promise<RegistrarEndpoints> {
  return {
    asap: await endpoint("asap", options, { port: 3863, ask }),
    enrp: await endpoint("enrp", options, { port: 9901, ask }),
  };
}

async function endpoint(
  name: "asap" | "enrp",
  options: RegistrarOptionValues,
  { port, ask }: { readonly port: number; readonly ask: Lookup | undefined },
): Promise<DrivenEndpoint> {
  const chosen = options[name];
  const common: DrivenEndpoint = {
    listen: true,
    sackFrequency: 1,
    autoCloseMs: options.autoclosetimeout * 1000,
  };
  if (chosen === undefined || chosen === "auto") {
    return {
      ...common,
      port,
      elseEphemeral: true,
      addresses: options["disable-ipv6"] ? ipv4Addresses() : [],
    };
  }
  const own = options["disable-ipv6"] ? ipv4Addresses() : undefined;
  const found = await resolveLocal(chosen, { ask, own });
  const addresses = found.addresses.filter((address) => !isWildcard(address));
  if (options["disable-ipv6"] && addresses.some((address) => !isIpv4(address))) {
    throw new OptionError(`option -${name} names an IPv6 address, and -disable-ipv6 forbids them`);
  }
  return { ...common, port: found.port, addresses };
}

/**
 * The groups that announces and presences go to.
 *
 * @param ask finds the address of a group that is named; the system's resolver unless a test has its own
 * @throws {OptionError} when one is not a multicast group
 */
export async function registrarChannels(
  options: RegistrarOptionValues,
  ask?: Lookup,
): Promise<Record<string, ChannelOptions>> {
  const announce = await groupOf("asapannounce", options.asapannounce, ASAP_ANNOUNCE_GROUP, ask);
  const presence = await groupOf("enrpannounce", options.enrpannounce, ENRP_PRESENCE_GROUP, ask);
  const hops = options.announcettl;
  return {
    ...(announce !== undefined && { "asap-announce": { group: announce, sendFrom: "asap", hops } }),
    // Presences leave from ENRP's SCTP port, as RSPLIB's do.
    ...(presence !== undefined && {
      "enrp-presence": { group: presence, sendFrom: "enrp", hear: true, hops },
    }),
  };
}
