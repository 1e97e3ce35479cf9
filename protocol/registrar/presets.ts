import { DEFAULT_MAX_ELEMENTS } from "../handlespace/mod.ts";
import type { RegistrarOptions, RegistrarTimes } from "./options.ts";

/** RSPLIB's times (reference/rsplib.md §1.3): what its programs expect of a registrar, and what a lab can watch. */
export const RSPLIB_TIMES: RegistrarTimes = {
  announceIntervalMs: 1000,
  keepAliveIntervalMs: 5000,
  keepAliveTimeoutMs: 5000,
  presenceIntervalMs: 2444,
  maxTimeLastHeardMs: 5000,
  maxTimeNoResponseMs: 5000,
  mentorDiscoveryTimeoutMs: 5000,
  takeoverExpiryMs: 5000,
};

/**
 * The RFCs' times: T6-Serverannounce (RFC 5352 §7.1), PEER-HEARTBEAT-CYCLE, MAX-TIME-LAST-HEARD and MAX-TIME-NO-RESPONSE
 * (RFC 5353 §4.2). They leave open how often elements are asked for a sign of life, and how long a takeover may take:
 * those are as long as the times around them. A mentor is looked for until every peer's heartbeat has come once.
 */
export const RFC_TIMES: RegistrarTimes = {
  announceIntervalMs: 1000,
  keepAliveIntervalMs: 30_000,
  keepAliveTimeoutMs: 5000,
  presenceIntervalMs: 30_000,
  maxTimeLastHeardMs: 61_000,
  maxTimeNoResponseMs: 5000,
  mentorDiscoveryTimeoutMs: 31_000,
  takeoverExpiryMs: 5000,
};

/** What may stay open: the handlespace has a default of its own, or there is no limit. */
type Open = "maxPools" | "maxIncrement" | "maxResolutionRate" | "maxUnreachableRate";

/** What a registrar is, with all filled in that its options did not say. */
export type RegistrarSettings = Required<Omit<RegistrarOptions, Open>> & Pick<RegistrarOptions, Open>;

const DEFAULTS: Omit<RegistrarSettings, Open | "registrarId" | "seed" | "maxAssociationsPerHost"> = {
  ...RSPLIB_TIMES,
  keepAliveJitter: 0.5,
  maxBadReports: 3,
  reportMemoryMs: 60_000,
  maxResolutionItems: 3,
  minAddressScope: "auto",
  peers: [],
  takeoverSuggestion: false,
  maxElementsPerTableResponse: 128,
  distanceStepMs: 50,
  maxElements: DEFAULT_MAX_ELEMENTS,
  maxAssociations: 10_000,
  maxElementsPerAssociation: 128,
  maxPeers: 128,
};

/** Fills in what the options do not say, or say to be undefined: not every program's types tell the one from the other. */
export function settingsOf(options: RegistrarOptions): RegistrarSettings {
  const { maxAssociations = DEFAULTS.maxAssociations, registrarId, seed } = options;
  const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const maxAssociationsPerHost = Math.max(1, maxAssociations >> 1);
  return { ...DEFAULTS, registrarId, seed, maxAssociationsPerHost, ...said };
}
