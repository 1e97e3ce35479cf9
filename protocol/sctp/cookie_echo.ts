import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { COMMON_HEADER_OCTETS } from "./packet.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";

/** Room for the HEARTBEAT that verifies an address, and for an AUTH chunk in front of it all. */
const COMPANION_OCTETS = 20 + 72;

/** The initiator's COOKIE ECHO while it waits for its answer, and its timer T1-cookie (RFC 9260 §5.1 C). */
export class CookieEcho {
  /** When T1-cookie expires. */
  dueAt: Instant = NEVER;
  readonly #parts: AssociationParts;
  /** COOKIE ECHO, with the ERROR that may go along. */
  #chunks: readonly Uint8Array[] = [];
  #sends = 0;
  #sentAt: Instant = 0;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /** Sends it for the first time. */
  start(chunks: readonly Uint8Array[], now: Instant): void {
    this.#chunks = chunks;
    this.#send(now);
  }

  #send(now: Instant): void {
    const path = this.#nextPath();
    // An ERROR must not go to an unconfirmed address; and the probing begins when the association is up (§5.4).
    this.#parts.sendToVerify(path.confirmed ? this.#chunks : this.#chunks.slice(0, 1), path, now);
    if (!path.confirmed) path.heartbeatAt = NEVER;
    this.#sends++;
    this.#sentAt = now;
    this.dueAt = now + this.#parts.paths.primary.timeout.rtoMs;
    this.#parts.arm(this.dueAt);
  }

  /**
   * Where it goes: to where the INIT ACK came from, and when that is silent to the peer's other addresses by turns with it.
   * There may be many of them, and behind a NAT none can be reached.
   */
  #nextPath(): Path {
    const { primary, list } = this.#parts.paths;
    if (this.#sends % 2 === 0) return primary;
    const others = list.filter((path) => path !== primary && this.#mayGoTo(path));
    return others[(this.#sends - 1) / 2 % others.length] ?? primary;
  }

  /** To an unconfirmed address only a COOKIE ECHO may go that has room for a HEARTBEAT in its packet (§5.4). */
  #mayGoTo(path: Path): boolean {
    if (path.source === undefined) return false;
    const octets = COMMON_HEADER_OCTETS + (this.#chunks[0]?.length ?? 0) + COMPANION_OCTETS;
    return path.confirmed || octets <= path.packetOctets;
  }

  /** T1-cookie: once more, as long as there is hope. */
  tick(now: Instant): void {
    if (this.dueAt > now) return;
    const { paths, settings } = this.#parts;
    if (this.#sends > settings.maxInitRetransmissions) return this.#parts.end("timeout", "local", undefined);
    paths.primary.timeout.backOff();
    this.#send(now);
  }

  /** The answer has come: when it was sent just once, that was a round trip (§6.3.1 C5). */
  answered(now: Instant): void {
    if (this.#sends === 1) this.#parts.paths.primary.timeout.measured(this.waitedMs(now));
  }

  /** How long ago it was sent. */
  waitedMs(now: Instant): number {
    return now - this.#sentAt;
  }

  /** There is nothing to wait for any more. */
  drop(): void {
    this.dueAt = NEVER;
    this.#chunks = [];
  }
}
