/**
 * What SACKs and their absence say of the chunks in flight: which have arrived, which are lost, what that means for each
 * path's congestion window and for T3 (RFC 9260 §6.2.1, §6.3, §7.2).
 */
import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import type { StackCounters } from "./environment.ts";
import { ChunkState } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { MAX_GAP_BLOCKS } from "./limits.ts";
import { readU16 } from "./packet.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import type { PeerWindow } from "./peer_window.ts";
import { SACK_ITEM_OCTETS } from "./sack_chunk.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

/** Missing reports that make a chunk lost (RFC 9260 §7.2.4). */
const MISSES_UNTIL_LOST = 3;

/** TSNs that are so far ahead are of before or after a restart: those lie half of all TSNs away. */
const HALF_OF_LATER_TSNS = 0x4000_0000;

/** What a SACK turned out to be. */
export const SackOutcome = {
  taken: 0,
  /** Overtaken by a later one. */
  old: 1,
  /** It acknowledges what was never sent. */
  violation: 2,
} as const;

/** Reads SACKs for one association. */
export class Acknowledgement {
  /** TSNs have begun anew, or are about to. */
  restarts = false;
  readonly #flight: Flight;
  readonly #paths: PathSet;
  readonly #window: PeerWindow;
  readonly #counters: StackCounters;

  constructor(flight: Flight, paths: PathSet, window: PeerWindow, counters: StackCounters) {
    this.#flight = flight;
    this.#paths = paths;
    this.#window = window;
    this.#counters = counters;
  }

  /**
   * Takes the acknowledgement of a SACK or of a SHUTDOWN. {@linkcode conclude} must follow when it is taken.
   *
   * @param cumulative cumulative TSN ack
   * @param window a_rwnd
   * @param packet where the gap ack blocks stand
   * @param gapsAt offset of the first block in `packet`
   * @param gapCount how many blocks; -1 = a SHUTDOWN, which says nothing of what lies behind a gap
   * @returns a {@linkcode SackOutcome}
   */
  take(
    cumulative: number,
    window: number,
    packet: Uint8Array,
    gapsAt: number,
    gapCount: number,
    now: Instant,
  ): number {
    const flight = this.#flight;
    const advance = tsnDifference(cumulative, flight.firstTsn) + 1;
    if (advance < 0) return SackOutcome.old;
    if (advance > flight.count) {
      return this.#isOfOtherTsns(advance) ? SackOutcome.old : SackOutcome.violation;
    }
    if (gapCount > 0 && !this.#gapsAreSane(advance, packet, gapsAt, gapCount)) return SackOutcome.violation;
    const paths = this.#paths.list;
    for (let i = 0; i < paths.length; i++) prepare(paths[i]!, advance > 0);
    for (let i = 0; i < advance; i++) this.#ackFirst(now);
    if (gapCount > 0 || (gapCount === 0 && flight.gapAckedCount > 0)) {
      this.#readGaps(packet, gapsAt, gapCount, advance > 0, now);
    }
    this.#window.octets = window;
    if (this.#window.probing) this.#judgeProbe();
    return SackOutcome.taken;
  }

  /** TSNs begin anew far from where they were: an early SACK may speak of those to come, a late one of those before. */
  #isOfOtherTsns(advance: number): boolean {
    return this.restarts && advance > HALF_OF_LATER_TSNS;
  }

  /** The window has opened, but the probe was dropped while it was closed: it goes again without waiting for T3. */
  #judgeProbe(): void {
    const flight = this.#flight;
    if (flight.octets > 0 && this.#window.octets < flight.octets) return; // still closed
    this.#window.probing = false;
    if (flight.count === 0 || flight.states[flight.firstTsn & flight.mask] !== ChunkState.sent) return;
    flight.mark(flight.firstTsn);
  }

  /** Blocks must lie behind each other and end at what was sent. */
  #gapsAreSane(advance: number, packet: Uint8Array, gapsAt: number, gapCount: number): boolean {
    const highest = this.#flight.count - advance;
    for (let i = 0; i < gapCount; i++) {
      if (readU16(packet, gapsAt + i * SACK_ITEM_OCTETS + 2) > highest) return false;
    }
    return true;
  }

