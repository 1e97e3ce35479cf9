/**
 * Partial reliability, the sending side (RFC 3758 §3.5, RFC 7496 §3).
 *
 * A message is given up as a whole, when its turn comes and not by a timer: before its next chunk would be sent for the
 * first time, before a lost chunk of it would be sent again, or when its place in the send buffer is wanted. What was not
 * sent yet just disappears. Chunks that have a TSN stay in {@linkcode Flight} as "abandoned" until the peer has passed
 * over them, which it learns to do by FORWARD TSN:
 *
 *     TSN     100    101    102    103    104    105
 *             free  aband. aband.  sent  aband.  sent
 *              │             │
 *              │             Advanced.Peer.Ack.Point: FORWARD TSN names it, and goes again with every SACK and T3
 *              cumulative TSN ack                      as long as the cumulative ack has not reached it
 */
import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { AbandonedCounts } from "./abandoned_counts.ts";
import type { DataFormat } from "./data_format.ts";
import { ChunkState } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { ENTRY_UNORDERED, FORWARD_HEADER_OCTETS } from "./forward_tsn.ts";
import type { OutboundBacklog } from "./outbound_backlog.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

/** Messages given up, and what the peer must be told of them. */
export class Abandonment {
  /** Some message in the queue or in flight has a limit. As long as none has, nothing here costs anything. */
  active = false;
  /** A FORWARD TSN goes out with the next packet. */
  due = false;
  readonly counts: AbandonedCounts = new AbandonedCounts();

  readonly #flight: Flight;
  readonly #paths: PathSet;
  readonly #format: DataFormat;
  readonly #onAbandoned: (message: OutboundMessage, sent: boolean) => void;
  readonly #backlog: OutboundBacklog;
  /** Advanced.Peer.Ack.Point; kept up to date while `active`. */
  #point: number;
  /** Where the last FORWARD TSN went, and up to which TSN, as long as it has no answer. */
  #path: Path | undefined = undefined;
  #announced = 0;

  constructor(
    flight: Flight,
    backlog: OutboundBacklog,
    paths: PathSet,
    format: DataFormat,
    onAbandoned: (message: OutboundMessage, sent: boolean) => void,
  ) {
    this.#flight = flight;
    this.#backlog = backlog;
    this.#paths = paths;
    this.#format = format;
    this.#onAbandoned = onAbandoned;
    this.#point = this.#cumulativeAck;
  }

  /** TSNs have begun anew while nothing was in flight. */
  restart(): void {
    this.#point = this.#cumulativeAck;
  }

  /** A message with a limit was sent. */
  activate(): void {
    if (this.active) return;
    this.active = true;
    this.#point = this.#cumulativeAck;
  }

  /** Gives up what would be sent next and is too old for it. */
  expire(now: Instant): void {
    const flight = this.#flight;
    let any = false;
    for (
      let message = this.#backlog.queue.first;
      expired(message, now);
      message = this.#backlog.queue.first
    ) {
      this.#abandon(message!);
      any = true;
    }
    while (flight.markedCount > 0) {
      const message = flight.messages[flight.firstMarked() & flight.mask];
      if (!expired(message, now)) break;
      this.#abandon(message!);
      any = true;
    }
    if (any) this.#settle();
  }

