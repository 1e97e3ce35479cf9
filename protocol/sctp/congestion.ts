import type { Instant } from "../net.ts";
/**
 * L of RFC 9260 §7.2.1: how many PMDCS one SACK may add to cwnd in slow start. A receiver that takes its packets in batches
 * sends one SACK for many packets, and with L = 1 its sender would open its window by one packet for each thirty. RFC 3465
 * §2.3 allows 2 and no more; after a time-out it wants 1, since a SACK may then tell of what had long left the network.
 */
const SLOW_START_PACKETS = 2;

/** How much may be sent at once. */
export interface BurstSettings {
  /** Packets beyond what a SACK has acknowledged (RFC 9260 §16, Max.Burst); 0 = no limit. */
  readonly maxBurst: number;
}

/**
 * Congestion control of one path (RFC 9260 §7.2). All sizes are octets of DATA chunks with their headers and padding, as
 * `flight` is counted. PMDCS is the most that a packet holds of them: the path MTU without the headers of IP, UDP and SCTP.
 *
 * | event | ssthresh | cwnd |
 * |---|---|---|
 * | start | unlimited | min(4 PMDCS, max(2 PMDCS, 4404)) |
 * | cumulative ack, cwnd was full, cwnd <= ssthresh | | + min(acked, L PMDCS) |
 * | cumulative ack, cwnd was full, cwnd > ssthresh | | + PMDCS for each cwnd acked |
 * | fast retransmit | max(cwnd/2, 4 PMDCS) | ssthresh |
 * | T3 expiry | max(cwnd/2, 4 PMDCS) | PMDCS, and one packet at first |
 * | idle for an RTO | cwnd, the first time | max(cwnd/2, 4 PMDCS) |
 */
export class Congestion {
  /** Congestion window. */
  cwnd = 0;
  /** Slow start threshold. */
  ssthresh: number = Number.MAX_SAFE_INTEGER;
  /** In fast recovery cwnd neither grows nor shrinks (§7.2.4). */
  inRecovery = false;
  /** Fast recovery ends when this TSN is acknowledged. */
  recoveryExit = 0;
  /** How far `flight` may grow before the next SACK, so that a suddenly open window makes no burst (§6.1 D). */
  burstLimit = 0;
  #partialBytesAcked = 0;
  #slowStartPackets = SLOW_START_PACKETS;
  /** When the last SACK came; what the SACKs of that instant acknowledge in all, and whether cwnd was full before them. */
  #sacksAt: Instant = NaN;
  #sacksAcked = 0;
  #wasFull = false;
  #pmdcs: number;

  readonly #settings: BurstSettings;

  constructor(pmdcs: number, settings: BurstSettings) {
    this.#pmdcs = pmdcs;
    this.#settings = settings;
    this.cwnd = initialWindow(pmdcs);
    this.burstLimit = this.#burst;
  }

  /** The path MTU changed. */
  setPmdcs(pmdcs: number): void {
    this.#pmdcs = pmdcs;
  }

  /** Octets that may leave at once beyond what was acknowledged (§6.1 D). */
  get #burst(): number {
    const { maxBurst } = this.#settings;
    return maxBurst === 0 ? Infinity : maxBurst * this.#pmdcs;
  }

  /** Whether new data may be sent with so much in flight. */
  allows(flight: number): boolean {
    return flight < this.cwnd && (flight < this.burstLimit || flight === 0);
  }

  /**
   * A SACK acknowledged data of this path. SACKs of one instant came in one batch, with no chance to send in between, and
   * count as one: else the second of them would find a window that is not full, and too small an allowance for a burst.
   *
   * @param acked octets newly acknowledged
   * @param flightBefore octets that were in flight before
   * @param flightNow octets that are in flight still
   * @param cumulative whether the cumulative TSN advanced
   */
  acknowledged(
    acked: number,
    flightBefore: number,
    flightNow: number,
    cumulative: boolean,
    now: Instant,
  ): void {
    if (now !== this.#sacksAt) {
      this.#sacksAt = now;
      this.#sacksAcked = 0;
      this.#wasFull = flightBefore >= this.cwnd;
    }
    this.#sacksAcked += acked;
    this.burstLimit = flightNow + this.#sacksAcked + this.#burst;
    if (!this.inRecovery) this.#grow(acked, cumulative);
    if (flightNow === 0) this.#partialBytesAcked = 0;
  }

  #grow(acked: number, cumulative: boolean): void {
    if (this.cwnd <= this.ssthresh) {
      if (cumulative && this.#wasFull) this.cwnd += Math.min(acked, this.#slowStartPackets * this.#pmdcs);
      return;
    }
    this.#slowStartPackets = SLOW_START_PACKETS;
    this.#partialBytesAcked += acked;
    if (this.#partialBytesAcked < this.cwnd) return;
    this.#partialBytesAcked = this.#wasFull ? this.#partialBytesAcked - this.cwnd : this.cwnd;
    if (this.#wasFull) this.cwnd += this.#pmdcs;
  }

  /** Data was found lost by missing reports; `exit` is the highest TSN outstanding. */
  fastRetransmit(exit: number): void {
    if (this.inRecovery) return;
    this.ssthresh = Math.max(this.cwnd / 2, 4 * this.#pmdcs);
    this.cwnd = this.ssthresh;
    this.#partialBytesAcked = 0;
    this.inRecovery = true;
    this.recoveryExit = exit;
  }

  /** T3 expired. */
  timedOut(): void {
    this.ssthresh = Math.max(this.cwnd / 2, 4 * this.#pmdcs);
    this.cwnd = this.#pmdcs;
    this.#slowStartPackets = 1;
    this.#partialBytesAcked = 0;
    this.inRecovery = false;
    this.burstLimit = 0; // one packet, and no more before its SACK (§6.3.3 E3)
  }

  /** Data is about to be sent after the path was idle for `idleMs` (§7.2.1). */
  resumed(idleMs: number, rtoMs: number): void {
    const floor = 4 * this.#pmdcs;
    if (idleMs >= rtoMs && this.cwnd > floor) this.ssthresh = this.cwnd;
    for (let left = idleMs; left >= rtoMs && this.cwnd > floor; left -= rtoMs) {
      this.cwnd = Math.max(this.cwnd / 2, floor);
    }
    this.burstLimit = this.#burst;
  }
}

/** RFC 9260 §7.2.1. */
export function initialWindow(pmdcs: number): number {
  return Math.min(4 * pmdcs, Math.max(2 * pmdcs, 4404));
}
