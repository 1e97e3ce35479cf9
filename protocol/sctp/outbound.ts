/**
 * The sending half of an association's data: messages in, chunks in flight.
 *
 * A message waits whole in {@linkcode OutboundBacklog} until {@linkcode DataWriter} cuts it into chunks and sends them. Sent
 * chunks live in {@linkcode Flight}; {@linkcode Acknowledgement} says what becomes of them, {@linkcode Abandonment} what
 * is not sent any more. Octets are counted three times, and the invariants tie these together: whole chunks per path for
 * its congestion window, and user data for the peer's receive window, both of chunks in state "sent"; and user data for
 * all that the user gave and the peer has not acknowledged.
 */
import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { Abandonment } from "./abandonment.ts";
import { Acknowledgement, SackOutcome } from "./acknowledgement.ts";
import type { AssociationCounts } from "./association_statistics.ts";
import type { DataFormat } from "./data_format.ts";
import { DataWriter } from "./data_writer.ts";
import type { StackCounters } from "./environment.ts";
import { Flight } from "./flight.ts";
import type { LentOctets } from "./lent_octets.ts";
import { OUTBOUND_OVERHEAD } from "./limits.ts";
import { OutboundBacklog } from "./outbound_backlog.ts";
import type { OutboundHold } from "./outbound_hold.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import { OutboundStreams } from "./outbound_streams.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import { PeerWindow } from "./peer_window.ts";
import { tsnAdd } from "./serial.ts";

export { SackOutcome };

/** What an association's sending half starts with. */
export interface OutboundParts {
  readonly paths: PathSet;
  readonly settings: { readonly noDelay: boolean };
  readonly counters: StackCounters;
  readonly counts: AssociationCounts;
  readonly lentOctets: LentOctets;
  readonly format: DataFormat;
  readonly initialTsn: number;
  readonly streams: number;
  readonly peerWindow: number;
  /** Told of messages that are given up; `sent` = the peer may have got something of it. */
  readonly onAbandoned: (message: OutboundMessage, sent: boolean) => void;
}

/** Messages out, chunks in flight. */
export class Outbound {
  readonly flight: Flight;
  readonly streams: OutboundStreams;
  readonly backlog: OutboundBacklog;
  readonly abandonment: Abandonment;
  readonly writer: DataWriter;
  readonly #paths: PathSet;
  readonly #window: PeerWindow;
  readonly #acknowledgement: Acknowledgement;

  constructor(parts: OutboundParts) {
    const { paths, settings, counters, counts, format } = parts;
    const flight = new Flight(parts.initialTsn, paths, format.headerOctets, parts.lentOctets);
    const streams = new OutboundStreams(parts.streams, format);
    const backlog = new OutboundBacklog(format.interleaved);
    const window = new PeerWindow(parts.peerWindow, flight);
    const abandonment = new Abandonment(flight, backlog, paths, format, parts.onAbandoned);
    this.flight = flight;
    this.streams = streams;
    this.backlog = backlog;
    this.abandonment = abandonment;
    this.writer = new DataWriter({
      paths,
      settings,
      counters,
      counts,
      format,
      flight,
      streams,
      backlog,
      window,
      abandonment,
    });
    this.#paths = paths;
    this.#window = window;
    this.#acknowledgement = new Acknowledgement(flight, paths, window, counters);
  }

  /** The peer's last a_rwnd. */
  get peerWindow(): number {
    return this.#window.octets;
  }

  /** The only thing in flight is a probe of a closed window: silence is not the path's fault (§6.1 A). */
  get probing(): boolean {
    return this.#window.probing;
  }

  /** Octets accepted from the user and not acknowledged cumulatively. */
  get queuedOctets(): number {
    return this.flight.unacknowledgedOctets + this.backlog.octets;
  }

  /** What {@linkcode queuedOctets} cost with the records of their messages and chunks. */
  get queuedCost(): number {
    return this.queuedOctets + OUTBOUND_OVERHEAD * (this.flight.count + this.backlog.length);
  }

  /** Everything was sent and acknowledged. */
  get idle(): boolean {
    return this.flight.count === 0 && this.backlog.isEmpty;
  }

