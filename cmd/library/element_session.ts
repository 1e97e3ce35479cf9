/** A pool element's end of a session. */
import { formatTransportAddresses } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";
import type { SessionEvent, SessionOpened } from "../../protocol/session/mod.ts";
import { Conversation, messagesOf } from "./conversation.ts";
import type { ConversationWorld, PoolMessageEvent } from "./conversation.ts";
import type { PoolMessage, SendOptions } from "./pool_message.ts";

/** The user comes from another element, and brings the state that one gave it. Always the first event of a session. */
export interface PoolCookie {
  /** Says which event it is. */
  readonly type: "cookie";
  /** As an element of this pool gave it, if the user is honest: check it. */
  readonly cookie: Uint8Array;
}

/** What a pool element reads from a session. */
export type ElementSessionEvent = PoolMessageEvent | PoolCookie;

/** A session, and what its element needs of it. */
export interface ServedSession {
  readonly session: ElementSession;
  readonly conversation: Conversation<PoolCookie>;
  /** Takes the session's further events. */
  readonly tell: (event: SessionEvent) => void;
}

/** A pool element's end of a session: one user, until it leaves. */
export class ElementSession implements AsyncIterable<PoolMessage> {
  /** Where the user is. */
  readonly peer: readonly TransportAddress[];
  readonly #conversation: Conversation<PoolCookie>;
  readonly #cookie = Promise.withResolvers<Uint8Array | undefined>();

  private constructor(conversation: Conversation<PoolCookie>, peer: readonly TransportAddress[]) {
    this.#conversation = conversation;
    this.peer = peer;
  }

  /**
   * The state that the user brings from another element; undefined = it is a new user. Known with the user's first
   * message, so that a service which speaks first should not wait for it.
   */
  get cookie(): Promise<Uint8Array | undefined> {
    return this.#cookie.promise;
  }

  /** Resolves with the reason, in words, when the session has ended. */
  get closed(): Promise<string> {
    return this.#conversation.closed;
  }

  /**
   * Sends a message. While there is no room in the send buffer it waits.
   *
   * @throws {PoolError} when the session has ended
   */
  send(data: Uint8Array | string, options: SendOptions = {}): Promise<void> {
    return this.#conversation.send(data, options).then(() => {});
  }

  /**
   * Gives the user a state that it brings to another element when this one fails; the newest counts. It belongs behind
   * the messages that it speaks of: what the user has not got when this element dies, the other one must say again.
   * RSPLIB's users want a multiple of 4 octets, and a wise element signs it: the user can read and change it.
   *
   * @throws {PoolError} when the session has ended
   */
  sendCookie(cookie: Uint8Array | string): Promise<void> {
    return this.#conversation.sendCookie(cookie);
  }

  /** The cookie and messages in order. Take them either here or from the session itself. */
  events(): AsyncIterableIterator<ElementSessionEvent, undefined> {
    return {
      next: () => this.#conversation.next(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Messages in order. Leaving the loop does not end the session. */
  [Symbol.asyncIterator](): AsyncIterator<PoolMessage, undefined> {
    return messagesOf(() => this.#conversation.next());
  }

  /**
   * Ends the session: so that the user fails over at once (`abort`), or in order. Then it waits for the user to take what was
   * sent, and for a minute at most if it takes nothing more; `abort` ends that, too.
   */
  close(how: "shutdown" | "abort" = "shutdown"): Promise<void> {
    return this.#conversation.close(how);
  }

  /** Makes a session from its first event. */
  static of({ session, peer }: SessionOpened, world: ConversationWorld): ServedSession {
    const title = `the session with ${formatTransportAddresses(peer)}`;
    const conversation = new Conversation<PoolCookie>(session, title, world);
    const made = new ElementSession(conversation, peer);
    conversation.up();
    return { session: made, conversation, tell: (event) => made.#event(event) };
  }

  #event(event: SessionEvent): void {
    switch (event.type) {
      case "sessionCookie":
        this.#cookie.resolve(event.cookie);
        return this.#conversation.event({ type: "cookie", cookie: event.cookie });
      case "sessionMessage":
        this.#cookie.resolve(undefined);
        return this.#conversation.message(event);
      case "sessionBlocked":
      case "sessionWritable":
        return this.#conversation.blocked(event.type === "sessionBlocked");
      case "sessionClosed":
        this.#cookie.resolve(undefined);
        return this.#conversation.end(event.reason);
      default: // a pool user's
        return;
    }
  }
}