  #ackFirst(now: Instant): void {
    const flight = this.#flight;
    const tsn = flight.firstTsn;
    const slot = tsn & flight.mask;
    const state = flight.states[slot];
    if (state === ChunkState.gapAcked) flight.gapAckedCount--;
    else if (state !== ChunkState.abandoned) this.#ackChunk(tsn, slot, state === ChunkState.sent, now);
    flight.removeFirst();
  }

  /**
   * A chunk is acknowledged for the first time. When it had been given up on its path and not been sent again yet, its
   * acknowledgement was only late, and says nothing of how the path is now, unless it came on that path itself.
   */
  #ackChunk(tsn: number, slot: number, inFlight: boolean, now: Instant): void {
    const flight = this.#flight;
    const path = flight.pathOf(slot);
    const vouches = flight.scattered[slot] === 0;
    if (!inFlight) {
      flight.markedCount--;
      if (vouches) path.vouchedLate = true;
      return;
    }
    const length = flight.lengths[slot]!;
    const octets = flight.chunkOctets(length);
    path.flight -= octets;
    flight.octets -= length;
    path.ackedOctets += octets;
    path.anyAcked = true;
    if (vouches) path.vouched = true;
    if (flight.ends[slot]! > path.provenOctets) path.provenOctets = flight.ends[slot]!;
    if (!path.outstandingSeen) path.restartT3 = true;
    if (path.timing && path.timedTsn === tsn) {
      path.timing = false;
      if (flight.sends[slot] === 1) path.timeout.measured(now - flight.sentAt[slot]!);
    }
  }

  /** Walks over the TSNs up to the last one that is or was acknowledged by a gap ack block. */
  #readGaps(packet: Uint8Array, gapsAt: number, gapCount: number, advanced: boolean, now: Instant): void {
    const flight = this.#flight;
    const blocks = Math.min(gapCount, MAX_GAP_BLOCKS);
    let block = 0, from = 0, to = 0;
    let gapAckedLeft = flight.gapAckedCount;
    let anyNew = false;
    for (let offset = 1; offset <= flight.count; offset++) {
      while (offset > to && block < blocks) { // overlapping and backward blocks fall out here
        from = readU16(packet, gapsAt + block * SACK_ITEM_OCTETS);
        to = readU16(packet, gapsAt + block * SACK_ITEM_OCTETS + 2);
        block++;
      }
      const inBlocks = offset <= to;
      if (!inBlocks && gapAckedLeft === 0) break;
      const tsn = tsnAdd(flight.firstTsn, offset - 1);
      const slot = tsn & flight.mask;
      const state = flight.states[slot];
      if (state === ChunkState.abandoned) continue; // whether it has come does not matter any more
      const path = flight.pathOf(slot);
      if (state === ChunkState.gapAcked) gapAckedLeft--;
      if (inBlocks && offset >= from) {
        if (state === ChunkState.gapAcked) continue;
        this.#ackChunk(tsn, slot, state === ChunkState.sent, now);
        flight.states[slot] = ChunkState.gapAcked;
        flight.gapAckedCount++;
        path.newlyAcked = anyNew = true;
        path.highestNewlyAcked = tsn;
      } else if (state === ChunkState.gapAcked) {
        flight.takeBack(slot); // the peer dropped what it had
        path.outstandingSeen = true;
      } else if (state === ChunkState.sent) {
        path.outstandingSeen = true;
      }
    }
    if (anyNew || advanced) this.#countMisses(advanced);
  }

  /**
   * Missing reports (§7.2.4): a chunk is reported missing when a later one *of the same path* is newly acknowledged,
   * or in fast recovery with each cumulative advance. Comparing within a path keeps a change of the primary path from
   * looking like loss. Only chunks that were sent once are judged; for the others there is T3.
   */
  #countMisses(advanced: boolean): void {
    const flight = this.#flight;
    let left = flight.gapAckedCount;
    for (let offset = 0; offset < flight.count && left > 0; offset++) {
      const tsn = tsnAdd(flight.firstTsn, offset);
      const slot = tsn & flight.mask;
      const state = flight.states[slot];
      if (state === ChunkState.gapAcked) left--;
      if (state !== ChunkState.sent || flight.sends[slot] !== 1) continue;
      const path = flight.pathOf(slot);
      const overtaken = path.newlyAcked && tsnDifference(path.highestNewlyAcked, tsn) > 0;
      if (!overtaken && !(advanced && path.congestion.inRecovery)) continue;
      const misses = flight.misses[slot]! + 1;
      flight.misses[slot] = misses;
      if (misses >= MISSES_UNTIL_LOST) this.#fastRetransmit(tsn, path);
    }
  }

  #fastRetransmit(tsn: number, path: Path): void {
    this.#flight.mark(tsn);
    this.#counters.fastRetransmissions++;
    path.congestion.fastRetransmit(tsnAdd(this.#flight.nextTsn, -1));
    this.#paths.forRetransmission(path).fastRetransmitting = true;
  }

  /** What the SACK that was taken means for each path: cwnd, T3. */
  conclude(cumulative: number, now: Instant): void {
    const paths = this.#paths.list;
    for (let i = 0; i < paths.length; i++) this.#concludePath(paths[i]!, cumulative, now);
  }

  #concludePath(path: Path, cumulative: number, now: Instant): void {
    const { congestion } = path;
    if (congestion.inRecovery && tsnDifference(cumulative, congestion.recoveryExit) >= 0) {
      congestion.inRecovery = false;
    }
    if (path.anyAcked) {
      congestion.acknowledged(path.ackedOctets, path.flightBefore, path.flight, path.advanced, now);
      path.lastAckedAt = now;
    }
    if (!path.awaitsAnswer) path.t3At = NEVER;
    else if (path.restartT3 || path.t3At === NEVER) path.t3At = now + path.timeout.rtoMs;
    assert(path.flight >= 0, "no path has less than nothing in flight");
  }

  /** T3 of a path expired (§6.3.3): all that is in flight there is lost. */
  timedOut(path: Path): void {
    const flight = this.#flight;
    for (let offset = 0; offset < flight.count; offset++) {
      const tsn = tsnAdd(flight.firstTsn, offset);
      const slot = tsn & flight.mask;
      if (flight.states[slot] !== ChunkState.sent || flight.paths[slot] !== path.index) continue;
      path.lostOctets = Math.max(path.lostOctets, flight.ends[slot]!);
      flight.mark(tsn);
    }
    path.t3At = NEVER;
    path.timing = false;
    path.fastRetransmitting = false;
    path.congestion.timedOut();
    path.timeout.backOff();
    this.#counters.retransmissionTimeouts++;
  }
}

function prepare(path: Path, advanced: boolean): void {
  path.ackedOctets = 0;
  path.flightBefore = path.flight;
  path.advanced = advanced;
  path.restartT3 = false;
  path.outstandingSeen = false;
  path.anyAcked = false;
  path.vouched = false;
  path.vouchedLate = false;
  path.newlyAcked = false;
}
