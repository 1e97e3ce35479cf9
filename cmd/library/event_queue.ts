/** What has come and was not read yet. */

/** Events that were read are dropped from the list when there are so many, and they outnumber the others. */
const WORTH_DROPPING = 256;

interface Reader<Event> {
  readonly resolve: (result: IteratorResult<Event, undefined>) => void;
}

/** Events in order, for one reader at a time. It ends when it is closed and everything was read. */
export class EventQueue<Event> {
  #events: Event[] = [];
  #head = 0;
  #readers: Reader<Event>[] = [];
  #closed = false;

  /** Adds an event behind the others. */
  push(event: Event): void {
    if (this.#closed) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#events.push(event);
    else reader.resolve({ done: false, value: event });
  }

  /** Says that nothing more comes. */
  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined });
  }

  /** Takes out all that was not read. */
  take(): Event[] {
    const events = this.#events.slice(this.#head);
    this.#events = [];
    this.#head = 0;
    return events;
  }

  /** The next event, now or when it comes. */
  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#head < this.#events.length) {
      const value = this.#events[this.#head++]!;
      if (
        this.#head === this.#events.length || this.#head > Math.max(WORTH_DROPPING, this.#events.length / 2)
      ) {
        this.#events = this.#events.slice(this.#head);
        this.#head = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    const { promise, resolve } = Promise.withResolvers<IteratorResult<Event, undefined>>();
    this.#readers.push({ resolve });
    return promise;
  }
}
