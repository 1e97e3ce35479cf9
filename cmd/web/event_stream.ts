/** A stream of server-sent events to one page, which may read as slowly as it likes. */

/** Octets that may wait for a page; one that lets more wait gets a new snapshot instead of them. */
export const MAX_WAITING_OCTETS: number = 4 * 1024 * 1024;

/** What a stream asks for. */
export interface EventStreamPlan {
  /** All that a page needs to know at first, as an event. */
  readonly snapshot: () => Uint8Array<ArrayBuffer>;
  /** The page has gone, or the snapshot failed. */
  readonly onEnd: (problem?: unknown) => void;
}

/**
 * Events for one page. What is sent waits here until the page has read what came before; the amount is bounded, and what is
 * too much is replaced by one new snapshot when the page reads again.
 */
export class EventStream {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #plan: EventStreamPlan;
  /** Events in order; those before `#next` are read. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #next = 0;
  #waitingOctets = 0;
  #isBehind = false;
  #isOver = false;
  /** Something waits, and nothing was read, since the last look. */
  #isStalled = false;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  /** The page waits for an event. */
  #wake: (() => void) | undefined;

  constructor(plan: EventStreamPlan) {
    this.#plan = plan;
    this.#add(plan.snapshot());
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => {
        this.#finish();
        plan.onEnd();
      },
    }, { highWaterMark: 0 });
  }

  /** Octets that wait here. */
  get waitingOctets(): number {
    return this.#waitingOctets;
  }

  /** Sends an event. */
  send(event: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver || this.#isBehind) return;
    if (this.#waitingOctets + event.length > MAX_WAITING_OCTETS) {
      this.#isBehind = true;
      this.#forget();
    } else this.#add(event);
    this.#wake?.();
  }

  /** Whether something has waited, and nothing was read, since the last look. */
  look(): boolean {
    const wasStalled = this.#isStalled;
    this.#isStalled = this.#isBehind || this.#waiting.length > 0;
    return wasStalled;
  }

  /** Ends it in order, behind what waits. */
  close(): void {
    if (this.#isOver) return;
    while (this.#waiting.length > 0) this.#controller?.enqueue(this.#take());
    this.#finish();
    this.#controller?.close();
  }

  /** Breaks it off. */
  abort(problem: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    this.#controller?.error(problem);
  }

  async #pull(): Promise<void> {
    this.#isStalled = false;
    if (this.#waiting.length === 0 && !this.#isBehind) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    if (this.#isOver) return;
    try {
      if (this.#isBehind) this.#add(this.#plan.snapshot());
      this.#isBehind = false;
      this.#controller?.enqueue(this.#take());
    } catch (problem) {
      this.abort(problem);
      this.#plan.onEnd(problem);
    }
  }

  #add(event: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(event);
    this.#waitingOctets += event.length;
  }

  #take(): Uint8Array<ArrayBuffer> {
    const event = this.#waiting[this.#next++]!;
    this.#waitingOctets -= event.length;
    if (this.#next === this.#waiting.length) this.#forget();
    return event;
  }

  #forget(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#waitingOctets = 0;
  }

  #finish(): void {
    this.#isOver = true;
    this.#forget();
    this.#wake?.();
  }
}
