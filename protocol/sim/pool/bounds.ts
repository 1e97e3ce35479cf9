import { RSPLIB_TIMES } from "../../registrar/mod.ts";
import { GIVE_UP_MS, HEARTBEAT_MS } from "./association.ts";
import type { PoolWorldOptions } from "./world.ts";

/** How long things may take in a world: what its checkers hold it to. */
export interface PoolBounds {
  /** From the last fault until all registrars agree, every element has one home, and nobody dead is left. */
  readonly settleMs: number;
  /** How long a dead element may be offered while faults go on. */
  readonly offerMs: number;
}

/** A connect to a silent place fails after this time. */
const CONNECT_MS = 7500;

/** A hunt leaves a registrar that failed alone for so long at most (RFC 5352 §3.6, T5-Serverhunt). */
const HUNT_RETRY_MS = 10_000;

/**
 * The bounds of a world, from its times. In the worst case one thing waits for the next: an association that hangs is
 * given up, a peer is found to be silent and then dead, its takeover waits for everybody, the new home asks the elements
 * and waits for their answers, an element hunts for a registrar, and what nobody took over lives to the end of its
 * registration.
 *
 * @param options what the world is made of
 */
export function boundsOf(options: PoolWorldOptions): PoolBounds {
  const times = { ...RSPLIB_TIMES, ...options.registrarOptions };
  const reregistrationMs = options.reregistrationIntervalMs ?? 30_000;
  const lossMs = HEARTBEAT_MS + GIVE_UP_MS + CONNECT_MS;
  const peerDeathMs = 2 * times.presenceIntervalMs + times.maxTimeLastHeardMs + times.maxTimeNoResponseMs;
  const takeoverMs = 2 * times.takeoverExpiryMs + CONNECT_MS;
  const elementDeathMs = times.keepAliveIntervalMs + times.keepAliveTimeoutMs;
  const huntMs = HUNT_RETRY_MS + CONNECT_MS + 2 * times.announceIntervalMs + reregistrationMs;
  const orphanMs = 3 * reregistrationMs;
  const drift = 1 + 2 * (options.clockDrift ?? 0);
  const settleMs = drift *
    (lossMs + peerDeathMs + takeoverMs + elementDeathMs + huntMs + orphanMs + times.mentorDiscoveryTimeoutMs);
  return { settleMs, offerMs: 2 * settleMs };
}
