import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";

/**
 * When a SACK goes out, and where to (RFC 9260 §6.2): at once when something is odd or enough packets have come, else
 * after a delay. "At once" means with the next packets that are fetched, so a batch of packets gets one SACK.
 */
export class SackSchedule {
  /** A SACK goes out with the next packet. */
  due = false;
  /** When one goes out at the latest. */
  dueAt: Instant = NEVER;
  /** Where the last DATA came from: SACKs go there, though this side may hold the path for inactive (§6.4). */
  path: Path;
  /** Packets with DATA since the last SACK. */
  #owed = 0;
  readonly #settings: { readonly sackDelayMs: number; readonly sackFrequency: number };

  constructor(settings: { readonly sackDelayMs: number; readonly sackFrequency: number }, path: Path) {
    this.#settings = settings;
    this.path = path;
  }

  /** Whether DATA has come since the last SACK. */
  get owed(): boolean {
    return this.#owed > 0;
  }

  /**
   * A packet with DATA has come.
   *
   * @param path where from, if that is a path
   */
  received(path: Path | undefined, now: Instant): void {
    if (path !== undefined && path.confirmed) this.path = path;
    this.#owed++;
    const { sackDelayMs, sackFrequency } = this.#settings;
    if (this.#owed >= sackFrequency || sackDelayMs === 0) this.due = true;
    else if (!this.due && this.dueAt === NEVER) this.dueAt = now + sackDelayMs;
  }

  /** A SACK is on its way. */
  sent(): void {
    this.due = false;
    this.dueAt = NEVER;
    this.#owed = 0;
  }

  /** @returns whether the delay is over */
  tick(now: Instant): boolean {
    if (this.dueAt > now) return false;
    this.dueAt = NEVER;
    this.due = true;
    return true;
  }

  /** @throws {InvariantError} when a SACK is owed and will not be sent */
  checkInvariants(): void {
    assert(this.#owed === 0 || this.due || this.dueAt !== NEVER, "a SACK that is owed will be sent");
  }
}
