import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { ReplyFlow } from "../reply_flow.ts";
import type { ReplyFlowReport } from "../reply_flow.ts";
import { readPingPongCookie, writePingPongCookie } from "./cookie.ts";
import { readPingPong, writePingPong } from "./messages.ts";

/**
 * A new session may be silent for so long, in milliseconds: it occupies a place meanwhile, which a stranger must not be able
 * to keep for nothing.
 */
const FIRST_PING_LIMIT_MS = 30_000;

/** Between the last Pong of `failureAfter` and the ABORT, in milliseconds: an ABORT takes back what has not left yet. */
const FAILURE_DELAY_MS = 20;

/** Reply numbers have so many bits. */
const REPLY_NUMBER_BITS = 64;

/** How a ping-pong service behaves. */
export interface PingPongServerOptions {
  /** Abort a session after so many Pongs, for demonstrations; 0 = never (default). */
  readonly failureAfter?: number;
}

/** What is worth a log line at a ping-pong service. */
export type PingPongServerReport =
  | ReplyFlowReport
  /** A session comes from another PE. */
  | { readonly type: "pingPongResumed"; readonly session: SessionId; readonly nextReply: bigint }
  | {
    readonly type: "pingAnswered";
    readonly session: SessionId;
    readonly messageNumber: bigint;
    readonly replyNumber: bigint;
  }
  /** `failureAfter` was reached. */
  | { readonly type: "pingPongFailure"; readonly session: SessionId; readonly replyCount: number }
  /** The session was aborted by this side. */
  | { readonly type: "pingPongAborted"; readonly session: SessionId; readonly reason: string };

interface Session {
  readonly id: SessionId;
  nextReply: bigint;
  /** Pongs of this PE. */
  replyCount: number;
  /** It is about to be aborted: nothing is answered any more. */
  failing: boolean;
}

/**
 * Answers each Ping with a Pong that has the next reply number, and gives the number that follows to the user as a cookie,
 * so that another PE goes on counting (reference/rsplib.md §5.3).
 *
 * The cookie comes behind its Pong, on the same stream: what a user holds is never ahead of what it has received, and when
 * this PE dies between the two its successor repeats a number and leaves none out.
 */
export class PingPongServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, PingPongServerReport>;
  readonly #failureAfter: number;
  readonly #flow: ReplyFlow;
  readonly #sessions = new Map<SessionId, Session>();
  /** When a session that has said nothing is given up. */
  readonly #silent = new TimerQueue<SessionId>();
  /** When a session is aborted that has had its Pongs. */
  readonly #failures = new TimerQueue<SessionId>();

  /**
   * Makes the service.
   *
   * @param outlet where it answers
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<never, PingPongServerReport>,
    { failureAfter = 0 }: PingPongServerOptions = {},
  ) {
    this.#outlet = outlet;
    this.#failureAfter = failureAfter;
    this.#flow = new ReplyFlow(outlet);
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    this.#flow.sessionEvent(event, now);
    const id = event.session;
    if (event.type === "sessionOpened") {
      this.#sessions.set(id, { id, nextReply: 1n, replyCount: 0, failing: false });
      this.#silent.set(id, now + FIRST_PING_LIMIT_MS);
      return;
    }
    const session = this.#sessions.get(id);
    if (session === undefined) return; // aborted: what is under way does not count
    if (event.type === "sessionMessage") {
      if (!session.failing) this.#message(session, event.ppid, event.data, now);
      this.#flow.answered(id, event.data.length);
    } else if (event.type === "sessionCookie") {
      this.#cookie(session, event.cookie);
    } else if (event.type === "sessionClosed") {
      this.#forget(session);
    }
  }

  tick(now: Instant): void {
    this.#flow.tick(now);
    for (let id = this.#failures.takeDue(now); id !== undefined; id = this.#failures.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session === undefined) continue;
      this.#outlet.report({ type: "pingPongFailure", session: id, replyCount: session.replyCount });
      this.#leave(session);
    }
    for (let id = this.#silent.takeDue(now); id !== undefined; id = this.#silent.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#abort(session, `no Ping came within ${FIRST_PING_LIMIT_MS / 1000} s`);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#flow.nextTimeout(), this.#silent.next(), this.#failures.next());
  }

  #message(session: Session, ppid: Ppid, octets: Uint8Array, now: Instant): void {
    if (ppid !== Ppid.pingPong) {
      return this.#abort(session, `a message with payload protocol ${ppid}, not ${Ppid.pingPong}`);
    }
    const message = this.#read(session, () => readPingPong(octets));
    if (message === undefined) return;
    if (message.type !== "ping") return this.#abort(session, "a Pong, which only a PE sends");
    this.#silent.clear(session.id);
    this.#answer(session, message.messageNumber, message.data, now);
  }

  #answer(session: Session, messageNumber: bigint, data: Uint8Array, now: Instant): void {
    const { id, nextReply: replyNumber } = session;
    const pong = writePingPong({ type: "pong", messageNumber, replyNumber, data });
    session.nextReply = BigInt.asUintN(REPLY_NUMBER_BITS, replyNumber + 1n);
    session.replyCount++;
    this.#outlet.command({ type: "send", session: id, ppid: Ppid.pingPong, data: pong });
    this.#outlet.command({ type: "sendCookie", session: id, cookie: writePingPongCookie(session) });
    this.#outlet.report({ type: "pingAnswered", session: id, messageNumber, replyNumber });
    if (session.replyCount !== this.#failureAfter) return;
    session.failing = true;
    this.#failures.set(id, now + FAILURE_DELAY_MS);
  }

  #cookie(session: Session, octets: Uint8Array): void {
    const cookie = this.#read(session, () => readPingPongCookie(octets));
    if (cookie === undefined) return;
    this.#silent.clear(session.id); // it has said something: with a long interval, its next Ping is not due yet
    session.nextReply = cookie.nextReply;
    this.#outlet.report({ type: "pingPongResumed", session: session.id, nextReply: cookie.nextReply });
  }

  /** Undefined = the session was aborted, since the octets cannot be read. */
  #read<Value>(session: Session, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message);
      return undefined;
    }
  }

  #abort(session: Session, reason: string): void {
    this.#outlet.report({ type: "pingPongAborted", session: session.id, reason });
    this.#leave(session);
  }

  #leave(session: Session): void {
    this.#outlet.command({ type: "closeSession", session: session.id, how: "abort" });
    this.#forget(session);
  }

  #forget({ id }: Session): void {
    this.#sessions.delete(id);
    this.#silent.clear(id);
    this.#failures.clear(id);
  }
}
