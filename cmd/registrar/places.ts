/** Where a registrar is: its endpoints and its groups, as the options say it. */
import { networkInterfaces } from "node:os";
import { isIpv4 } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import type { ChannelOptions, DrivenEndpoint } from "../driver/drive.ts";
import { ASAP_ANNOUNCE_GROUP, ENRP_PRESENCE_GROUP, groupOf } from "../driver/groups.ts";
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
 * @throws {OptionError} when the options contradict each other
 */
export function registrarEndpoints(options: RegistrarOptionValues): RegistrarEndpoints {
  return { asap: endpoint("asap", options, 3863), enrp: endpoint("enrp", options, 9901) };
}

function endpoint(name: "asap" | "enrp", options: RegistrarOptionValues, port: number): DrivenEndpoint {
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
  const addresses = chosen.addresses.filter((address) => address !== "0.0.0.0" && address !== "::");
  if (options["disable-ipv6"] && addresses.some((address) => !isIpv4(address))) {
    throw new OptionError(`option -${name} names an IPv6 address, and -disable-ipv6 forbids them`);
  }
  return { ...common, port: chosen.port, addresses };
}

/** The IPv4 addresses of this host. */
function ipv4Addresses(): IpAddress[] {
  return Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    .filter(({ family }) => family === "IPv4").map(({ address }) => address);
}

/**
 * The groups that announces and presences go to.
 *
 * @throws {OptionError} when one is not a multicast group
 */
export function registrarChannels(options: RegistrarOptionValues): Record<string, ChannelOptions> {
  const announce = groupOf("asapannounce", options.asapannounce, ASAP_ANNOUNCE_GROUP);
  const presence = groupOf("enrpannounce", options.enrpannounce, ENRP_PRESENCE_GROUP);
  const hops = options.announcettl;
  return {
    ...(announce !== undefined && { "asap-announce": { group: announce, sendFrom: "asap", hops } }),
    // Presences leave from ENRP's SCTP port, as RSPLIB's do.
    ...(presence !== undefined && {
      "enrp-presence": { group: presence, sendFrom: "enrp", hear: true, hops },
    }),
  };
}
