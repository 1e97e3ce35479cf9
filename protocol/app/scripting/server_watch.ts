import type { Instant } from "../../net.ts";
import type { SessionId } from "../../session/types.ts";
import { Deadlines } from "./deadlines.ts";
import type { LivenessTimes } from "./liveness.ts";
import { MAX_WAITING_CHUNKS } from "./patience.ts";
import type { ScriptingPost } from "./post.ts";
import type { ScriptingSession as Session } from "./server_session.ts";

/** For how long a user is waited for. */
export interface ServerWatchTimes extends LivenessTimes {
  /** A user may send and take nothing for so long while it is its turn, in milliseconds. */
  readonly transmitTimeoutMs: number;
}

/** What the watch needs of the service around it. */
export interface ServerWatchContext {
  readonly post: ScriptingPost;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  /** The user has gone. */
  readonly abort: (session: Session, reason: string, now: Instant) => void;
}

/**
 * The watch of a scripting service over its users: which of them have gone, or keep a place without making use of it.
 *
 * Theory of operation: while a user has to upload, or to take what is sent, it has a *limit* for that; while it is this side's
 * turn (the disk is slow, the job runs) there is none. Where it has to take what is sent, the limit begins anew with each sign
 * of life, so often as pieces of a result may wait on a slow path (`patience.ts`). While the job runs, *keep-alives* show that
 * the user is still there; with a user of this project they do so all the time. One that takes nothing cannot answer either:
 * then the limit counts alone.
 */
export class ServerWatch {
  readonly #times: ServerWatchTimes;
  readonly #context: ServerWatchContext;
  readonly #deadlines = new Deadlines();

  /**
   * @param times for how long it waits
   * @param context the service around it
   */
  constructor(times: ServerWatchTimes, context: ServerWatchContext) {
    this.#times = times;
    this.#context = context;
  }

  /** The user takes nothing more. */
  blocked(session: Session, now: Instant): void {
    session.blocked = true;
    session.pieces.blocked(now);
    this.armLimit(session, now);
  }

  /** The user takes what is sent again. */
  writable(session: Session, now: Instant): void {
    session.blocked = false;
    session.pieces.writable(now);
    if (session.phase === "closing") return this.armLimit(session, now);
    this.answerKeepAlive(session);
    session.liveness.excuse(now);
    this.armKeepAlive(session);
    this.armLimit(session, now);
  }

  /** The job is over. What is queued may take its time; a user that takes nothing must not keep it for ever. */
  closing(session: Session, now: Instant): void {
    session.liveness.stop();
    this.#deadlines.keepAlive(session.id, undefined);
    this.armLimit(session, now);
  }

  /** Something came from the user, and has been dealt with. */
  heard(session: Session, now: Instant): void {
    this.armKeepAlive(session);
    if (session.blocked || session.phase === "closing") this.#setLimit(session, now);
  }

  /** The session is no more. */
  forget({ id }: Session): void {
    this.#deadlines.forget(id);
  }

  /** Acts on what is due. */
  tick(now: Instant): void {
    const { sessions } = this.#context;
    this.#deadlines.tick(now, {
      onLimit: (id) => {
        const session = sessions.get(id);
        if (session !== undefined) this.#limitReached(session, now);
      },
      onKeepAlive: (id) => {
        const session = sessions.get(id);
        if (session !== undefined) this.#keepAliveDue(session, now);
      },
    });
  }

  /** When `tick` has something to do; undefined = never. */
  nextTimeout(): Instant | undefined {
    return this.#deadlines.next();
  }

  // --------------------------------------------------------------------------------------------------- limits

  /** Sets the limit of whatever the user has to do next; none while it is this side's turn. */
  armLimit(session: Session, now: Instant): void {
    session.stuckSince = now;
    this.#setLimit(session, now);
  }

  #setLimit({ id, phase, uploads, blocked, unstored, stuckSince }: Session, now: Instant): void {
    const { transmitTimeoutMs } = this.#times;
    const uploading = phase === "uploading" && uploads !== "nothing" && unstored === 0;
    const limited = blocked || uploading || phase === "closing";
    const last = stuckSince + MAX_WAITING_CHUNKS * transmitTimeoutMs;
    this.#deadlines.limit(id, limited ? Math.min(now + transmitTimeoutMs, last) : undefined);
  }

  #limitReached(session: Session, now: Instant): void {
    const what = session.blocked ? "takes nothing" : "sends nothing";
    this.#context.abort(session, `the user ${what} for ${this.#times.transmitTimeoutMs / 1000} s`, now);
  }

  // ---------------------------------------------------------------------------------------------- keep-alives

  /** A KeepAlive came. */
  keepAlive(session: Session, extended: boolean, now: Instant): void {
    if (extended && !session.extended) {
      session.extended = true;
      session.liveness.start(now);
    }
    session.owesAck = true;
    this.answerKeepAlive(session);
  }

  /** Answers if there is something to answer. A user that asks and asks and takes no answers gets one, when it takes it. */
  answerKeepAlive(session: Session): void {
    const { id, phase, extended, blocked, owesAck } = session;
    const mayKnow = extended || phase === "working" || phase === "downloading";
    if (!owesAck || !mayKnow || blocked) return;
    session.owesAck = false;
    this.#context.post.send(id, { type: "keepAliveAck", status: 0 });
  }

  /** Sends a KeepAlive now. */
  sendKeepAlive(session: Session, now: Instant): void {
    this.#context.post.send(session.id, { type: "keepAlive", extended: false });
    session.liveness.sent(now);
    this.armKeepAlive(session);
  }

  /** Goes by what the session's keep-alives say of themselves. */
  armKeepAlive({ id, phase, liveness }: Session): void {
    this.#deadlines.keepAlive(id, phase === "closing" ? undefined : liveness);
  }

  #keepAliveDue(session: Session, now: Instant): void {
    // A KeepAlive behind data that the user does not take says nothing: the limit counts then.
    if (session.blocked) session.liveness.excuse(now);
    const due = session.liveness.due(now);
    if (due === "gone") return this.#context.abort(session, "the user does not answer keep-alives", now);
    if (due === "send") this.sendKeepAlive(session, now);
    this.armKeepAlive(session);
  }
}
