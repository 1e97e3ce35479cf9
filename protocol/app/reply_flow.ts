import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { SessionEvent, SessionId } from "../session/types.ts";
import type { ApplicationOutlet } from "./application.ts";

/**
 * Receive window of a session whose messages are answered. It bounds what a user that sends and never reads can make us
 * keep, besides what the send buffer holds.
 */
export const REPLY_RECEIVE_BUFFER: number = 128 * 1024;

/** Octets of answers that may wait for a user before its messages are no longer taken. */
export const REPLY_SEND_BUFFER: number = 128 * 1024;

/**
 * Messages that may wait, since tiny ones cost many times their octets. With {@linkcode REPLY_RECEIVE_BUFFER} it is reached
 * by those that do not read and whose messages have less than eight octets on average.
 */
export const MAX_WITHHELD_MESSAGES: number = REPLY_RECEIVE_BUFFER / 8;

/** A user that takes no answer for so long, in milliseconds, is given up: what waits for it costs memory. */
export const UNREAD_LIMIT_MS = 60_000;

/** A user was given up. */
export interface ReplyFlowReport {
  /** Says which report it is. */
  readonly type: "sessionGivenUp";
  /** Whose session. */
  readonly session: SessionId;
  /** In words. */
  readonly reason: string;
}

/** A session whose send buffer is full. */
interface Unread {
  octets: number;
  messages: number;
}

/**
 * The flow control of services that answer each message (an echo, a pong): while answers find no room in a session's send
 * buffer, the messages are not given back to its receive window, so that its user cannot send on. Without it a user that
 * sends and never reads would have us keep all that it ever sends.
 *
 * Its endpoint has `manualReceive`, {@linkcode REPLY_RECEIVE_BUFFER} and {@linkcode REPLY_SEND_BUFFER}.
 */
export class ReplyFlow {
  readonly #outlet: ApplicationOutlet<never, ReplyFlowReport>;
  readonly #unread = new Map<SessionId, Unread>();
  readonly #limits = new TimerQueue<SessionId>();

  /** @param outlet the service's */
  constructor(outlet: ApplicationOutlet<never, ReplyFlowReport>) {
    this.#outlet = outlet;
  }

  /** Takes every event of the sessions. */
  sessionEvent({ type, session }: SessionEvent, now: Instant): void {
    switch (type) {
      case "sessionBlocked":
        this.#unread.set(session, { octets: 0, messages: 0 });
        this.#limits.set(session, now + UNREAD_LIMIT_MS);
        return;
      case "sessionWritable":
        this.#giveBack(session, this.#unread.get(session)?.octets ?? 0);
        return this.#forget(session);
      case "sessionClosed":
        return this.#forget(session);
      default:
        return;
    }
  }

  /** A message of so many octets was answered, or was none to answer. */
  answered(session: SessionId, octets: number): void {
    const unread = this.#unread.get(session);
    if (unread === undefined) return this.#giveBack(session, octets);
    unread.octets += octets;
    if (++unread.messages > MAX_WITHHELD_MESSAGES) {
      this.#giveUp(session, `the user sends and does not read: ${unread.messages} answers wait`);
    }
  }

  /** Gives those up that have read nothing for too long. */
  tick(now: Instant): void {
    for (let id = this.#limits.takeDue(now); id !== undefined; id = this.#limits.takeDue(now)) {
      this.#giveUp(id, `the user has taken no answer for ${UNREAD_LIMIT_MS / 1000} s`);
    }
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return this.#limits.next();
  }

  #giveBack(session: SessionId, octets: number): void {
    if (octets > 0) this.#outlet.command({ type: "consumed", session, octets });
  }

  #giveUp(session: SessionId, reason: string): void {
    this.#forget(session);
    this.#outlet.report({ type: "sessionGivenUp", session, reason });
    this.#outlet.command({ type: "closeSession", session, how: "abort" });
  }

  #forget(session: SessionId): void {
    this.#unread.delete(session);
    this.#limits.clear(session);
  }
}
