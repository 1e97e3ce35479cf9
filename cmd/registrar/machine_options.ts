/** What a registrar is told, from what its command line says. */
import { RFC_TIMES, RSPLIB_TIMES } from "../../protocol/registrar/presets.ts";
import type { RegistrarOptions, RegistrarTimes } from "../../protocol/registrar/options.ts";
import { resolveHosts } from "../driver/host_names.ts";
import type { Lookup } from "../driver/host_names.ts";
import { randomIdentifier } from "../driver/random.ts";
import { OptionError } from "../options.ts";
import type { RegistrarOptionValues } from "./options.ts";

/**
 * The options of the machine; IDs that were not given are drawn.
 *
 * @param options as the command line has them
 * @param ask finds the addresses of peers that are named; the system's resolver unless a test has its own
 * @throws {OptionError} when a peer has no address or no port
 */
export async function machineOptions(
  options: RegistrarOptionValues,
  ask?: Lookup,
): Promise<RegistrarOptions> {
  const scope = options.minaddressscope;
  const peers = await resolveHosts(options.peer, ask);
  if (peers.some(({ port }) => port === 0)) {
    throw new OptionError("option -peer has port 0, which nobody has");
  }
  return {
    registrarId: options.identifier ?? randomIdentifier(),
    seed: randomIdentifier(),
    ...times(options),
    peers,
    minAddressScope: scope === "sitelocal" ? "site-local" : scope,
    takeoverSuggestion: options.supporttakeoversuggestion,
    maxBadReports: options.maxbadpereports,
    maxResolutionItems: options.maxhresitems,
    maxElementsPerTableResponse: options.maxelementsperhtrequest,
    ...(options.maxhrrate > 0 && { maxResolutionRate: options.maxhrrate }),
    ...(options.maxeurate > 0 && { maxUnreachableRate: options.maxeurate }),
    maxIncrement: options.maxincrement,
    distanceStepMs: options.distancestep,
    maxPools: options.maxpools,
    maxElements: options.maxelements,
    maxAssociations: options.maxassociations,
    maxElementsPerAssociation: options.maxelementsperassociation,
    maxPeers: options.maxpeers,
  };
}

/** The preset's times, but for those that are given. */
function times(options: RegistrarOptionValues): RegistrarTimes {
  const preset = options.preset === "rfc" ? RFC_TIMES : RSPLIB_TIMES;
  return {
    announceIntervalMs: options.serverannouncecycle ?? preset.announceIntervalMs,
    keepAliveIntervalMs: options.endpointkeepalivetransmissioninterval ?? preset.keepAliveIntervalMs,
    keepAliveTimeoutMs: options.endpointkeepalivetimeoutinterval ?? preset.keepAliveTimeoutMs,
    presenceIntervalMs: options.peerheartbeatcycle ?? preset.presenceIntervalMs,
    maxTimeLastHeardMs: options.peermaxtimelastheard ?? preset.maxTimeLastHeardMs,
    maxTimeNoResponseMs: options.peermaxtimenoresponse ?? preset.maxTimeNoResponseMs,
    mentorDiscoveryTimeoutMs: options.mentordiscoverytimeout ?? preset.mentorDiscoveryTimeoutMs,
    takeoverExpiryMs: options.takeoverexpiryinterval ?? preset.takeoverExpiryMs,
  };
}