  /** Whether there is something to send, windows apart. */
  get waiting(): boolean {
    return this.backlog.queue.length > 0 || this.flight.markedCount > 0 || this.abandonment.due;
  }

  /** The highest TSN that is acknowledged cumulatively. */
  get cumulativeAck(): number {
    return tsnAdd(this.flight.firstTsn, -1);
  }

  /** Takes a message of the user. */
  send(message: OutboundMessage): void {
    this.backlog.push(message);
    if (message.limit !== undefined) this.abandonment.activate();
  }

  /**
   * Holds messages to come back.
   *
   * @param streams of these streams; empty = of all
   */
  hold(streams: readonly number[]): OutboundHold {
    return this.backlog.hold(streams);
  }

  /** Lets go what was held back. */
  release(hold: OutboundHold): void {
    this.backlog.release(hold);
    const limited = hold.messages.some(({ limit }) => limit !== undefined);
    if (limited) this.abandonment.activate(); // it may have slept while they were held
  }

  /** The peer is asked to let all TSNs begin anew: from now on its SACKs may speak of others than it was sent. */
  expectRestart(): void {
    this.#acknowledgement.restarts = true;
  }

  /** All TSNs and all streams begin anew (RFC 6525 §5.2.7 H5); nothing may be in flight. */
  restart(nextTsn: number): void {
    this.flight.restart(nextTsn);
    this.streams.reset([]);
    this.abandonment.restart();
    for (const { congestion } of this.#paths.list) congestion.inRecovery = false;
  }

  /** A packet is about to be built: what must not be sent any more is given up. */
  prepare(now: Instant): void {
    if (this.abandonment.active) this.abandonment.expire(now);
  }

  /**
   * Takes the acknowledgement of a SACK or of a SHUTDOWN; parameters as {@linkcode Acknowledgement.take} has them.
   *
   * @returns a {@linkcode SackOutcome}
   */
  acknowledge(
    cumulative: number,
    window: number,
    packet: Uint8Array,
    gapsAt: number,
    gapCount: number,
    now: Instant,
  ): number {
    const outcome = this.#acknowledgement.take(cumulative, window, packet, gapsAt, gapCount, now);
    if (outcome !== SackOutcome.taken) return outcome;
    if (this.abandonment.active) this.abandonment.acknowledged(now);
    this.#acknowledgement.conclude(cumulative, now);
    return outcome;
  }

  /** T3 of a path expired (§6.3.3). */
  timedOut(path: Path, now: Instant): void {
    this.#acknowledgement.timedOut(path);
    if (this.abandonment.active) this.abandonment.timedOut(path, now);
  }

  /** Whether a message that waits or is in flight has this shared key. */
  usesKey(keyId: number): boolean {
    for (const { message } of this.unacknowledged()) {
      if (message.authKeyId === keyId) return true;
    }
    return false;
  }

  /** Messages that the peer has not acknowledged, in order. */
  *unacknowledged(): Generator<{ message: OutboundMessage; sent: boolean }> {
    const { flight, backlog } = this;
    const seen = new Set<OutboundMessage>();
    for (let offset = 0; offset < flight.count; offset++) {
      const message = flight.messages[(flight.firstTsn + offset) & flight.mask];
      if (message === undefined || message.abandoned || seen.has(message)) continue;
      seen.add(message); // gap-acked ones, too: the peer may hold them for ever
      yield { message, sent: true };
    }
    for (const message of backlog.queue) {
      if (!seen.has(message)) yield { message, sent: message.taken > 0 };
    }
    for (const message of backlog.held()) yield { message, sent: false };
  }

  /** @throws {InvariantError} when the sums do not agree with the chunks */
  checkInvariants(): void {
    this.flight.checkInvariants();
    this.abandonment.checkInvariants();
    const { queue } = this.backlog;
    let count = 0, queued = 0;
    for (const message of queue) {
      count++;
      queued += message.data.length - message.taken;
    }
    assert(count === queue.length, "the queue counts its messages");
    assert(queued === queue.octets, "the queue counts its octets");
    for (const path of this.#paths.list) {
      assert(path.awaitsAnswer === (path.t3At !== NEVER), "T3 runs exactly while an answer is due");
    }
  }
}
