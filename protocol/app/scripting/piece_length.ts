import type { Instant } from "../../net.ts";
import { MAX_SCRIPTING_DATA } from "./messages.ts";
import { FILE_CHUNK } from "./patience.ts";

/** Who has to wait for so long until it may send again is on a slow way, in milliseconds. */
const SLOW_MS = 250;

/**
 * How much of a file is read at once. A piece is sent whole, whatever room there is, and what is sent behind it waits until it
 * has gone: on a slow way an answer to a KeepAlive, for which RSPLIB's pool users wait ten seconds. On a fast one long pieces
 * are less work. So a piece is a message at first, and each is a message longer than the one before, until it shows that the
 * way is slow.
 */
export class PieceLength {
  #octets = MAX_SCRIPTING_DATA;
  #blockedAt: Instant | undefined;

  /** Octets of the piece that is read now. */
  next(): number {
    const octets = this.#octets;
    this.#octets = Math.min(octets + MAX_SCRIPTING_DATA, FILE_CHUNK);
    return octets;
  }

  /** There is no room for more. */
  blocked(now: Instant): void {
    this.#blockedAt = now;
  }

  /** There is room again. */
  writable(now: Instant): void {
    if (this.#blockedAt !== undefined && now - this.#blockedAt >= SLOW_MS) this.#octets = MAX_SCRIPTING_DATA;
    this.#blockedAt = undefined;
  }
}
