/**
 * Whether the paths of an association work: error counts, HEARTBEATs, confirmation (RFC 9260 §5.4, §8.1–§8.3, RFC 7829).
 *
 * | path is | HEARTBEAT | when it is not answered within an RTO |
 * |---|---|---|
 * | active | each interval + RTO without acknowledged data | one error more; above PFMR: potentially failed |
 * | potentially failed | at once, each RTO | one error more; above Path.Max.Retrans: inactive |
 * | inactive | each interval + RTO | one error more; stays inactive |
 * | unconfirmed | at once, each RTO up to the limit, then as inactive | stays unconfirmed |
 *
 * T3 counts like a HEARTBEAT without answer. Where data is sent on a potentially failed path for want of a better one, T3 says
 * all there is to say, and a HEARTBEAT that is not answered meanwhile counts for nothing (RFC 7829 §3.2, 6). When all paths
 * are inactive (dormant state, §4) data goes on to the one with the fewest errors, until the association's own limit.
 *
 * An answer counts only with the nonce of the last HEARTBEAT sent on that path. The association ends when too many
 * time-outs come in a row while no other path is known to work; unconfirmed paths bring its end closer only where there
 * are no others, because the peer has moved (RFC 5061).
 */
import type { Instant, PathChanged } from "../net.ts";
import type { ControlQueue } from "./control_queue.ts";
import { answersHeartbeat, makeHeartbeat, makeNonce } from "./heartbeat_chunk.ts";
import { MAX_CONFIRMATION_BURST } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";
import type { Host } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Path, Target } from "./path.ts";
import type { PathSet } from "./path_set.ts";

/** Who hears what becomes of the paths. */
export interface PathListener {
  pathChanged(path: Path, change: PathChanged["change"]): void;
  /** A HEARTBEAT that the user had asked for was answered. */
  heartbeatAnswered(path: Path, roundTripMs: number): void;
}

/** Watches over the paths of one association. */
export class Supervision {
  /** Consecutive time-outs of the whole association. */
  errors = 0;
  readonly #paths: PathSet;
  readonly #settings: EndpointSettings;
  readonly #host: Host;
  readonly #control: ControlQueue;
  readonly #listener: PathListener;

  constructor(
    paths: PathSet,
    settings: EndpointSettings,
    host: Host,
    control: ControlQueue,
    listener: PathListener,
  ) {
    this.#paths = paths;
    this.#settings = settings;
    this.#host = host;
    this.#control = control;
    this.#listener = listener;
  }

  /** The association is established: unconfirmed paths are probed, a few at a time; confirmed ones have time. */
  start(now: Instant): void {
    let burst = 0;
    for (const path of this.#paths.list) {
      if (path.confirmed) this.#rest(path, now);
      else path.heartbeatAt = now + Math.floor(burst++ / MAX_CONFIRMATION_BURST) * path.timeout.rtoMs;
    }
  }

  /** Whether so many time-outs came in a row that the peer must be gone. */
  get failed(): boolean {
    return this.errors > this.#settings.associationMaxRetransmissions;
  }

  /** Something sent on a path was not answered in time. */
  countError(path: Path): void {
    const counts = path.confirmed || !this.#paths.list.some((other) => other.confirmed);
    if (counts && !this.#anotherWorks(path)) this.errors++;
    const failedBefore = path.potentiallyFailed;
    path.errors++;
    if (path.active && path.errors > path.settings.pathMaxRetransmissions) {
      path.active = false;
      if (path.confirmed) this.#listener.pathChanged(path, "unreachable");
    } else if (path.potentiallyFailed && !failedBefore && path.confirmed) {
      this.#expose(path, "potentially-failed");
    }
    if (path === this.#paths.primary) this.#switchOver(path);
  }

  #expose(path: Path, change: "potentially-failed" | "available"): void {
    if (this.#settings.exposePotentiallyFailed) this.#listener.pathChanged(path, change);
  }

  /** Primary path switchover (RFC 7829 §5): data does not come back when the old primary path does. */
  #switchOver(primary: Path): void {
    if (primary.errors <= primary.settings.primarySwitchoverMaxRetransmissions) return;
    const path = this.#paths.forData();
    if (path === primary) return;
    this.#paths.primary = path;
    this.#listener.pathChanged(path, "made-primary");
  }

  /**
   * While another path is known to work, errors do not bring the association nearer to its end: else three paths that
   * fail at once could use up its limit before the fourth has had a chance to speak.
   */
  #anotherWorks(path: Path): boolean {
    return this.#paths.list.some((other) => other !== path && other.usable && other.errors === 0);
  }

