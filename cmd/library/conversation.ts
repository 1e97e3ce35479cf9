/** What both ends of a session have in common: messages in, messages out, an end. */
import type { SessionCommand, SessionId, SessionMessage } from "../../protocol/session/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { EventQueue } from "./event_queue.ts";
import { Outflow } from "./outflow.ts";
import { PoolError } from "./pool_error.ts";
import { octetsOf, PoolMessage } from "./pool_message.ts";
import type { SendOptions } from "./pool_message.ts";

/** A message, as an event among others. */
export interface PoolMessageEvent {
  /** Says which event it is. */
  readonly type: "message";
  /** What came. */
  readonly message: PoolMessage;
}

/** How long a session may take to end in order; then it is aborted. */
const CLOSE_LINGER_MS = 2000;

interface Entry<Event> {
  readonly event: Event;
  /** Octets that the sender gets back when the application has taken the event. */
  readonly lengthBytes: number;
  /** Which association of the session it came by. */
  readonly era: number;
}

/**
 * One end of a session. What the application has not read yet counts against the sender's window, so that a reader which
 * is slow slows its sender down and nothing fills the memory.
 */
export class Conversation<Event extends { readonly type: string }> {
  readonly #session: SessionId;
  readonly #command: (command: SessionCommand) => void;
  readonly #title: string;
  readonly #inflow = new EventQueue<Entry<Event | PoolMessageEvent>>();
  readonly #outflow = new Outflow();
  readonly #closed = Promise.withResolvers<string>();
  #era = 0;
  #closing = false;
  #ended = false;

  /**
   * @param title names the session in messages
   * @param command where its commands go
   */
  constructor(session: SessionId, title: string, command: (command: SessionCommand) => void) {
    this.#session = session;
    this.#title = title;
    this.#command = command;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves with the reason when it has ended. */
  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  // -------------------------------------------------------------------------------------------- from the session layer

  /** There is an association. */
  up(): void {
    this.#outflow.open();
  }

  /** The association is lost. */
  lost(): void {
    this.#era++;
    this.#outflow.suspend();
  }

  /** The transport's buffer is full, or has room again. */
  blocked(blocked: boolean): void {
    this.#outflow.blocked(blocked);
  }

  /** A message came. */
  message({ data, ppid, stream }: SessionMessage): void {
    if (this.#closing) return this.#consumed(data.length); // nobody reads, but the other side has to get rid of it
    const event: PoolMessageEvent = { type: "message", message: new PoolMessage(data, ppid, stream) };
    this.#inflow.push({ event, lengthBytes: data.length, era: this.#era });
  }

  /** Something else that the application shall read in its place among the messages. */
  event(event: Event): void {
    this.#inflow.push({ event, lengthBytes: 0, era: this.#era });
  }

  /** It has ended. */
  end(
    reason: string,
    error: PoolError = new PoolError("ended", `${this.#title} has ended: ${reason}`),
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outflow.end(error);
    this.#inflow.close();
    this.#closed.resolve(reason);
  }

  // --------------------------------------------------------------------------------------------- from the application

  /** The next event. */
  async next(): Promise<IteratorResult<Event | PoolMessageEvent, undefined>> {
    const result = await this.#inflow.next();
    if (result.done === true) return result;
    const { event, lengthBytes, era } = result.value;
    if (era === this.#era) this.#consumed(lengthBytes);
    return { done: false, value: event };
  }

  /** Sends a message when there is an association and room in its buffer. */
  send(data: Uint8Array | string, { ppid = Ppid.none, stream = 0 }: SendOptions): Promise<void> {
    const octets = octetsOf(data);
    if (octets.length === 0) throw new RangeError("Cannot send an empty message: SCTP has none");
    if (ppid === Ppid.asap) {
      throw new RangeError(`Cannot send with payload protocol ${ppid}: it is ASAP's own`);
    }
    const session = this.#session;
    return this.#outflow.send({
      lengthBytes: octets.length,
      send: () => this.#command({ type: "send", session, ppid, stream, data: octets }),
    });
  }

  /** Sends a cookie in its place among the messages. */
  sendCookie(data: Uint8Array | string): Promise<void> {
    const cookie = octetsOf(data);
    const session = this.#session;
    return this.#outflow.send({
      lengthBytes: cookie.length,
      send: () => this.#command({ type: "sendCookie", session, cookie }),
    });
  }

  /** Ends it: what is unread is dropped, what was sent arrives. Resolves when it has ended. */
  async close(how: "shutdown" | "abort"): Promise<void> {
    if (this.#ended) return;
    this.#command({ type: "closeSession", session: this.#session, how });
    this.#closing = true;
    for (const { lengthBytes, era } of this.#inflow.take()) {
      if (era === this.#era) this.#consumed(lengthBytes);
    }
    const timer = setTimeout(() => {
      this.#command({ type: "closeSession", session: this.#session, how: "abort" });
    }, CLOSE_LINGER_MS);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  #consumed(octets: number): void {
    if (octets > 0 && !this.#ended) this.#command({ type: "consumed", session: this.#session, octets });
  }
}

/** The messages among events. Leaving the loop does not end the session: another loop goes on. */
export function messagesOf(
  next: () => Promise<IteratorResult<{ readonly type: string } | PoolMessageEvent, undefined>>,
): AsyncIterator<PoolMessage, undefined> {
  return {
    async next() {
      for (;;) {
        const result = await next();
        if (result.done === true) return result;
        if (isMessage(result.value)) return { done: false, value: result.value.message };
      }
    },
  };
}

/** Whether an event is a message. */
export function isMessage(event: { readonly type: string } | PoolMessageEvent): event is PoolMessageEvent {
  return event.type === "message";
}
