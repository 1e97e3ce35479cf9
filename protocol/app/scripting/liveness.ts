import type { Instant } from "../../net.ts";

/** How a side of a session finds out that the other one has gone (reference/rsplib.md §5.5). */
export interface LivenessTimes {
  /** Between two KeepAlive messages, in milliseconds. */
  readonly keepAliveIntervalMs: number;
  /** How long the other side may leave one unanswered, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
}

/**
 * The keep-alives that one side of a session sends, from `start` on. Whatever comes from the other side answers them:
 * RSPLIB's server does not read while it sends a result, so that an answer by the letter would come too late.
 *
 *     off --start--> quiet --interval--> waiting --heard--> quiet
 *                                           \--timeout--> the other side has gone
 */
export class Liveness {
  readonly #times: LivenessTimes;
  #sentAt: Instant | undefined;
  #waiting = false;

  /** @param times when to send and when to give up */
  constructor(times: LivenessTimes) {
    this.#times = times;
  }

  /** Begins. Gives the instant of the next `due`; a first KeepAlive that is sent at once is `sent`. */
  start(now: Instant): void {
    this.#sentAt ??= now;
  }

  /** Sends no more until `start`. */
  stop(): void {
    this.#sentAt = undefined;
    this.#waiting = false;
  }

  /** A KeepAlive is being sent. */
  sent(now: Instant): void {
    this.#sentAt = now;
    this.#waiting = true;
  }

  /** Something came from the other side. */
  heard(): void {
    this.#waiting = false;
  }

  /** Begins to wait for the answer anew: the KeepAlive could not get through until now. */
  excuse(now: Instant): void {
    if (this.#waiting) this.#sentAt = now;
  }

  /** When something is due; undefined = never. */
  next(): Instant | undefined {
    if (this.#sentAt === undefined) return undefined;
    const { keepAliveIntervalMs, keepAliveTimeoutMs } = this.#times;
    return this.#sentAt + (this.#waiting ? keepAliveTimeoutMs : keepAliveIntervalMs);
  }

  /** What is due: `send` a KeepAlive (and say that it is `sent`), or to regard the other side as `gone`. */
  due(now: Instant): "send" | "gone" | undefined {
    const next = this.next();
    if (next === undefined || next > now) return undefined;
    return this.#waiting ? "gone" : "send";
  }
}