  /** The peer has answered something that was sent on this path. */
  answered(path: Path): void {
    this.errors = 0;
    const failed = path.potentiallyFailed;
    path.errors = 0;
    if (!path.confirmed) path.active = true;
    else if (failed) this.#expose(path, "available");
    if (path.active) return;
    path.active = true;
    this.#listener.pathChanged(path, "available");
  }

  /** T3 has expired: HEARTBEATs find out whether the path comes back (RFC 7829 §3.2, 6). */
  timedOut(path: Path, now: Instant): void {
    this.countError(path);
    if (path.heartbeats && !path.working) this.probeSoon(path, now);
  }

  /** A path is in doubt: a HEARTBEAT goes there at once, unless one is on its way. */
  probeSoon(path: Path, now: Instant): void {
    if (path.nonce === undefined && path.heartbeats) path.heartbeatAt = Math.min(path.heartbeatAt, now);
  }

  /** Sends the HEARTBEAT that the user asks for (§8.3, §11.1.6). */
  request(path: Path, now: Instant): void {
    this.probe(path, now);
    path.nonceRequested = true;
  }

  /**
   * Sends a HEARTBEAT.
   *
   * @param target what it shares its packet with; in doubt nothing: a large packet may be too large, a small one says more
   */
  probe(path: Path, now: Instant, target: Target = path.errors > 0 ? path.alone : path): void {
    path.nonce = makeNonce(this.#host.environment.random);
    path.nonceSentAt = now;
    path.nonceRequested = false;
    path.heartbeatAt = now + patience(path);
    this.#control.push(makeHeartbeat(path.nonce), target);
  }

  /** Runs what is due on a path. */
  tick(path: Path, now: Instant): void {
    if (path.heartbeatAt > now) return;
    const unanswered = path.nonce !== undefined;
    if (unanswered) this.#unanswered(path);
    const idle = path.flight === 0 && now - path.lastAckedAt >= path.settings.heartbeatIntervalMs;
    const wanted = path.confirmed
      ? path.heartbeats && (path.potentiallyFailed || (!unanswered && (idle || path.errors > 0)))
      : path.active || !unanswered;
    if (wanted) this.probe(path, now);
    else this.#rest(path, now);
  }

  /** A HEARTBEAT was not answered in time. With data under way on the same path T3 tells the same. */
  #unanswered(path: Path): void {
    path.nonce = undefined;
    if (path.flight > 0 || path.lastSentAt >= path.nonceSentAt) return;
    if (path.active) path.timeout.backOff();
    this.countError(path);
  }

  /**
   * Takes a HEARTBEAT ACK.
   *
   * @param chunk header and value
   * @returns the path that answered; undefined when the nonce is not the one that was sent there last
   */
  acknowledged(chunk: Uint8Array, now: Instant): Path | undefined {
    const path = this.#paths.list.find(({ nonce }) => answersHeartbeat(chunk, nonce));
    if (path === undefined) return undefined;
    path.nonce = undefined;
    path.heardAt = now;
    const roundTripMs = now - path.nonceSentAt;
    path.timeout.measured(roundTripMs);
    if (path.nonceRequested) this.#listener.heartbeatAnswered(path, roundTripMs);
    this.answered(path);
    if (!path.confirmed) {
      path.confirmed = true;
      this.#listener.pathChanged(path, "confirmed");
    }
    this.#rest(path, now);
    return path;
  }

  /** The interval of a path's HEARTBEATs has changed. One that waits for its answer goes on waiting. */
  reschedule(path: Path, now: Instant): void {
    if (path.nonce === undefined && path.confirmed) this.#rest(path, now);
  }

  /** The next HEARTBEAT comes after the interval, plus the RTO with half of it as jitter (§8.3). */
  #rest(path: Path, now: Instant): void {
    const { heartbeats, heartbeatIntervalMs: interval } = path.settings;
    const jittered = patience(path) * (0.5 + this.#host.prng.uniform());
    path.heartbeatAt = !heartbeats || interval === 0 ? NEVER : now + interval + jittered;
  }
}

/**
 * How long an answer may take. Back-off protects a path that carries data; on an inactive one there is only a HEARTBEAT
 * now and then, and waiting longer and longer would only hide that it works again.
 */
function patience(path: Path): number {
  return path.active ? path.timeout.rtoMs : path.timeout.measuredMs;
}
