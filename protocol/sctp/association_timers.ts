import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";

/**
 * The timers of an association: what its parts want to be called for, and two that concern several parts at once, T3-rtx
 * and the HEARTBEAT timer of a path. They are fields that hold an instant, {@linkcode NEVER} when they do not run.
 */
export class AssociationTimers {
  readonly #parts: AssociationParts;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /** Runs what is due. Any of it may be the end of the association. */
  tick(now: Instant): void {
    const parts = this.#parts;
    const { association, sacks, cookieEcho, shutdown, reconfiguration, dynamic } = parts;
    if (sacks.tick(now)) parts.wake();
    if (cookieEcho.dueAt <= now) cookieEcho.tick(now);
    if (shutdown.dueAt <= now) shutdown.tick(now);
    if (reconfiguration !== undefined && reconfiguration.dueAt <= now && association.mayCarryData) {
      reconfiguration.tick(now);
    }
    if (association.state !== "closed") dynamic?.tick(now);
    for (const path of parts.paths.list) {
      if (path.t3At <= now && association.state !== "closed") this.#onT3(path, now);
      if (path.heartbeatAt <= now && association.state !== "closed") this.#onHeartbeat(path, now);
      if (path.search.dueAt <= now && association.state !== "closed") parts.pathMtu.tick(path, now);
    }
    if (association.state !== "closed") parts.autoClose.tick(now);
  }

  /** When the first one is due. */
  next(): Instant {
    const { association, dynamic, sacks, cookieEcho, shutdown, autoClose, paths, reconfiguration } =
      this.#parts;
    let next = Math.min(
      dynamic?.dueAt ?? NEVER,
      sacks.dueAt,
      cookieEcho.dueAt,
      shutdown.dueAt,
      autoClose.dueAt,
    );
    for (const path of paths.list) {
      next = Math.min(next, path.t3At, path.heartbeatAt, path.search.dueAt);
    }
    return reconfiguration === undefined || !association.mayCarryData
      ? next
      : Math.min(next, reconfiguration.dueAt);
  }

  /** T3-rtx (§6.3.3). A closed window is not the path's fault as long as the peer says that it is closed (§6.1 A). */
  #onT3(path: Path, now: Instant): void {
    const { outbound, progress, pathMtu, supervision } = this.#parts;
    const excused = outbound.probing && progress.lastAt >= path.lastSentAt;
    outbound.timedOut(path, now);
    pathMtu.timedOut(path, now);
    this.#askRoute(path, now);
    if (!excused) {
      supervision.timedOut(path, now);
      if (supervision.failed) return this.#parts.end("timeout", "local", undefined);
    }
    this.#parts.wake();
  }

  #onHeartbeat(path: Path, now: Instant): void {
    const { association: { state }, supervision } = this.#parts;
    if (state === "shutdown-sent" || state === "shutdown-ack-sent") {
      path.heartbeatAt = NEVER; // T2 does it from here on (§8.3)
      return;
    }
    this.#askRoute(path, now);
    supervision.tick(path, now);
    if (supervision.failed) return this.#parts.end("timeout", "local", undefined);
    this.#parts.wake();
  }

  /** What does not come through may have another way by now. */
  #askRoute(path: Path, now: Instant): void {
    const { association, pathMtu } = this.#parts;
    if (path.takeRoute(association.routeTo(path.address))) this.#parts.measureFragments();
    pathMtu.routed(path, now);
  }
}
