import type { Instant } from "../net.ts";
import type { ComponentId } from "./component_id.ts";

/** Events that are remembered: an evening in a lab. Older ones are forgotten first. */
export const MAX_EVENTS = 1000;

/** Changes of the same kind that follow each other within this time are one event: a registrar takes over many elements. */
const MERGE_MS = 5000;

/** Only so many are looked at for that: a thousand made-up users who change all the time shall not take all the time. */
const MERGE_LOOKS = 64;

/** What can happen to components. */
export type ComponentEventType =
  | "appeared"
  /** It began anew, under the same ID. */
  | "restarted"
  /** It said that it ends. */
  | "ended"
  /** It fell silent. */
  | "silent"
  /** An element whose registrar is gone has another one. */
  | "takeover"
  /** An element or a user has another registrar, and the former one lives. */
  | "rehomed"
  /** A session of a user goes on with another element, as the former one is gone. */
  | "failover"
  /** A user left one element and went to another; both live. */
  | "moved"
  /** Somebody else reports under its ID, and is refused. */
  | "conflict";

/** Something that happened, as far as reports show. */
export interface ComponentEvent {
  /** Events are numbered from 1. One that is told again has changed. */
  readonly number: number;
  readonly at: Instant;
  readonly type: ComponentEventType;
  /** Whom it happened to; the first of several. */
  readonly component: ComponentId;
  /** The registrar or element before. */
  readonly from?: ComponentId;
  /** The registrar or element since. */
  readonly to?: ComponentId;
  /** To how many: components that change their registrar together, sessions that a user has moved. */
  readonly count: number;
  /** The last of them. */
  readonly until: Instant;
}

/** What is written into the log. */
export type NewEvent = Pick<ComponentEvent, "type" | "component" | "from" | "to"> & {
  readonly count?: number;
};

/** What happened lately: bounded, and readable piece by piece. */
export class EventLog {
  /** Their numbers follow each other. */
  readonly #events: ComponentEvent[] = [];
  readonly #changed = new Set<number>();
  #last = 0;

  /** All that is remembered, oldest first. */
  all(): ComponentEvent[] {
    return this.#events.slice();
  }

  /** What is new or has changed since the last call, oldest first. */
  takeChanged(): ComponentEvent[] {
    const events = this.#events.filter(({ number }) => this.#changed.has(number));
    this.#changed.clear();
    return events;
  }

  /** Adds an event. */
  add({ count = 1, ...event }: NewEvent, now: Instant): void {
    this.#events.push({ ...event, number: ++this.#last, at: now, until: now, count });
    this.#changed.add(this.#last);
    if (this.#events.length <= MAX_EVENTS) return;
    const oldest = this.#events.shift();
    if (oldest !== undefined) this.#changed.delete(oldest.number);
  }

  /**
   * Adds an event to one of the same kind that was just before, if there is one.
   *
   * @param isSame whether it belongs together with another one
   */
  merge(event: NewEvent, now: Instant, isSame: (other: ComponentEvent) => boolean): void {
    const { type, from, to, count = 1 } = event, length = this.#events.length;
    for (let index = length - 1; index >= Math.max(0, length - MERGE_LOOKS); index--) {
      const other = this.#events[index]!;
      // Those before may have gone on longer: somebody appeared in the midst of a takeover.
      if (now - other.until > MERGE_MS) continue;
      if (other.type !== type || other.from !== from || other.to !== to || !isSame(other)) continue;
      return this.#replace(index, { ...other, count: other.count + count, until: now });
    }
    this.add(event, now);
  }

  /** Puts another event in the place of those that have one. */
  revise(revised: (event: ComponentEvent) => ComponentEvent | undefined): void {
    for (const [index, event] of this.#events.entries()) {
      const other = revised(event);
      if (other !== undefined) this.#replace(index, other);
    }
  }

  #replace(index: number, event: ComponentEvent): void {
    this.#events[index] = event;
    this.#changed.add(event.number);
  }
}
