/** How pool elements and pool users find their registrar and name their pool, as the options say it. */
import type { RegistrarHuntOptions } from "../common_options.ts";
import type { ChannelOptions } from "../driver/drive.ts";
import { ASAP_ANNOUNCE_GROUP, groupOf } from "../driver/groups.ts";
import { resolveHosts } from "../driver/host_names.ts";
import { OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { transportAddresses } from "../../protocol/net.ts";
import { MAX_POOL_HANDLE_LENGTH } from "../../protocol/param/pool_handle.ts";
import type { HuntOptions } from "../../protocol/user/hunt.ts";
import type { RequestOptions } from "../../protocol/user/request_queue.ts";
import { encodeText } from "../../protocol/wire/text.ts";

/**
 * How registrars are found and asked, as the options say it.
 *
 * @throws {OptionError} when a registrar's host name has no address, or when no way to find one is left
 */
export async function registrarOptions(
  options: OptionValues<RegistrarHuntOptions>,
): Promise<RequestOptions & { readonly hunt: HuntOptions }> {
  const { asapannounce } = options;
  if ((asapannounce === "off" || asapannounce === "none") && options.registrar.length === 0) {
    throw new OptionError(`-asapannounce=${asapannounce} needs -registrar=host:port`);
  }
  const registrars = await resolveHosts(options.registrar);
  return {
    requestTimeoutMs: options.registrarrequesttimeout,
    responseTimeoutMs: options.registrarresponsetimeout,
    maxTrials: options.registrarrequestmaxtrials,
    hunt: {
      registrars: registrars.map(({ addresses, port }) => transportAddresses(addresses, port)),
      announceLifeMs: options.registrarannouncetimeout,
      connectTimeoutMs: options.registrarconnecttimeout,
      connectMaxTrials: options.registrarconnectmaxtrials,
    },
  };
}

/** The group to hear announces in; none when they are off. @throws {OptionError} when it is no multicast group */
export async function announceChannels(
  options: Pick<OptionValues<RegistrarHuntOptions>, "asapannounce">,
): Promise<Record<string, ChannelOptions>> {
  const group = await groupOf("asapannounce", options.asapannounce, ASAP_ANNOUNCE_GROUP);
  return group === undefined ? {} : { "asap-announce": { group, hear: true } };
}

/**
 * A pool handle as a user writes it.
 *
 * @throws {OptionError} when it is longer than every implementation takes
 */
export function poolHandleOption(name: string): Uint8Array {
  const octets = encodeText(name);
  if (octets.length <= MAX_POOL_HANDLE_LENGTH) return octets;
  throw new OptionError(
    `option -poolhandle must have 1 to ${MAX_POOL_HANDLE_LENGTH} octets, but ${
      JSON.stringify(name)
    } has ${octets.length}`,
  );
}
