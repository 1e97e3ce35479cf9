import type { HandlespaceLimits } from "../handlespace/mod.ts";
import type { IpAddress } from "../net.ts";
import type { MinimumScope } from "./usable_addresses.ts";

/**
 * How much a registrar takes from others; a test reaches each of them. Beyond a limit a request is refused with cause
 * "out of resources", an association aborted.
 */
export interface RegistrarLimits extends HandlespaceLimits {
  /** Default 10000: as many hosts as an operation scope ever has, each with about 1 KiB here. */
  readonly maxAssociations?: number;
  /**
   * Associations of one host. Default: half of {@linkcode RegistrarLimits.maxAssociations}, so that there is always room
   * for others.
   */
  readonly maxAssociationsPerHost?: number;
  /** Elements registered over one association. Default 128: a process has one; a load generator some more. */
  readonly maxElementsPerAssociation?: number;
  /** Other registrars that are known at a time. Default 128: an operation scope has a handful. */
  readonly maxPeers?: number;
}

/** Another registrar that is known beforehand, by its addresses: its ID is learnt from its presence. */
export interface StaticPeer {
  /** At least one. */
  readonly addresses: readonly IpAddress[];
  /** SCTP port of ENRP. */
  readonly port: number;
}

/**
 * The times of a registrar, in milliseconds; {@linkcode RegistrarOptions} takes them one by one, and `presets.ts` has
 * RSPLIB's and the RFCs'.
 */
export interface RegistrarTimes {
  /** Mean time between announces (RFC 5352 §7: T6-Serverannounce), ±12.5 %. RSPLIB: 1000. */
  readonly announceIntervalMs: number;
  /** Between a sign of life of an element and the next keep-alive. RSPLIB: 5000. */
  readonly keepAliveIntervalMs: number;
  /** An element that does not answer a keep-alive for so long is removed. RSPLIB: 5000. */
  readonly keepAliveTimeoutMs: number;
  /** Mean time between presences (RFC 5353 §4.2: PEER-HEARTBEAT-CYCLE), ±12.5 %. RSPLIB: 2444. */
  readonly presenceIntervalMs: number;
  /** A peer that is silent for so long is asked for a presence (RFC 5353 §4.2: MAX-TIME-LAST-HEARD). RSPLIB: 5000. */
  readonly maxTimeLastHeardMs: number;
  /** A peer that does not answer that for so long is dead (RFC 5353 §4.2: MAX-TIME-NO-RESPONSE). RSPLIB: 5000. */
  readonly maxTimeNoResponseMs: number;
  /** How long a registrar looks for a mentor at its start (RFC 5353 §3.2). RSPLIB: 5000. */
  readonly mentorDiscoveryTimeoutMs: number;
  /** How long a takeover waits for the others' acknowledgements (RFC 5353 §3.5). RSPLIB: 5000. */
  readonly takeoverExpiryMs: number;
}

/** What a registrar is. Times are in milliseconds; defaults are RSPLIB's (reference/rsplib.md §1.3) unless said otherwise. */
export interface RegistrarOptions extends RegistrarLimits, Partial<RegistrarTimes> {
  /** 32 bits, random, not 0. */
  readonly registrarId: number;
  /** Seeds jitter and the random policies. */
  readonly seed: number;
  /**
   * Keep-alives to an element come at the interval, plus or minus up to this part of it at random, so that those to many
   * elements do not come in bursts (RFC 5352 §3.5). Default 0.5, as the RFC proposes; RSPLIB: 0.
   */
  readonly keepAliveJitter?: number;
  /** So many unreachable reports within {@linkcode RegistrarOptions.reportMemoryMs} remove an element. Default 3. */
  readonly maxBadReports?: number;
  /** How long an unreachable report counts. RSPLIB never forgets one. Default 60000. */
  readonly reportMemoryMs?: number;
  /** Elements in a resolution response when the pool user does not say. Default 3. */
  readonly maxResolutionItems?: number;
  /** Addresses of which scope are given to pool users. Default "auto". */
  readonly minAddressScope?: MinimumScope;
  /** Other registrars that are known beforehand. Its own addresses are skipped. */
  readonly peers?: readonly StaticPeer[];
  /** Whether elements are offered to registrars that suit them better (reference/rsplib.md §3.10). Default false. */
  readonly takeoverSuggestion?: boolean;
  /** Elements in a handle table response. Default 128. */
  readonly maxElementsPerTableResponse?: number;
  /** Resolutions a second that one association may ask of one pool. Default: no limit. */
  readonly maxResolutionRate?: number;
  /** Unreachable reports a second that one association may send about one pool. Default: no limit. */
  readonly maxUnreachableRate?: number;
  /** How many elements of a response count as used, for all policies; 0 = as each policy has it. Default 0. */
  readonly maxIncrement?: number;
  /** Distances of the delay policies are multiples of this. Default 50. */
  readonly distanceStepMs?: number;
}
