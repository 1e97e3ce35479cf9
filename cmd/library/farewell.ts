/** How long a session may take to end in order. */

/** Time between two looks at what the other side has not taken yet, in milliseconds. */
const LOOK_INTERVAL_MS = 1000;

/**
 * Looks in a row at which nothing more was taken; then the other side is given up. A minute, as the services of `rsp server`
 * bear with a user that does not read. One that is gone does not take so long: the association fails before.
 */
export const MAX_IDLE_LOOKS = 60;

/** Looks since all was taken: SHUTDOWN is all that is left, and an abort loses nothing any more. */
export const MAX_LAST_LOOKS = 2;

/**
 * Watches the end of a session: as long as the other side takes what was sent to it, however slowly, it has the time that
 * it needs. Looks are counted, not time: while this process stands still, nobody can show it that something was taken.
 */
export class Farewell {
  readonly #untaken: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #last: number;
  #idle = 0;

  /**
   * Begins to watch.
   *
   * @param untaken octets that were sent, or wait for it, and that the other side has not acknowledged
   * @param giveUp is called when the time is over; the watch is over then, too
   */
  constructor(untaken: () => number, giveUp: () => void, intervalMs: number = LOOK_INTERVAL_MS) {
    this.#untaken = untaken;
    this.#last = untaken();
    this.#timer = setInterval(() => {
      if (!this.#isEnough()) return;
      this.end();
      giveUp();
    }, intervalMs);
  }

  /** Ends the watch. */
  end(): void {
    clearInterval(this.#timer);
  }

  #isEnough(): boolean {
    const untaken = this.#untaken();
    // Not "less": the kernel counts its own overhead of a message besides, from the moment that it has it.
    this.#idle = untaken === this.#last ? this.#idle + 1 : 0;
    this.#last = untaken;
    return this.#idle >= (untaken > 0 ? MAX_IDLE_LOOKS : MAX_LAST_LOOKS);
  }
}
