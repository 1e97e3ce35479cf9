import type { ClientSession } from "./client_session.ts";
import type { ClientSessionReport, SessionClientEffect, SessionEvent, SessionFailover } from "./types.ts";

/** Why a failover is necessary or complete. */
export type FailoverReason = Pick<SessionFailover, "reason" | "loss">;

/** What a session client says of its sessions: to the application, and for the log. */
export class ClientOutlet {
  readonly #outbox: { push(effect: SessionClientEffect): void };

  /** @param outbox where effects go */
  constructor(outbox: { push(effect: SessionClientEffect): void }) {
    this.#outbox = outbox;
  }

  /** Tells the application. */
  event(event: SessionEvent): void {
    this.#outbox.push(event);
  }

  /** Tells the log. */
  report(report: ClientSessionReport): void {
    this.#outbox.push({ type: "report", report });
  }

  /** Tells both of a failover. */
  failover(
    { session, elementId, cookie }: ClientSession,
    state: "necessary" | "complete",
    why: FailoverReason,
  ): void {
    const hasCookie = cookie !== undefined;
    const failover = { type: "sessionFailover", session, state, hasCookie, elementId, ...why } as const;
    this.report(failover);
    this.event(failover);
  }

  /** The session has no element for now. */
  waiting({ session, poolHandle }: ClientSession, reason: string, retryMs: number): void {
    this.report({ type: "sessionWaiting", session, poolHandle, reason, retryMs });
  }
}
