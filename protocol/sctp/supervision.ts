/**
 * Whether the paths of an association work: error counts, HEARTBEATs, confirmation (RFC 9260 §5.4, §8.1–§8.3, RFC 7829).
 *
 * | path is | HEARTBEAT | when it is not answered within an RTO |
 * |---|---|---|
 * | active | each interval + RTO without acknowledged data | one error more; potentially failed |
 * | potentially failed (errors > 0) | at once, each RTO | above the limit: inactive |
 * | inactive | each interval + RTO | stays inactive |
 * | unconfirmed | at once, each RTO up to the limit, then as inactive | stays unconfirmed |
 *
 * An answer counts only with the nonce of the last HEARTBEAT sent on that path. The association ends when too many
 * time-outs come in a row while no other path is known to work; unconfirmed paths never bring its end closer.
 */
import type { Instant, PathChanged } from "../net.ts";
import { ChunkType, makeChunk } from "./chunk.ts";
import type { ControlQueue } from "./control_queue.ts";
import { MAX_CONFIRMATION_BURST } from "./limits.ts";
import type { EndpointSettings } from "./options.ts";
import { ParameterType } from "./parameters.ts";
import { readU16, readU32 } from "./packet.ts";
import type { Host } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";

const NONCE_OCTETS = 8;
/** Chunk header, parameter header, path index, nonce. */
const HEARTBEAT_OCTETS = 4 + 4 + 4 + NONCE_OCTETS;

/** Watches over the paths of one association. */
export class Supervision {
  /** Consecutive time-outs of the whole association. */
  errors = 0;
  readonly #paths: PathSet;
  readonly #settings: EndpointSettings;
  readonly #host: Host;
  readonly #control: ControlQueue;
  readonly #onChange: (path: Path, change: PathChanged["change"]) => void;

  constructor(
    paths: PathSet,
    settings: EndpointSettings,
    host: Host,
    control: ControlQueue,
    onChange: (path: Path, change: PathChanged["change"]) => void,
  ) {
    this.#paths = paths;
    this.#settings = settings;
    this.#host = host;
    this.#control = control;
    this.#onChange = onChange;
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
    if (path.confirmed && !this.#anotherWorks(path)) this.errors++;
    path.errors++;
    if (path.active && path.errors > this.#settings.pathMaxRetransmissions) {
      path.active = false;
      if (path.confirmed) this.#onChange(path, "unreachable");
    }
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
    path.errors = 0;
    if (path.active) return;
    path.active = true;
    if (path.confirmed) this.#onChange(path, "available");
  }

  /** T3 expired on a path that data now avoids: HEARTBEATs find out whether it comes back. */
  probeSoon(path: Path, now: Instant): void {
    if (path.nonce !== undefined) return;
    path.heartbeatAt = Math.min(path.heartbeatAt, now);
  }

  /** Sends a HEARTBEAT. */
  probe(path: Path, now: Instant): void {
    const nonce = new Uint8Array(NONCE_OCTETS);
    this.#host.environment.random(nonce);
    path.nonce = nonce;
    path.nonceSentAt = now;
    path.heartbeatAt = now + patience(path);
    this.#control.push(
      makeChunk(ChunkType.heartbeat, 0, (w) =>
        w.tlv(ParameterType.heartbeatInfo, (info) => {
          info.u32(path.index);
          info.bytes(nonce);
        })),
      path,
    );
  }

  /** Runs what is due on a path. */
  tick(path: Path, now: Instant): void {
    if (path.heartbeatAt > now) return;
    if (path.nonce !== undefined) {
      path.nonce = undefined;
      if (path.active) path.timeout.backOff();
      this.countError(path);
      if (path.active) this.probe(path, now);
      else this.#rest(path, now);
      return;
    }
    const idle = path.flight === 0 && now - path.lastAckedAt >= this.#settings.heartbeatIntervalMs;
    if (idle || !path.confirmed || path.errors > 0) this.probe(path, now);
    else this.#rest(path, now);
  }

  /**
   * Takes a HEARTBEAT ACK.
   *
   * @param chunk header and value
   * @returns the path that answered; undefined when the nonce is not the one that was sent there last
   */
  acknowledged(chunk: Uint8Array, now: Instant): Path | undefined {
    if (chunk.length < HEARTBEAT_OCTETS || readU16(chunk, 4) !== ParameterType.heartbeatInfo) {
      return undefined;
    }
    const path = this.#paths.list[readU32(chunk, 8)];
    const nonce = path?.nonce;
    if (path === undefined || nonce === undefined) return undefined;
    for (let i = 0; i < NONCE_OCTETS; i++) {
      if (chunk[12 + i] !== nonce[i]) return undefined;
    }
    path.nonce = undefined;
    path.timeout.measured(now - path.nonceSentAt);
    this.answered(path);
    if (!path.confirmed) {
      path.confirmed = true;
      this.#onChange(path, "confirmed");
    }
    this.#rest(path, now);
    return path;
  }

  /** The next HEARTBEAT comes after the interval, plus the RTO with half of it as jitter (§8.3). */
  #rest(path: Path, now: Instant): void {
    const interval = this.#settings.heartbeatIntervalMs;
    const jittered = patience(path) * (0.5 + this.#host.prng.uniform());
    path.heartbeatAt = interval === 0 ? NEVER : now + interval + jittered;
  }
}

/**
 * How long an answer may take. Back-off protects a path that carries data; on an inactive one there is only a HEARTBEAT
 * now and then, and waiting longer and longer would only hide that it works again.
 */
function patience(path: Path): number {
  return path.active ? path.timeout.rtoMs : path.timeout.measuredMs;
}
