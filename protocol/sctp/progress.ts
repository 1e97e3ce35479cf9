import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { SackOutcome } from "./outbound.ts";
import { readU32 } from "./packet.ts";
import type { Path } from "./path.ts";
import { gapBlockCount, SACK_HEADER_OCTETS } from "./sack_chunk.ts";

/** What goes on when the peer has acknowledged data: its paths live, the user may send more, a shutdown takes its step. */
export class Progress {
  /** When the peer last acknowledged something. */
  lastAt: Instant = -Infinity;
  readonly #parts: AssociationParts;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /**
   * Takes a SACK.
   *
   * @param packet what it stands in, not copied: there is one for every other packet of data
   * @param at where it starts
   * @param arrivedOn the path that it came on
   */
  sack(packet: Uint8Array, at: number, length: number, arrivedOn: Path | undefined, now: Instant): void {
    const { association, host, counts } = this.#parts;
    const gaps = gapBlockCount(packet, at, length);
    host.counters.sacksReceived++;
    counts.sacksReceived++;
    counts.gapAcksReceived += gaps;
    if (association.state === "cookie-echoed") return;
    const cumulative = readU32(packet, at + 4), window = readU32(packet, at + 8);
    this.acknowledged(cumulative, window, packet, at + SACK_HEADER_OCTETS, gaps, arrivedOn, now);
  }

  /**
   * Data was acknowledged.
   *
   * @param gapsAt where in the packet gap ack blocks start
   * @param gaps how many there are; -1 = nothing was said of them
   */
  acknowledged(
    cumulative: number,
    window: number,
    packet: Uint8Array,
    gapsAt: number,
    gaps: number,
    arrivedOn: Path | undefined,
    now: Instant,
  ): void {
    const parts = this.#parts;
    const { outbound, supervision } = parts;
    const outcome = outbound.acknowledge(cumulative, window, packet, gapsAt, gaps, now);
    if (outcome === SackOutcome.violation) {
      return parts.violation("A TSN was acknowledged that was not sent.");
    }
    if (outcome === SackOutcome.old) return;
    this.lastAt = now;
    if (outbound.probing) supervision.errors = 0; // it answers probes of its closed window, so it lives
    const paths = parts.paths.list;
    for (let i = 0; i < paths.length; i++) {
      const path = paths[i]!;
      if (path.vouched || (path.vouchedLate && path === arrivedOn)) supervision.answered(path);
      else if (path.anyAcked) supervision.errors = 0;
      parts.arm(path.t3At);
    }
    parts.autoClose.touch(now);
    if (outbound.waiting || parts.reconfiguration !== undefined) parts.wake();
    this.relieved(now);
  }

  /** Something was acknowledged or abandoned: the user may go on, and a shutdown too. */
  relieved(now: Instant): void {
    const { association, sending, authentication, events, shutdown } = this.#parts;
    sending.relieved(now);
    if (authentication !== undefined) events.freeKeys();
    if (association.state !== "established") shutdown.goOn(now);
  }
}
