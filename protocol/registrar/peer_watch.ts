import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { Peer } from "./peer_list.ts";

/** How peers are supervised, in milliseconds. */
export interface PeerWatchTimes {
  readonly maxTimeLastHeardMs: number;
  readonly maxTimeNoResponseMs: number;
}

/** What is due for a peer. */
export interface PeerWatchEvent {
  readonly peer: Peer;
  /**
   * It has to be asked for a presence; or it is dead, since it keeps silent or nobody is there (told again and again,
   * as long as it is watched).
   */
  readonly type: "ask" | "silent" | "stopped";
}

/**
 * Which peers live (RFC 5353 §3.4.3).
 *
 *     heard --MAX-TIME-LAST-HEARD, or its association is lost--> asked --MAX-TIME-NO-RESPONSE, or nobody is there--> dead
 *       ^------------------------- a message of the peer ---------------------------/--------------------------------/
 */
export class PeerWatch {
  readonly #times: PeerWatchTimes;
  readonly #timers = new TimerQueue<Peer>();
  readonly #states = new Map<Peer, "heard" | "asked" | "dead">();
  readonly #suspects = new Set<Peer>();
  readonly #refuted = new Set<Peer>();

  /** @param times how long silence lasts */
  constructor(times: PeerWatchTimes) {
    this.#times = times;
  }

  /** Whether a peer is believed to live: it was heard, and nothing speaks against it. */
  lives(peer: Peer): boolean {
    return this.#states.get(peer) === "heard";
  }

  /** A peer is known by what others say; it is being asked. */
  asked(peer: Peer, now: Instant): void {
    this.#states.set(peer, "asked");
    this.#timers.set(peer, now + this.#times.maxTimeNoResponseMs);
  }

  /** A message of the peer came. */
  heard(peer: Peer, now: Instant): void {
    peer.lastHeardAt = now;
    this.#suspects.delete(peer);
    this.#refuted.delete(peer);
    if (this.#states.get(peer) === "heard") return; // the timer looks at the time when it is due
    this.#states.set(peer, "heard");
    this.#timers.set(peer, now + this.#times.maxTimeLastHeardMs);
  }

  /**
   * Something speaks against the peer: it is asked at once, instead of after a time of silence.
   *
   * @returns whether it was asked before, and has not answered yet
   */
  suspect(peer: Peer, now: Instant): boolean {
    if (this.#states.get(peer) !== "heard") return this.#states.has(peer);
    this.#suspects.add(peer);
    this.#timers.set(peer, now);
    return false;
  }

  /** Nobody is where the peer was: there is no sense in waiting. */
  refuted(peer: Peer, now: Instant): void {
    if (this.#states.get(peer) !== "asked") return;
    this.#refuted.add(peer);
    this.#timers.set(peer, now);
  }

  /** A peer is not watched any more. */
  forget(peer: Peer): void {
    this.#states.delete(peer);
    this.#suspects.delete(peer);
    this.#refuted.delete(peer);
    this.#timers.clear(peer);
  }

  /** Takes out the next thing that is due. */
  takeDue(now: Instant): PeerWatchEvent | undefined {
    for (let peer = this.#timers.takeDue(now); peer !== undefined; peer = this.#timers.takeDue(now)) {
      const { maxTimeLastHeardMs, maxTimeNoResponseMs } = this.#times;
      const suspected = this.#suspects.delete(peer);
      if (this.#states.get(peer) === "heard") {
        const askAt = (peer.lastHeardAt ?? now) + maxTimeLastHeardMs;
        if (!suspected && askAt > now) {
          this.#timers.set(peer, askAt);
          continue;
        }
        this.asked(peer, now);
        return { type: "ask", peer };
      }
      this.#states.set(peer, "dead");
      this.#timers.set(peer, now + maxTimeNoResponseMs);
      return { type: this.#refuted.delete(peer) ? "stopped" : "silent", peer };
    }
    return undefined;
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }
}
