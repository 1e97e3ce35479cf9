/** Octets that may wait at first, and at least: some messages, so that an association gets under way. */
export const MIN_SEND_ROOM: number = 32 * 1024;

/** A queue that moves so slowly is looked at after so many milliseconds, though little has left it. */
const LOOK_AFTER_MS = 1000;

/** In so many parts the queue goes that are looked at each: the shorter, the more does chance say how quick it was. */
const PARTS = 4;

/**
 * How much may wait to be sent where it is to be gone within a time: a send buffer that is measured in seconds.
 *
 * Theory of operation: what waits is not the speed; what is on its way is, and that is the same share of the queue whatever
 * the speed, as long as the time is longer than the round trip. So the room follows the speed at which a full queue drains. It
 * begins small, for nobody knows the speed yet, and at most doubles at a time: a way that swallows the first octets in its own
 * buffers is not a fast one. It shrinks at once.
 */
export class SendRoom {
  readonly #drainMs: number;
  readonly #max: number;
  #octets: number;
  #drained = 0;
  #elapsedMs = 0;

  /**
   * @param drainMs so long what waits may take, in milliseconds
   * @param max octets that may wait at most, however fast they go
   */
  constructor(drainMs: number, max: number) {
    this.#drainMs = drainMs;
    this.#max = max;
    this.#octets = Math.min(MIN_SEND_ROOM, max);
  }

  /** So many octets may wait now. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * So many octets have left a full queue within so many milliseconds.
   *
   * @returns whether the room has changed
   */
  drained(octets: number, elapsedMs: number): boolean {
    this.#drained += octets;
    this.#elapsedMs += elapsedMs;
    if (this.#drained < this.#octets / PARTS && this.#elapsedMs < LOOK_AFTER_MS) return false;
    const before = this.#octets;
    const most = Math.min(2 * before, this.#max);
    const wanted = Math.max(MIN_SEND_ROOM, this.#drainMs * this.#drained / this.#elapsedMs); // Infinity = in no time
    this.#octets = Math.floor(Math.min(wanted, most));
    this.#drained = this.#elapsedMs = 0;
    return this.#octets !== before;
  }
}
