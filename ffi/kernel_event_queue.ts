/**
 * What an endpoint of kernel SCTP tells its user, in order and in batches.
 *
 * @module
 */
import type { AssociationId, EventHandler, TransportEvent } from "../protocol/net.ts";
import type { KernelAssociation } from "./kernel_association.ts";

/** Events that are not held back until the end of a turn: more than requests of a few users, less than bulk data. */
const MUCH = 16;

/** Events on their way to the user, which leave at the end of a turn of the event loop: never from within `execute`. */
export class KernelEventQueue {
  readonly #onEvents: EventHandler;
  readonly #atEndOfTurn: () => void;
  #events: TransportEvent[] = [];
  #scheduled = false;
  #closed = false;

  /**
   * @param onEvents the user's
   * @param atEndOfTurn what else is put off to the end of a turn; runs before the delivery, and may tell of events
   */
  constructor(onEvents: EventHandler, atEndOfTurn: () => void) {
    this.#onEvents = onEvents;
    this.#atEndOfTurn = atEndOfTurn;
  }

  /** Puts an event into the queue. */
  tell(event: TransportEvent): void {
    this.#events.push(event);
    this.schedule();
  }

  /** Puts an event of an association into the queue; the association keeps it until it is up. */
  tellOf(association: KernelAssociation, event: TransportEvent): void {
    if (association.up) this.tell(event);
    else association.early.push(event);
  }

  /** Makes sure that the current turn ends with a delivery. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#atEndOfTurn();
      this.#scheduled = false; // what is told from here on, by the user's handler too, is for the next delivery
      this.deliver();
      this.#atEndOfTurn(); // answers leave before the poller asks again: it may sleep over that
    });
  }

  /** Takes out the events of an association, in order. */
  take(association: AssociationId): TransportEvent[] {
    const taken = this.#events.filter((event) => event.association === association);
    if (taken.length > 0) this.#events = this.#events.filter((event) => event.association !== association);
    return taken;
  }

  /** Hands out what is there if it is much: bulk data is not to pile up while other sockets are read. */
  deliverMuch(): void {
    if (this.#events.length >= MUCH) this.deliver();
  }

  /** Hands out what is there. */
  deliver(): void {
    if (this.#events.length === 0 || this.#closed) return;
    const events = this.#events;
    this.#events = [];
    this.#onEvents(events);
  }

  /** Nothing is handed out from now on. */
  close(): void {
    this.#closed = true;
  }
}
