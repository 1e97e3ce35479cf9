import { TimerQueue } from "../machine.ts";
import type { AssociationId, AssociationUp, Instant, TransportCommand } from "../net.ts";

/** Associations that strangers may hold at the hunt endpoint: registrars that take over are few. */
export const MAX_STRANGERS = 16;

/** A stranger that did not become our registrar is shut down after this time (RSPLIB's auto-close of this socket). */
export const STRANGER_LIFE_MS = 30_000;

/** One that does not let itself be shut down, since it takes nothing of what waits for it, is aborted then. */
export const STRANGER_END_MS = 5000;

/**
 * Associations that others have set up with the hunt endpoint. One may be of a registrar that took over, and says so by a
 * keep-alive with the H bit (RFC 5352 §3.4).
 *
 *     here --time--> leaving --down, or time (aborted)--> gone
 *       \   ^--a registrar that is left
 *        \--taken (it is the registrar's), dismissed, down--> gone
 */
export class Strangers {
  readonly #execute: (command: TransportCommand) => void;
  /** Undefined = it is leaving. */
  readonly #strangers = new Map<AssociationId, AssociationUp | undefined>();
  readonly #timers = new TimerQueue<AssociationId>();

  /** @param execute gives a command to the hunt endpoint */
  constructor(execute: (command: TransportCommand) => void) {
    this.#execute = execute;
  }

  /** Whether an association is a stranger's, and is listened to. */
  has(association: AssociationId): boolean {
    return this.#strangers.get(association) !== undefined;
  }

  /** A stranger has come. */
  up(up: AssociationUp, now: Instant): void {
    const { association } = up;
    if (this.#strangers.size >= MAX_STRANGERS) return this.#abort(association, "too many associations");
    this.#strangers.set(association, up);
    this.#timers.set(association, now + STRANGER_LIFE_MS);
  }

  /** Takes one out that is no stranger any more. */
  take(association: AssociationId): AssociationUp | undefined {
    const stranger = this.#strangers.get(association);
    if (stranger !== undefined) this.down(association);
    return stranger;
  }

  /** Shuts down an association that is of no use: a stranger's, or that of a registrar until now. */
  leave(association: AssociationId, now: Instant): void {
    this.#strangers.set(association, undefined);
    this.#timers.set(association, now + STRANGER_END_MS);
    this.#execute({ type: "shutdown", association });
  }

  /** An association has ended. @returns whether it was a stranger's */
  down(association: AssociationId): boolean {
    this.#timers.clear(association);
    return this.#strangers.delete(association);
  }

  /** Aborts all: nobody is of interest any more. */
  stop(): void {
    for (const association of this.#strangers.keys()) {
      this.down(association);
      this.#abort(association, "no longer interested");
    }
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (this.has(due)) this.leave(due, now);
      else {
        this.#strangers.delete(due);
        this.#abort(due, "the shutdown took too long");
      }
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  #abort(association: AssociationId, reason: string): void {
    this.#execute({ type: "abort", association, reason });
  }
}
