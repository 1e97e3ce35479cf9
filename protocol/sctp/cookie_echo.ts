import type { Instant } from "../net.ts";
import { NEVER } from "./path.ts";
import type { RetransmissionTimeout } from "./rto.ts";

/** The initiator's COOKIE ECHO while it waits for its answer, and its timer T1-cookie (RFC 9260 §5.1 C). */
export class CookieEcho {
  /** COOKIE ECHO, with the ERROR that may go along. */
  chunks: readonly Uint8Array[] = [];
  /** When T1-cookie expires. */
  dueAt: Instant = NEVER;
  #sends = 0;

  /** How often it was sent again. */
  get repetitions(): number {
    return this.#sends - 1;
  }

  /** It is sent, for the first time or once more. */
  sent(now: Instant, timeout: RetransmissionTimeout): void {
    this.#sends++;
    this.dueAt = now + timeout.rtoMs;
  }

  /** The answer has come: when it was sent just once, that was a round trip (§6.3.1 C5). */
  answered(now: Instant, timeout: RetransmissionTimeout): void {
    if (this.#sends === 1) timeout.measured(now - (this.dueAt - timeout.rtoMs));
  }

  /** There is nothing to wait for any more. */
  drop(): void {
    this.dueAt = NEVER;
    this.chunks = [];
  }
}
