import type { EndpointOptions } from "../net.ts";

/** Whether an endpoint of this name carries sessions of a session client. */
export function isSessionEndpoint(name: string): boolean {
  return name === "data" || name.startsWith("data ");
}

/**
 * Associations with a registrar: an attempt fails after about the hunt's connect timeout (INIT at 0, 1, 3, 5 s), and
 * a registrar that does not acknowledge a request is given up within seconds, as RSPLIB's clients do by their request
 * timeout.
 */
export const HUNT_ENDPOINT: EndpointOptions = {
  rto: { initialMs: 1000, minMs: 500, maxMs: 2000 },
  maxInitRetransmissions: 3,
  associationMaxRetransmissions: 6,
};

/** RSPLIB's settings for sessions (reference/rsplib.md §3.1), so that a failover does not wait for a minute. */
export const DATA_ENDPOINT: EndpointOptions = {
  rto: { initialMs: 2000, minMs: 1000, maxMs: 5000 },
  maxInitRetransmissions: 3,
  associationMaxRetransmissions: 8,
  pathMaxRetransmissions: 3,
  heartbeatIntervalMs: 15_000,
};

/**
 * The endpoints that a session client wants. SCTP knows one association between two endpoints (RFC 9260 §1.3), so
 * that each session that may meet another one at the same pool element needs an endpoint of its own: `data`,
 * `data 2`, `data 3`, …
 *
 * @param sessions how many sessions there may be at the same time
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(Object.keys(sessionClientEndpoints(2)), ["hunt", "data", "data 2"]);
 * ```
 */
export function sessionClientEndpoints(sessions: number): Record<string, EndpointOptions> {
  const endpoints: Record<string, EndpointOptions> = { hunt: HUNT_ENDPOINT, data: DATA_ENDPOINT };
  for (let n = 2; n <= sessions; n++) endpoints[`data ${n}`] = DATA_ENDPOINT;
  return endpoints;
}

/**
 * How often an element probes its registrar. Between registrations nothing else tells that a registrar was restarted and
 * knows no pool any more: SCTP's default of 30 s is as long as RSPLIB's re-registration interval.
 */
const REGISTRAR_HEARTBEAT_MS = 5000;

/** The endpoints of a service host; add `port` and `addresses` to `data` as needed. */
export function serviceHostEndpoints(): Record<"hunt" | "data", EndpointOptions> {
  const hunt = { ...HUNT_ENDPOINT, heartbeatIntervalMs: REGISTRAR_HEARTBEAT_MS, listen: true };
  return { hunt, data: { ...DATA_ENDPOINT, listen: true } };
}
