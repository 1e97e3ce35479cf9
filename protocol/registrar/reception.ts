import { TimerQueue } from "../machine.ts";
import type { Instant, MessageReceived, Ppid } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import { Inbox } from "./inbox.ts";

/**
 * Where requests are received: some are served at once, the rest in turns, so that a driver that feeds a large batch has
 * the first answers soon, and honest users theirs whatever others ask (see {@linkcode Inbox}).
 *
 * Backpressure: the transport is told what was taken out (`consumed`), so that with a transport that can do it the
 * window of an association that asks faster than it is served closes. With others its lane grows, up to its limit.
 */

/** Messages of an endpoint that are served as they come, between two drains. */
export const SERVED_AT_ONCE = 64;

/** Messages of an endpoint that are served in one tick: about a millisecond of work, before it is read again. */
export const SERVED_PER_TICK = 64;

/**
 * What may wait of one user or element: more than the requests that our clients have under way (4096), and more than the
 * receive window that the driver gives.
 */
export const MAX_WAITING_OCTETS: number = 256 * 1024;

/** What may wait of one registrar: thousands of updates come at once after a takeover. */
export const MAX_PEER_WAITING_OCTETS: number = 4 * 1024 * 1024;

/** What may wait of all associations of an endpoint. */
export const MAX_ALL_WAITING_OCTETS: number = 64 * 1024 * 1024;

/** Somebody who takes no answers for so long will not take them any more. */
export const HOLD_LIMIT_MS = 10_000;

/** The transport is told of consumed octets in steps of this: a small part of the receive window. */
const CONSUMED_STEP = 1024;

/** What the reception needs of the registrar around it. */
export interface ReceptionContext {
  /** Answers a message. */
  readonly serve: (record: AssociationRecord, ppid: Ppid, data: Uint8Array, now: Instant) => void;
  /** So many octets were taken. */
  readonly consumed: (record: AssociationRecord, octets: number) => void;
  /** An association has met a limit: it has to go. */
  readonly expel: (record: AssociationRecord, reason: string) => void;
}

/** Serves messages in a fair order, within limits. */
export class Reception {
  readonly #context: ReceptionContext;
  readonly #inboxes = { asap: newInbox(MAX_WAITING_OCTETS), enrp: newInbox(MAX_PEER_WAITING_OCTETS) };
  readonly #holds = new TimerQueue<AssociationRecord>();
  #servedAtOnce = { asap: 0, enrp: 0 };
  /** When those that wait may be served: as soon as it is known that there are some left. */
  #turnsDueAt: Instant = 0;

  /** @param context the registrar around it */
  constructor(context: ReceptionContext) {
    this.#context = context;
  }

  /** Octets that wait. */
  get waitingOctets(): number {
    return this.#inboxes.asap.octets + this.#inboxes.enrp.octets;
  }

  /** A message came: it is served now, or waits for its turn in `tick`. */
  message(record: AssociationRecord, { ppid, data }: MessageReceived, now: Instant): void {
    const inbox = this.#inboxes[record.endpoint];
    const atOnce = !inbox.hasTurns && !record.lane.held &&
      this.#servedAtOnce[record.endpoint] < SERVED_AT_ONCE;
    if (atOnce) {
      this.#servedAtOnce[record.endpoint]++;
      return this.#serve(record, ppid, data, now);
    }
    this.#turnsDueAt = now;
    const full = inbox.put(record, ppid, data);
    if (full === undefined) return;
    inbox.drop(full);
    this.#context.expel(full, "it asks faster than it can be served");
  }

  /** The association takes no answers: what it asks waits until it does. */
  blocked(record: AssociationRecord, now: Instant): void {
    this.#inboxes[record.endpoint].hold(record);
    if (this.#holds.dueAt(record) === undefined) this.#holds.set(record, now + HOLD_LIMIT_MS);
  }

  /** The association takes answers again. */
  writable(record: AssociationRecord, now: Instant): void {
    this.#turnsDueAt = now;
    this.#inboxes[record.endpoint].release(record);
    this.#holds.clear(record);
  }

  /** The association is gone, or begins anew: what waits of it is forgotten. */
  gone(record: AssociationRecord): void {
    this.#inboxes[record.endpoint].drop(record);
    this.#holds.clear(record);
  }

  /** Serves some of those that wait. */
  tick(now: Instant): void {
    for (let held = this.#holds.takeDue(now); held !== undefined; held = this.#holds.takeDue(now)) {
      this.#inboxes[held.endpoint].drop(held);
      this.#context.expel(held, "it does not take the answers to its requests");
    }
    for (const inbox of [this.#inboxes.enrp, this.#inboxes.asap]) {
      for (let served = 0; served < SERVED_PER_TICK; served++) {
        const turn = inbox.take();
        if (turn === undefined) break;
        this.#serve(turn.record, turn.ppid, turn.data, now);
      }
    }
    this.#turnsDueAt = now; // a driver takes what has been due for long for a sign that it stood still
  }

  /** When `tick` has something to do: at once when somebody waits. */
  nextTimeout(): Instant | undefined {
    const { asap, enrp } = this.#inboxes;
    return asap.hasTurns || enrp.hasTurns ? this.#turnsDueAt : this.#holds.next();
  }

  /** The driver takes the effects: the next batch may be served at once again. */
  drained(): void {
    this.#servedAtOnce = { asap: 0, enrp: 0 };
  }

  /** @throws {InvariantError} when what waits is not what associations have waiting */
  checkInvariants(records: Iterable<AssociationRecord>): void {
    const all = [...records];
    this.#inboxes.asap.checkInvariants(all.filter(({ endpoint }) => endpoint === "asap"));
    this.#inboxes.enrp.checkInvariants(all.filter(({ endpoint }) => endpoint === "enrp"));
  }

  #serve(record: AssociationRecord, ppid: Ppid, data: Uint8Array, now: Instant): void {
    record.consumedOctets += data.length;
    if (record.consumedOctets >= CONSUMED_STEP) {
      this.#context.consumed(record, record.consumedOctets);
      record.consumedOctets = 0;
    }
    this.#context.serve(record, ppid, data, now);
  }
}

function newInbox(maxOctetsPerAssociation: number): Inbox {
  return new Inbox({ maxOctetsPerAssociation, maxOctets: MAX_ALL_WAITING_OCTETS });
}
