/** Limits of the retransmission time-out, in milliseconds. */
export interface RtoLimits {
  readonly rtoInitialMs: number;
  readonly rtoMinMs: number;
  readonly rtoMaxMs: number;
}

/** RTO.Alpha and RTO.Beta (RFC 9260 §16). */
const ALPHA = 1 / 8, BETA = 1 / 4;

/** Clock granularity G of RFC 9260 §6.3.1, in milliseconds: the variance is not taken to be smaller. */
const GRANULARITY_MS = 1;

/** The retransmission time-out of one path (RFC 9260 §6.3). */
export class RetransmissionTimeout {
  readonly #limits: RtoLimits;
  #rtoMs: number;
  #srttMs = 0;
  #rttVarMs = 0;
  /** The longest time-out since it was last asked for. */
  #longestMs: number;

  constructor(limits: RtoLimits) {
    this.#limits = limits;
    this.#rtoMs = this.#longestMs = limits.rtoInitialMs;
  }

  /** The time-out in milliseconds. */
  get rtoMs(): number {
    return this.#rtoMs;
  }

  /** The longest time-out since this was last called, in milliseconds. */
  takeLongest(): number {
    const longest = this.#longestMs;
    this.#longestMs = this.#rtoMs;
    return longest;
  }

  /** Smoothed round-trip time in milliseconds; 0 = none measured yet. */
  get srttMs(): number {
    return this.#srttMs;
  }

  /** Takes a measured round-trip time (§6.3.1 C2, C3, C6, C7). */
  measured(rttMs: number): void {
    const rtt = Math.max(0, rttMs);
    if (this.#srttMs === 0) {
      this.#srttMs = Math.max(rtt, Number.MIN_VALUE);
      this.#rttVarMs = rtt / 2;
    } else {
      this.#rttVarMs = (1 - BETA) * this.#rttVarMs + BETA * Math.abs(this.#srttMs - rtt);
      this.#srttMs = (1 - ALPHA) * this.#srttMs + ALPHA * rtt;
    }
    this.#rtoMs = this.measuredMs;
    if (this.#rtoMs > this.#longestMs) this.#longestMs = this.#rtoMs;
  }

  /** The time-out by measurement alone, without back-off; RTO.Initial while nothing was measured. */
  get measuredMs(): number {
    const { rtoInitialMs, rtoMinMs, rtoMaxMs } = this.#limits;
    if (this.#srttMs === 0) return rtoInitialMs;
    const rto = this.#srttMs + 4 * Math.max(this.#rttVarMs, GRANULARITY_MS / 4);
    return Math.min(Math.max(rto, rtoMinMs), rtoMaxMs);
  }

  /** Backs off after a time-out (§6.3.3 E2). */
  backOff(): void {
    this.#rtoMs = Math.min(this.#rtoMs * 2, this.#limits.rtoMaxMs);
    if (this.#rtoMs > this.#longestMs) this.#longestMs = this.#rtoMs;
  }
}
