/**
 * Why an association on kernel SCTP ended. Linux tells less than RFC 6458 §6.1.1 has it tell, so part of it is inferred
 * from the time that passed and from the state of the paths.
 *
 * @module
 */
import type { AssociationDown } from "../protocol/net.ts";
import type { EffectiveOptions } from "./effective_options.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { type AssociationChangeNotification, firstCause } from "./notification.ts";

/** Less than one: timers of the kernel and of this process do not agree to the millisecond. */
const PATIENCE_SHARE = 0.8;

/** The event that ends an association. */
export function downOf(
  association: KernelAssociation,
  reason: AssociationDown["reason"],
  origin: AssociationDown["origin"],
  cause: AssociationDown["cause"],
): AssociationDown {
  return { type: "down", association: association.id, request: association.request, reason, origin, cause };
}

/** For an association that was not set up (SCTP_CANT_STR_ASSOC). */
export function downOfAttempt(
  association: KernelAssociation,
  change: AssociationChangeNotification,
  options: EffectiveOptions,
): AssociationDown {
  const answered = change.errorCode !== 0 || change.causes.length > 0;
  if (answered) return downOf(association, "refused", "peer", firstCause(change));
  // A time-out and an ABORT without a cause give the same notification; the time that passed tells them apart.
  const passedMs = performance.now() - association.startedAt;
  const reason = passedMs >= PATIENCE_SHARE * patienceMs(options) ? "timeout" : "refused";
  return downOf(association, reason, "local", undefined);
}

/** How long the kernel sends INITs before it gives up, in milliseconds. */
function patienceMs({ rto, maxInitRetransmissions: attempts }: EffectiveOptions): number {
  let sumMs = 0;
  for (let attempt = 0, rtoMs = rto.initialMs; attempt < attempts; attempt++, rtoMs *= 2) {
    sumMs += Math.min(rtoMs, rto.maxMs);
  }
  return sumMs;
}

/** For an association that was up and is lost (SCTP_COMM_LOST). */
export function downOfLost(
  association: KernelAssociation,
  change: AssociationChangeNotification,
  options: EffectiveOptions,
): AssociationDown {
  const cause = firstCause(change);
  if (association.ending === "abort") return downOf(association, "aborted", "local", cause);
  if (cause !== undefined) return downOf(association, "aborted", "peer", cause);
  // Neither the error limit nor an ABORT without a cause leaves a trace in the notification.
  const { associationMaxRetransmissions, pathMaxRetransmissions } = options;
  const silent = association.unreachable.size > 0 || associationMaxRetransmissions <= pathMaxRetransmissions;
  return downOf(association, silent ? "timeout" : "aborted", silent ? "local" : "peer", undefined);
}

/** For an association that was shut down (SCTP_SHUTDOWN_COMP). */
export function downOfShutdown(association: KernelAssociation): AssociationDown {
  return downOf(association, "shutdown", association.peerShutDown ? "peer" : "local", undefined);
}
