import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import type { Application, ApplicationOutlet } from "../application.ts";

/** Octets of a message. */
export const CHARGEN_BLOCK_LENGTH = 1024;

/** The characters go from here … */
const FIRST_CHARACTER = 30;
/** … so many on, and start again. */
const CHARACTER_COUNT = 98;

/**
 * Messages handed to a session at a time; then the others have their turn, and the transport says whether its send buffer is
 * full. So this much may wait beyond the send buffer.
 */
const BLOCKS_PER_TURN = 32;

/** A user that takes nothing for so long, in milliseconds, is given up: its place is for those who read. */
export const UNREAD_LIMIT_MS = 60_000;

/** What is worth a log line at a character generator. */
export type ChargenReport =
  /** A session gets characters from now on. */
  | { readonly type: "chargenStarted"; readonly session: SessionId }
  /** It gets no more. */
  | { readonly type: "chargenEnded"; readonly session: SessionId; readonly blockCount: number }
  /** It took nothing for too long, and was aborted. */
  | { readonly type: "sessionGivenUp"; readonly session: SessionId; readonly reason: string };

/**
 * Sends every session characters without end, as fast as its user takes them (reference/rsplib.md §5.6, after RFC 864).
 *
 * Theory of operation: a session that has room gets some blocks a turn; a turn is due at once. A blocked one gets none until
 * it is writable again. What users send is thrown away.
 */
export class ChargenServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, ChargenReport>;
  readonly #blockCounts = new Map<SessionId, number>();
  /** When a session gets its next blocks. */
  readonly #turns = new TimerQueue<SessionId>();
  /** When a session that takes nothing is given up. */
  readonly #limits = new TimerQueue<SessionId>();

  /** @param outlet where it sends */
  constructor(outlet: ApplicationOutlet<never, ChargenReport>) {
    this.#outlet = outlet;
  }

  sessionEvent({ type, session }: SessionEvent, now: Instant): void {
    switch (type) {
      case "sessionOpened":
        this.#blockCounts.set(session, 0);
        this.#turns.set(session, now);
        return this.#outlet.report({ type: "chargenStarted", session });
      case "sessionBlocked":
        this.#turns.clear(session);
        return this.#limits.set(session, now + UNREAD_LIMIT_MS);
      case "sessionWritable":
        this.#limits.clear(session);
        if (this.#blockCounts.has(session)) this.#turns.set(session, now);
        return;
      case "sessionClosed":
        return this.#end(session);
      default:
        return;
    }
  }

  /** No session gets anything more: each ends when it has taken what is under way. */
  stop(): void {
    for (const session of [...this.#blockCounts.keys()]) {
      this.#end(session);
      this.#outlet.command({ type: "closeSession", session, how: "shutdown" });
    }
  }

  tick(now: Instant): void {
    for (let id = this.#limits.takeDue(now); id !== undefined; id = this.#limits.takeDue(now)) {
      const reason = `the user has taken nothing for ${UNREAD_LIMIT_MS / 1000} s`;
      this.#outlet.report({ type: "sessionGivenUp", session: id, reason });
      this.#outlet.command({ type: "closeSession", session: id, how: "abort" });
      this.#end(id);
    }
    const due: SessionId[] = [];
    for (let id = this.#turns.takeDue(now); id !== undefined; id = this.#turns.takeDue(now)) due.push(id);
    for (const session of due) this.#send(session, now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#turns.next(), this.#limits.next());
  }

  #send(session: SessionId, now: Instant): void {
    for (let block = 0; block < BLOCKS_PER_TURN; block++) {
      this.#outlet.command({ type: "send", session, ppid: Ppid.none, data: BLOCK });
    }
    this.#blockCounts.set(session, (this.#blockCounts.get(session) ?? 0) + BLOCKS_PER_TURN);
    this.#turns.set(session, now);
  }

  #end(session: SessionId): void {
    const blockCount = this.#blockCounts.get(session);
    if (blockCount === undefined) return;
    this.#blockCounts.delete(session);
    this.#turns.clear(session);
    this.#limits.clear(session);
    this.#outlet.report({ type: "chargenEnded", session, blockCount });
  }
}

/** What every message is: the characters from the first one on. Nobody changes it, so that all messages share it. */
const BLOCK: Uint8Array = Uint8Array.from(
  { length: CHARGEN_BLOCK_LENGTH },
  (_, index) => FIRST_CHARACTER + index % CHARACTER_COUNT,
);
