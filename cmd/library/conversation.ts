/** What both ends of a session have in common: messages in, messages out, an end. */
import type { SessionCommand, SessionId, SessionMessage } from "../../protocol/session/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { EventQueue } from "./event_queue.ts";
import { Farewell } from "./farewell.ts";
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

/** What a conversation needs of its client or element. */
export interface ConversationWorld {
  readonly command: (command: SessionCommand) => void;
  /** Octets that the transport has taken of the session, and the other side has not acknowledged. */
  readonly queuedOctets: () => number;
}

/** An event in its place. */
export interface Entry<Event> {
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
  readonly #world: ConversationWorld;
  readonly #title: string;
  readonly #inflow = new EventQueue<Entry<Event | PoolMessageEvent>>();
  readonly #outflow = new Outflow();
  readonly #closed = Promise.withResolvers<string>();
  #era = 0;
  #closing = false;
  #ended = false;
  #farewell: Farewell | undefined;

  /** @param title names the session in messages */
  constructor(session: SessionId, title: string, world: ConversationWorld) {
    this.#session = session;
    this.#title = title;
    this.#world = world;
  }

  /** Whether it has ended or is about to: nothing more can be sent. */
  get isOver(): boolean {
    return this.#closing || this.#ended;
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
    // Whoever wants an end does not want another association first.
    if (this.#closing && !this.#ended) this.#end("abort");
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
    this.#farewell?.end();
    this.#outflow.end(error);
    this.#inflow.close();
    this.#closed.resolve(reason);
  }

  // --------------------------------------------------------------------------------------------- from the application

  /** The next event. */
  async next(): Promise<IteratorResult<Event | PoolMessageEvent, undefined>> {
    const result = await this.nextEntry();
    return result.done === true ? result : { done: false, value: result.value.event };
  }

  /** The next event, and when it came. */
  async nextEntry(): Promise<IteratorResult<Entry<Event | PoolMessageEvent>, undefined>> {
    const result = await this.#inflow.next();
    if (result.done !== true && result.value.era === this.#era) this.#consumed(result.value.lengthBytes);
    return result;
  }

  /**
   * Sends a message when there is an association and room in its buffer.
   *
   * @returns the era in which it was handed over: what was queued in an earlier one came before
   */
  send(data: Uint8Array | string, { ppid = Ppid.none, stream = 0 }: SendOptions): Promise<number> {
    const octets = octetsOf(data);
    if (octets.length === 0) throw new RangeError("Cannot send an empty message: SCTP has none");
    if (ppid === Ppid.asap) {
      throw new RangeError(`Cannot send with payload protocol ${ppid}: it is ASAP's own`);
    }
    return this.#hand({ type: "send", session: this.#session, ppid, stream, data: octets }, octets.length);
  }

  /** Sends a cookie in its place among the messages. */
  async sendCookie(data: Uint8Array | string): Promise<void> {
    const cookie = octetsOf(data);
    await this.#hand({ type: "sendCookie", session: this.#session, cookie }, cookie.length);
  }

  /**
   * Ends it: what is unread is dropped, what was sent arrives as long as the other side takes it ({@linkcode Farewell}).
   * Resolves when it has ended.
   */
  async close(how: "shutdown" | "abort"): Promise<void> {
    if (this.#ended) return;
    if (how === "shutdown" && this.#outflow.isOpen) {
      this.#ignore();
      this.#farewell ??= this.#watch();
      this.#outflow.finish(this.#closedError(), () => this.#end(how));
    } else {
      this.abandon();
      this.#end(how);
    }
    await this.#closed.promise;
  }

  /** From now on nobody reads, and what waits is not sent. Somebody else ends it. */
  abandon(): void {
    this.#ignore();
    this.#outflow.end(this.#closedError());
  }

  /** Drops what is unread, and from now on what comes. */
  #ignore(): void {
    this.#closing = true;
    for (const { lengthBytes, era } of this.#inflow.take()) {
      if (era === this.#era) this.#consumed(lengthBytes);
    }
  }

  #closedError(): PoolError {
    return new PoolError("ended", `Cannot send: ${this.#title} is closed`);
  }

  #watch(): Farewell {
    const untaken = () => this.#outflow.waitingOctets + this.#world.queuedOctets();
    return new Farewell(untaken, () => this.#end("abort"));
  }

  #end(how: "shutdown" | "abort"): void {
    this.#world.command({ type: "closeSession", session: this.#session, how });
  }

  async #hand(command: SessionCommand, lengthBytes: number): Promise<number> {
    let era = 0;
    const send = () => {
      era = this.#era;
      this.#world.command(command);
    };
    await this.#outflow.send({ lengthBytes, send });
    return era;
  }

  #consumed(octets: number): void {
    if (octets > 0 && !this.#ended) this.#world.command({ type: "consumed", session: this.#session, octets });
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