  /** Gives up lost chunks that are too old, or were sent often enough, to be sent again (RFC 7496 §3.1). */
  #judgeLost(now: Instant): void {
    const flight = this.#flight;
    if (flight.markedCount === 0) return;
    const end = flight.nextTsn;
    for (let tsn = flight.firstMarked(); tsn !== end && flight.markedCount > 0; tsn = tsnAdd(tsn, 1)) {
      const slot = tsn & flight.mask;
      if (flight.states[slot] !== ChunkState.marked) continue;
      const message = flight.messages[slot]!;
      const { limit } = message;
      if (limit === undefined) continue;
      if (limit.expiresAt <= now || flight.sends[slot]! > limit.retransmissions) this.#abandon(message);
    }
  }

  /**
   * A message wants in and the send buffer is full: less important ones make room, the least important first, of those
   * the youngest first (RFC 7496 §3.2).
   *
   * @param excess octets that must go
   */
  makeRoom(priority: number, excess: number): void {
    const candidates = new Set<OutboundMessage>();
    const flight = this.#flight;
    for (let offset = 0; offset < flight.count; offset++) {
      const slot = (flight.firstTsn + offset) & flight.mask;
      const state = flight.states[slot];
      // What the peer holds already is not worth giving up.
      if (state === ChunkState.sent || state === ChunkState.marked) candidates.add(flight.messages[slot]!);
    }
    for (const message of this.#backlog.queue) candidates.add(message);
    const victims = [...candidates].filter(({ limit }) => limit !== undefined && limit.priority > priority)
      .reverse().sort((a, b) => b.limit!.priority - a.limit!.priority);
    for (const message of victims) {
      if (excess <= 0) break;
      const before = this.#octets;
      this.#abandon(message);
      excess -= before - this.#octets;
    }
    if (victims.length > 0) this.#settle();
  }

  get #octets(): number {
    return this.#flight.unacknowledgedOctets + this.#backlog.queue.octets;
  }

  #abandon(message: OutboundMessage): void {
    const flight = this.#flight, queue = this.#backlog.queue;
    const { limit } = message;
    assert(
      limit !== undefined && !message.abandoned,
      "a message is abandoned once, and only one with a limit",
    );
    const sent = message.taken > 0;
    const unsent = message.taken < message.data.length;
    message.abandoned = true;
    if (sent) {
      const ahead = Math.max(0, tsnDifference(message.firstTsn, flight.firstTsn));
      const end = tsnDifference(message.lastTsn, flight.firstTsn);
      for (let offset = ahead; offset <= end; offset++) {
        const tsn = tsnAdd(flight.firstTsn, offset);
        if (flight.messages[tsn & flight.mask] === message) flight.abandon(tsn);
      }
    }
    if (unsent) queue.discard(message);
    if (sent && unsent) flight.addAbandoned(message);
    this.counts.add(message.stream, limit.policy, sent);
    this.#onAbandoned(message, sent);
  }

  /** A SACK was taken: the steps C1 to C3 of RFC 3758 §3.5, and what it says of lost chunks. */
  acknowledged(now: Instant): void {
    if (this.#path !== undefined && tsnDifference(this.#cumulativeAck, this.#announced) >= 0) {
      this.#path.anyAcked = true; // it answers the FORWARD TSN
      this.#answered();
    }
    this.#judgeLost(now);
    this.#settle();
    this.due = this.#point !== this.#cumulativeAck;
    if (this.#flight.count === 0 && this.#backlog.queue.length === 0) this.active = false;
  }

  /** T3 of a path expired, and its chunks are marked: a FORWARD TSN that went there goes again. */
  timedOut(path: Path, now: Instant): void {
    if (path.forwarding) {
      this.#answered();
      this.due = true;
    }
    this.#judgeLost(now);
    this.#settle();
  }

  /** What was in flight on a path is lost, and with it the answer to a FORWARD TSN that went there. */
  pathLost(path: Path): void {
    if (!path.forwarding) return;
    this.#answered();
    this.due = true;
  }

  #answered(): void {
    if (this.#path !== undefined) this.#path.forwarding = false;
    this.#path = undefined;
  }

  get #cumulativeAck(): number {
    return tsnAdd(this.#flight.firstTsn, -1);
  }

  /** Moves the Advanced.Peer.Ack.Point, and stops T3 where nothing waits for an answer any more. */
  #settle(): void {
    const flight = this.#flight;
    const ack = this.#cumulativeAck;
    if (tsnDifference(this.#point, ack) < 0) this.#point = ack;
    const before = this.#point;
    for (let left = flight.count - tsnDifference(this.#point, ack); left > 0; left--) {
      const next = tsnAdd(this.#point, 1);
      if (flight.states[next & flight.mask] !== ChunkState.abandoned) break;
      this.#point = next;
    }
    if (this.#point !== before) this.due = true;
    const { list } = this.#paths;
    for (let i = 0; i < list.length; i++) if (!list[i]!.awaitsAnswer) list[i]!.t3At = NEVER;
  }

  /**
   * Writes the FORWARD TSN that is due, or nothing when there is no room. A chunk that cannot name all streams moves the
   * peer only so far as it can (RFC 3758 §3.5 C4); the next SACK brings the rest.
   *
   * @returns where the packet ends now
   */
  write(view: DataView, start: number, at: number, limit: number, path: Path, now: Instant): number {
    const { forwardChunkType, forwardEntryOctets, interleaved } = this.#format;
    const room = Math.floor((limit - at - FORWARD_HEADER_OCTETS) / forwardEntryOctets);
    if (room < 0) return at;
    const { newest, reached } = this.#skipped(room);
    if (reached === this.#cumulativeAck) return at;
    const length = FORWARD_HEADER_OCTETS + newest.size * forwardEntryOctets;
    let position = start + at;
    view.setUint32(position, forwardChunkType << 24 | length);
    view.setUint32(position + 4, reached);
    position += FORWARD_HEADER_OCTETS;
    for (const { stream, ssn, unordered } of newest.values()) {
      if (interleaved) {
        view.setUint32(position, stream << 16 | (unordered ? ENTRY_UNORDERED : 0));
        view.setUint32(position + 4, ssn);
      } else {
        view.setUint32(position, stream << 16 | ssn);
      }
      position += forwardEntryOctets;
    }
    this.#sentOn(path, reached, now);
    return at + length;
  }

  /** The last message that is skipped in each stream, for as many streams as there is room for. */
  #skipped(room: number): { newest: Map<number, OutboundMessage>; reached: number } {
    const flight = this.#flight;
    const newest = new Map<number, OutboundMessage>();
    let reached = this.#cumulativeAck;
    while (reached !== this.#point) {
      const tsn = tsnAdd(reached, 1);
      const message = flight.messages[tsn & flight.mask]!;
      // Unordered DATA has no number; the peer finds its fragments by their TSNs.
      if (this.#format.interleaved || !message.unordered) {
        const key = message.stream * 2 + (message.unordered ? 1 : 0);
        if (newest.size === room && !newest.has(key)) break;
        newest.set(key, message);
      }
      reached = tsn;
    }
    return { newest, reached };
  }

  #sentOn(path: Path, reached: number, now: Instant): void {
    const before = this.#path;
    this.#answered();
    this.due = false;
    this.#path = path;
    this.#announced = reached;
    path.forwarding = true;
    path.startT3(now); // one must run as long as the peer has not answered (C5)
    if (before !== undefined && !before.awaitsAnswer) before.t3At = NEVER;
  }

  /** @throws {InvariantError} when the peer waits for something that was given up, and is not told */
  checkInvariants(): void {
    const flight = this.#flight;
    const waits = flight.count > 0 && flight.states[flight.firstTsn & flight.mask] === ChunkState.abandoned;
    assert(!waits || this.due || this.#path !== undefined, "the peer hears of what was abandoned");
    assert(this.#path === undefined || this.#path.forwarding, "the path of a FORWARD TSN knows of it");
    const behind = tsnDifference(this.#point, this.#cumulativeAck) < 0;
    assert(!this.active || !behind, "the Advanced.Peer.Ack.Point is not behind the cumulative TSN ack");
    assert(this.active || (this.#path === undefined && !this.due), "without limits nothing is abandoned");
  }
}

/** Whether a message may not be sent any more because of its age. */
export function expired(message: OutboundMessage | undefined, now: Instant): boolean {
  return message?.limit !== undefined && message.limit.expiresAt <= now;
}
