import { assert } from "../wire/assert.ts";
import type { Instant, TransportAddress } from "../net.ts";
import type { SessionEvent, SessionId } from "../session/types.ts";
import type { Application, ApplicationOutlet } from "./application.ts";

/** What a limit of sessions tells. */
export type SessionLimitReport =
  /** A new session was turned away. */
  | { readonly type: "serverFull"; readonly peer: readonly TransportAddress[]; readonly maxSessions: number }
  /** A session came or went. */
  | { readonly type: "serverLoad"; readonly load: number; readonly sessionCount: number };

/**
 * An application that serves so many sessions at the same time and no more (`-pppmaxthreads` and its sisters). What comes
 * beyond is shut down in order, as RSPLIB's servers do: its pool user sees a living element that is full, and has no reason
 * to report it unreachable. The load that the pool is told of is the part of the places that are taken.
 */
export class SessionLimit<OwnInput> implements Application<OwnInput> {
  readonly #outlet: ApplicationOutlet<never, SessionLimitReport>;
  readonly #application: Application<OwnInput>;
  readonly #maxSessions: number;
  readonly #served = new Set<SessionId>();

  /**
   * Puts a limit before an application.
   *
   * @param outlet the application's
   * @param application gets the events of the sessions that found a place
   * @param maxSessions how many places there are, at least 1
   */
  constructor(
    outlet: ApplicationOutlet<never, SessionLimitReport>,
    application: Application<OwnInput>,
    maxSessions: number,
  ) {
    assert(maxSessions >= 1, "a server serves at least one session");
    this.#outlet = outlet;
    this.#application = application;
    this.#maxSessions = maxSessions;
  }

  start(now: Instant): void {
    this.#application.start?.(now);
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    const { session } = event;
    if (event.type === "sessionOpened") {
      if (this.#served.size >= this.#maxSessions) return this.#refuse(session, event.peer);
      this.#served.add(session);
      this.#tellLoad();
    } else if (!this.#served.has(session)) {
      return this.#turnedAway(event);
    } else if (event.type === "sessionClosed") {
      this.#served.delete(session);
      this.#tellLoad();
    }
    this.#application.sessionEvent(event, now);
  }

  input(input: OwnInput, now: Instant): void {
    this.#application.input?.(input, now);
  }

  stop(now: Instant): void {
    this.#application.stop?.(now);
  }

  tick(now: Instant): void {
    this.#application.tick?.(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#application.nextTimeout?.();
  }

  #refuse(session: SessionId, peer: readonly TransportAddress[]): void {
    this.#outlet.report({ type: "serverFull", peer, maxSessions: this.#maxSessions });
    this.#outlet.command({ type: "closeSession", session, how: "shutdown" });
  }

  /** Its messages are not heard; but they must not fill the receive window, or the shutdown behind them never comes. */
  #turnedAway(event: SessionEvent): void {
    if (event.type !== "sessionMessage") return;
    this.#outlet.command({ type: "consumed", session: event.session, octets: event.data.length });
  }

  #tellLoad(): void {
    const sessionCount = this.#served.size;
    const load = sessionCount / this.#maxSessions;
    this.#outlet.command({ type: "setLoad", load });
    this.#outlet.report({ type: "serverLoad", load, sessionCount });
  }
}
