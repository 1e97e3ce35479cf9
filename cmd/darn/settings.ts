/** From the options of the command line to what a session is to be. */
import { isWildcard } from "../../protocol/net.ts";
import type { EndpointOptions, IpAddress } from "../../protocol/net.ts";
import { ipv4Addresses } from "../driver/host_names.ts";
import { OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { CommandError } from "./command_error.ts";
import { hostAddresses, localHostAddresses, withZone } from "./hosts.ts";
import type { DarnOptionTable } from "./options.ts";
import type { Peer, SessionSettings } from "./session.ts";

/** Values of the options. */
export type DarnOptions = OptionValues<DarnOptionTable>;

/** Refuses what contradicts itself, in the original's order of questions. @throws {OptionError} */
export function checkOptions(options: DarnOptions): void {
  const { listen, send, interactive, poll, remote, connectx, capture } = options;
  if (listen && send) {
    throw new OptionError("-l and -s exclude each other: either of them sends and receives");
  }
  if (!listen && !send && poll === undefined && !interactive && options.command.length === 0) {
    throw new OptionError("Please specify a command: -l listens, -s sends, -I asks for commands, -i polls");
  }
  if (remote !== undefined && connectx.length > 0) throw new OptionError("-h and -c exclude each other");
  if (send && remote === undefined && connectx.length === 0) {
    throw new OptionError("-s wants a peer: -h or -c");
  }
  if (hasPeer(options) && options["remote-port"] === 0) {
    throw new OptionError("the peer's port is missing: -p");
  }
  if (options["non-blocking"] && listen && !interactive) throw new OptionError("-n with -l wants -I");
  if (options["bindx-add"].length > 0 && options["local-port"] === 0) {
    throw new OptionError("-B wants a port of this side: -P");
  }
  if ((options["rto-min"] ?? 0) > (options["rto-max"] ?? Infinity)) {
    throw new OptionError("-rto-min is longer than -rto-max");
  }
  if (capture === "-") throw new OptionError("option -capture wants a file: standard output is in use");
}

/** Whether the command line names a peer. */
function hasPeer({ remote, connectx }: DarnOptions): boolean {
  return remote !== undefined || connectx.length > 0;
}

/**
 * What a session is to be.
 *
 * @throws {OptionError} when a host has no address
 */
export async function sessionSettings(options: DarnOptions): Promise<SessionSettings> {
  const local = options.local ?? "::";
  const waitMs = options.timeout === undefined ? Infinity : 1000 * options.timeout;
  return {
    endpoint: { ...endpointOptions(options), addresses: await localAddresses(options, local) },
    peer: await peerOption(options),
    echo: options.echo,
    nonBlocking: options["non-blocking"],
    waitMs,
    once: options.once,
    localName: local,
    remoteName: remoteName(options),
  };
}

/** The peer as the prompt names it before there is one. */
function remoteName(options: DarnOptions): string {
  const name = options.remote ?? options.connectx[0];
  if (name === undefined) return "?";
  return name.includes(":") ? `[${name}]:${options["remote-port"]}` : `${name}:${options["remote-port"]}`;
}

async function peerOption(options: DarnOptions): Promise<Peer | undefined> {
  if (!hasPeer(options)) return undefined;
  const hosts = options.remote === undefined ? options.connectx : [options.remote];
  return {
    addresses: withZone(await optionAddresses(hostAddresses, hosts), options.interface),
    port: options["remote-port"],
    encapsulationPort: options["encap-port"],
  };
}

async function localAddresses(options: DarnOptions, local: string): Promise<IpAddress[]> {
  const removed = withZone(await localAddressesOf(options["bindx-rem"]), options.interface);
  const named = withZone(await localAddressesOf([local, ...options["bindx-add"]]), options.interface);
  if (named.includes("::")) {
    if (removed.length > 0) {
      throw new OptionError("-b cannot take an address away from ::; name the others by -H and -B");
    }
    return [];
  }
  const all = named.flatMap((address) => isWildcard(address) ? ipv4Addresses() : [address]);
  const kept = [...new Set(all)].filter((address) => !removed.includes(address));
  if (kept.length === 0) throw new OptionError("-b leaves no address of this host");
  return kept;
}

function localAddressesOf(hosts: readonly string[]): Promise<IpAddress[]> {
  return optionAddresses(localHostAddresses, hosts);
}

async function optionAddresses(
  find: (hosts: readonly string[]) => Promise<IpAddress[]>,
  hosts: readonly string[],
): Promise<IpAddress[]> {
  try {
    return hosts.length === 0 ? [] : await find(hosts);
  } catch (error) {
    if (error instanceof CommandError) throw new OptionError(error.message);
    throw error;
  }
}

/** An option of the endpoint only where it was given: transports have their own defaults. */
function given<Name extends keyof EndpointOptions>(
  name: Name,
  value: EndpointOptions[Name] | undefined,
): Pick<EndpointOptions, Name> | Record<never, never> {
  return value === undefined ? {} : { [name]: value } as Pick<EndpointOptions, Name>;
}

/** How the endpoint behaves, but its addresses. */
export function endpointOptions(options: DarnOptions): EndpointOptions {
  const rto = {
    initialMs: options["rto-initial"],
    minMs: options["rto-min"],
    maxMs: options["rto-max"],
  };
  return {
    port: options["local-port"],
    listen: options.listen || options.poll !== undefined,
    style: options["one-to-one"] ? "one-to-one" : "one-to-many",
    outboundStreams: options.streams,
    maxInboundStreams: options["max-instreams"],
    ...given("rto", Object.values(rto).some((value) => value !== undefined) ? rto : undefined),
    ...given("maxInitRetransmissions", options["max-init"]),
    ...given("associationMaxRetransmissions", options["assoc-max"]),
    ...given("pathMaxRetransmissions", options["path-max"]),
    ...given("potentiallyFailedMaxRetransmissions", options["pf-max"]),
    exposePotentiallyFailed: true,
    ...given("heartbeatIntervalMs", options.hbinterval),
    ...given("sackDelayMs", options["sack-delay"]),
    ...given("sackFrequency", options["sack-frequency"]),
    ...given("cookieLifeMs", options["cookie-life"]),
    ...given("maxBurst", options["max-burst"]),
    ...given("sendBuffer", options.buffers),
    ...given("receiveBuffer", options.buffers),
    ...given("autoCloseMs", options.autoclose === 0 ? undefined : 1000 * options.autoclose),
    plpmtudProbeIntervalMs: options.plpmtud,
    senderDryEvents: options["sender-dry"],
    partialReliability: options.pr,
    reconfiguration: options.reconfig,
    interleaving: options.interleaving,
    authentication: options.auth,
    dynamicAddresses: options.auth && options.asconf,
    ...given("adaptation", options.adaptation),
  };
}
