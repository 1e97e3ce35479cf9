import type { RegistrarTimes } from "./options.ts";

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

/** The times that some options give; RSPLIB's where they give none. */
export function timesOf(options: Partial<RegistrarTimes>): RegistrarTimes {
  const times = { ...RSPLIB_TIMES };
  for (const name of Object.keys(RSPLIB_TIMES) as (keyof RegistrarTimes)[]) {
    times[name] = options[name] ?? RSPLIB_TIMES[name];
  }
  return times;
}
