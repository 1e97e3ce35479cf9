/** What all that the library opens have in common: how registrars are found, what carries SCTP, who hears of it. */
import type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
import type { ChannelOptions } from "../driver/drive.ts";
import { ASAP_ANNOUNCE_GROUP, groupOf } from "../driver/groups.ts";
import { HostNameError, resolveHosts, resolveLocal } from "../driver/host_names.ts";
import { OptionError, readHostSocket } from "../options.ts";
import type { Socket } from "../options.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { transportAddresses } from "../../protocol/net.ts";
import type { Transport, TransportAddress } from "../../protocol/net.ts";
import type { PoolHandle } from "../../protocol/param/mod.ts";
import { MAX_POOL_HANDLE_LENGTH } from "../../protocol/param/pool_handle.ts";
import type { SessionReport } from "../../protocol/session/mod.ts";
import type { HuntOptions } from "../../protocol/user/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { PoolError } from "./pool_error.ts";

/** The port of ASAP (RFC 5352 §7). */
const ASAP_PORT = 3863;

/** Options that pool users and pool elements share. */
export interface PoolOptions {
  /**
   * Registrars that need no announce, such as `10.1.0.1:3863` or `registrar.example:3863`; several addresses of one
   * registrar are separated by commas, as in `10.1.0.1,10.2.0.1:3863`. Default: none, they announce themselves.
   */
  readonly registrars?: readonly string[] | undefined;
  /** The multicast group that registrars announce themselves in. Default `239.0.0.50:3863`. */
  readonly announce?: "off" | string | undefined;
  /** What carries SCTP; `auto` asks the kernel first. A transport of the caller's own stays open. Default `auto`. */
  readonly transport?: TransportChoice | Transport | undefined;
  /** How the embedded SCTP stack sends: plain over IP, in UDP, or as it may. Default `auto`. */
  readonly encapsulation?: EncapsulationChoice | undefined;
  /** Further ways to influence the search for registrars. */
  readonly hunt?: Omit<HuntOptions, "registrars"> | undefined;
  /** Takes what is worth a line in a log. */
  readonly log?: ((entry: PoolLogEntry) => void) | undefined;
  /**
   * A monitor that is told how the component is, such as `10.1.0.9:2960`: `rsp cspmonitor` shows it. Default: none.
   */
  readonly cspServer?: string | undefined;
  /** Time between two reports to the monitor, in milliseconds. Default 250. */
  readonly cspIntervalMs?: number | undefined;
  /** Gives up what is waited for until the promise of the call is settled; without effect afterwards. */
  readonly signal?: AbortSignal | undefined;
}

/** A line of a log. */
export interface PoolLogEntry {
  /** 1 error, 2 warning, 3 note, 4 action, 5 and more ever less important. */
  readonly level: number;
  /** For people. */
  readonly text: string;
  /** For programs; absent when the network and not the protocol is the matter. */
  readonly report?: SessionReport;
}

/** A report as a log has it. */
export function logEntry(report: SessionReport): PoolLogEntry {
  const { level, text } = describeReport(report);
  return { level, text, report };
}

/**
 * How registrars are found, as the machines take it.
 *
 * @throws {PoolError} when a registrar's name has no address, or no way to find a registrar is left
 */
export async function huntOf({ registrars = [], announce, hunt }: PoolOptions): Promise<HuntOptions> {
  if (announce === "off" && registrars.length === 0) {
    throw new PoolError("option", `Cannot find a registrar: announce is "off" and registrars is empty`);
  }
  try {
    const sockets = await resolveHosts(registrars.map((text) => readHostSocket(text, ASAP_PORT)));
    const places = sockets.map(({ addresses, port }) => transportAddresses(addresses, port));
    return { ...hunt, registrars: places };
  } catch (error) {
    throw optionError("registrars", error);
  }
}

/**
 * The channel to hear announces in.
 *
 * @throws {PoolError} when it is no multicast group
 */
export async function announceChannel(
  { announce = "auto" }: PoolOptions,
): Promise<Record<string, ChannelOptions>> {
  const group = await multicastGroup("announce", announce, ASAP_ANNOUNCE_GROUP);
  return group === undefined ? {} : { "asap-announce": { group, hear: true } };
}

/**
 * The multicast group that an option names; undefined = it is `off`.
 *
 * @param automatic what `auto` means
 * @throws {PoolError} when it is no multicast group
 */
export async function multicastGroup(
  name: string,
  text: string,
  automatic: TransportAddress,
): Promise<TransportAddress | undefined> {
  try {
    const chosen = text === "off" || text === "auto" ? text : readHostSocket(text, automatic.port);
    return await groupOf(name, chosen, automatic);
  } catch (error) {
    throw optionError(name, error);
  }
}

/**
 * A pool's name on the wire.
 *
 * @throws {PoolError} when it is empty or longer than every implementation takes
 */
export function poolHandleOf(pool: string): PoolHandle {
  const octets = encodeText(pool);
  if (octets.length > 0 && octets.length <= MAX_POOL_HANDLE_LENGTH) return octets;
  throw new PoolError(
    "option",
    `Cannot use pool ${JSON.stringify(pool)}: its name must have 1 to ${MAX_POOL_HANDLE_LENGTH} octets`,
  );
}

/**
 * An ID of the caller's.
 *
 * @throws {PoolError} when it is none of so many bits, or 0
 */
export function checkedId<Id extends number | bigint>(name: string, id: Id, bits: number): Id {
  const limit = 2n ** BigInt(bits);
  if ((typeof id === "bigint" || Number.isSafeInteger(id)) && id > 0 && id < limit) return id;
  throw new PoolError("option", `Cannot use option ${name}: it must be from 1 to ${limit - 1n}, not ${id}`);
}

/**
 * A local address and port.
 *
 * @throws {PoolError} when it is none, or a name has no address of this host
 */
export async function localSocket(name: string, text: string | undefined): Promise<Socket> {
  try {
    return text === undefined ? { addresses: [], port: 0 } : await resolveLocal(readHostSocket(text, 0));
  } catch (error) {
    throw optionError(name, error);
  }
}

/** What the command line would say of an option, in the library's words; a fault of this program as it is. */
export function optionError(name: string, error: unknown): unknown {
  if (!(error instanceof OptionError)) return error;
  // The readers of values give a clause that goes behind the option's name; others a sentence of their own.
  const isSentence = error instanceof HostNameError || error.message.startsWith("option ");
  const clause = isSentence ? error.message : `it ${error.message}`;
  return new PoolError("option", `Cannot use option ${name}: ${clause}`, { cause: error });
}
