/**
 * The events of a session in order, for those who wait for one: `expect`, `rcv`, and commands that end with an event.
 *
 * A *cursor* says what was taken already: whatever a script expects may have come before it was asked for, and no event
 * is taken twice.
 */
import type { TransportEvent } from "../../protocol/net.ts";
import { CommandError, DarnExitCode } from "./command_error.ts";
import type { Shown } from "./render/shown.ts";

/** An event with what was shown of it. */
export interface Occurrence {
  /** Counted from 1. */
  readonly sequence: number;
  readonly event: TransportEvent;
  /** Number of the association; undefined = the answer to a connect that failed. */
  readonly association: number | undefined;
  readonly shown: Shown;
}

/** Events that are remembered: more than a script leaves behind between two of its lines. */
const MAX_REMEMBERED = 10_000;

/** What a wait is about. */
export interface Wait {
  /** The first event that may be the one. */
  readonly from: number;
  readonly matches: (occurrence: Occurrence) => boolean;
  /** What is waited for, in words. */
  readonly what: string;
  /** Infinity = for ever. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly wait: Wait;
  readonly found: (occurrence: Occurrence) => void;
}

/** Remembers events and wakes those who wait. */
export class EventLog {
  readonly #remembered: Occurrence[] = [];
  readonly #waiters = new Set<Waiter>();
  #lastSequence = 0;
  /** Everything up to this one was taken by `rcv` or `expect`. */
  cursor = 0;

  /** The sequence of the next event. */
  get next(): number {
    return this.#lastSequence + 1;
  }

  /** Takes an event. */
  add(occurrence: Omit<Occurrence, "sequence">): void {
    const { event } = occurrence;
    // Contents are not needed any more, and 10,000 messages of some megabytes would not fit.
    const light = event.type === "message" || event.type === "sendFailed"
      ? { ...event, data: new Uint8Array() }
      : event;
    const full: Occurrence = { ...occurrence, sequence: ++this.#lastSequence };
    for (const waiter of this.#waiters) {
      if (full.sequence < waiter.wait.from || !waiter.wait.matches(full)) continue;
      this.#waiters.delete(waiter);
      waiter.found(full);
    }
    this.#remembered.push({ ...full, event: light });
    if (this.#remembered.length > MAX_REMEMBERED) this.#remembered.splice(0, MAX_REMEMBERED / 2);
  }

  /** The first event from a sequence on that matches, if it has come already. */
  find(from: number, matches: (occurrence: Occurrence) => boolean): Occurrence | undefined {
    return this.#remembered.find((one) => one.sequence >= from && matches(one));
  }

  /**
   * Waits for an event.
   *
   * @throws {CommandError} when it does not come in time
   */
  async waitFor(wait: Wait): Promise<Occurrence> {
    const known = this.find(wait.from, wait.matches);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<Occurrence>();
    const waiter: Waiter = { wait, found: resolve };
    const onAbort = () => reject(wait.signal.reason);
    const onTimeout = () => {
      const seconds = (wait.timeoutMs / 1000).toString();
      reject(new CommandError(`timeout: no ${wait.what} within ${seconds} s`, DarnExitCode.timeout));
    };
    this.#waiters.add(waiter);
    const timer = wait.timeoutMs === Infinity ? undefined : setTimeout(onTimeout, wait.timeoutMs);
    wait.signal.addEventListener("abort", onAbort);
    if (wait.signal.aborted) onAbort();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      wait.signal.removeEventListener("abort", onAbort);
      this.#waiters.delete(waiter);
    }
  }
}
