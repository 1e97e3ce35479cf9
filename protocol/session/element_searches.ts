import { earliest, TimerQueue } from "../machine.ts";
import type { Prng } from "../machine.ts";
import type { Instant, NetworkInput } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { PoolUser } from "../user/pool_user.ts";
import type { PoolUserOptions, UserEffect, UserEvent } from "../user/pool_user.ts";
import { AvoidedElements } from "./avoided_elements.ts";
import type { SessionId } from "./types.ts";

/** First wait before a pool is resolved again: RSPLIB's pace for unknown pools (reference/rsplib.md §4.1). */
const RETRY_INITIAL_MS = 250;

/** Longest wait; the wait doubles with each attempt that came to nothing. */
const RETRY_MAX_MS = 5000;

/** Waits vary by this fraction, so that users of a pool that died do not come back at the same instant. */
const RETRY_JITTER = 0.125;

/** An element that failed is avoided for this time, as long as there are others. */
const AVOID_MS = 10_000;

/** Longest time for which one is avoided that cannot be connected to. */
const AVOID_MAX_MS = 60_000;

/** Most elements asked for in one resolution: the wanted one, and replacements for those that are avoided. */
const MAX_ITEMS = 8;

/** Elements of a business card that are remembered: more than a user can try before it had better ask a registrar. */
export const MAX_CARD_ELEMENTS = 16;

/** What a session knows of the elements of its pool. */
export interface ElementSearch {
  readonly session: SessionId;
  readonly poolHandle: PoolHandle;
}

/** What becomes of a search. */
export type SearchEvent =
  | { readonly type: "found"; readonly session: SessionId; readonly element: PoolElement }
  /** There is none; the search goes on after `retryMs`. */
  | {
    readonly type: "notFound";
    readonly session: SessionId;
    readonly reason: string;
    readonly retryMs: number;
  };

interface Search extends ElementSearch {
  phase: "idle" | "resolving" | "waiting";
  /** Tells a resolution that is under way from one that was given up. */
  generation: number;
  /** Attempts in a row that came to nothing. */
  barren: number;
  /** The elements that the present element, or the last one, wants to take its place, the first one first. */
  card: readonly PoolElement[];
  /** Elements that failed this session; others may be well served by them. */
  readonly avoided: AvoidedElements;
}

interface Resolution {
  readonly session: SessionId;
  readonly generation: number;
}

/**
 * Finds elements for the sessions of a pool user: one by one, until an element does what it should.
 *
 *     idle --seek--> (business card) --found--> idle
 *            \-----> resolving --found--> idle
 *                      ^  \--no pool, no registrar--> waiting
 *                       \-----------time---------------/
 *
 * Every attempt that comes to nothing makes the next one of its session wait longer. Elements that failed are avoided as
 * long as there are others: one that cannot be connected to by all sessions, any other only by the session that it failed.
 */
export class ElementSearches {
  readonly #user: PoolUser<Resolution>;
  readonly #random: Prng;
  readonly #timers = new TimerQueue<SessionId>();
  readonly #searches = new Map<SessionId, Search>();
  /** Elements that no session could connect to. */
  readonly #unreachable = new AvoidedElements(AVOID_MS, AVOID_MAX_MS);
  #events: SearchEvent[] = [];
  #lastGeneration = 0;

  /**
   * @param outbox where effects go
   * @param random chooses among registrars, and spreads waits
   */
  constructor(options: PoolUserOptions, outbox: { push(effect: UserEffect): void }, random: Prng) {
    this.#random = random;
    this.#user = new PoolUser("hunt", "asap-announce", options, outbox, random);
  }

  /** Starts the hunt for a registrar. */
  start(now: Instant): void {
    this.#user.start(now);
  }

  /** Leaves the registrar. */
  stop(): void {
    this.#user.stop();
  }

  /**
   * Takes an input of the driver.
   *
   * @returns false when it is for somebody else
   */
  handle(input: NetworkInput, now: Instant): boolean {
    return this.#user.handle(input, now);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (
      let session = this.#timers.takeDue(now);
      session !== undefined;
      session = this.#timers.takeDue(now)
    ) {
      const search = this.#searches.get(session);
      if (search !== undefined) this.seek(search, now);
    }
    this.#user.tick(now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#user.nextTimeout());
  }

  /** Everything that happened since the last call, in order. */
  takeEvents(now: Instant): SearchEvent[] {
    for (const event of this.#user.takeEvents()) this.#userEvent(event, now);
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Makes a search that does nothing until `seek`. */
  begin(session: SessionId, poolHandle: PoolHandle): ElementSearch {
    const search: Search = {
      session,
      poolHandle,
      phase: "idle",
      generation: 0,
      barren: 0,
      card: [],
      avoided: new AvoidedElements(AVOID_MS),
    };
    this.#searches.set(session, search);
    return search;
  }

  /** Ends a search for good. */
  end({ session }: ElementSearch): void {
    this.#searches.delete(session);
    this.#timers.clear(session);
    this.#user.cancel((context) => context.session === session);
  }

  /** Finds the next element: from the business card, as long as it names one that was not tried, else by resolution. */
  seek(one: ElementSearch, now: Instant): void {
    const search = this.#searchOf(one);
    if (search === undefined) return;
    const avoided = this.#avoided(search, now);
    const next = search.card.find(({ elementId }) => !avoided.has(elementId));
    if (next !== undefined) return this.#found(search, next);
    search.phase = "resolving";
    search.generation = ++this.#lastGeneration;
    const { session, generation, poolHandle } = search;
    const items = Math.min(1 + avoided.size, MAX_ITEMS);
    this.#user.resolve(poolHandle, items, { session, generation }, now);
  }

  /**
   * Seeks again after a pause, which is the longer the more attempts came to nothing.
   *
   * @returns the pause in milliseconds
   */
  seekLater(one: ElementSearch, now: Instant): number {
    const search = this.#searchOf(one);
    if (search === undefined) return 0;
    const waitMs = Math.min(RETRY_INITIAL_MS * 2 ** search.barren, RETRY_MAX_MS);
    search.barren++;
    const retryMs = Math.round(waitMs * (1 + RETRY_JITTER * (2 * this.#random.uniform() - 1)));
    search.phase = "waiting";
    this.#timers.set(search.session, now + retryMs);
    return retryMs;
  }

  /** An association with an element is up: nobody avoids it any more, and the card of its predecessor is out of date. */
  connected(one: ElementSearch, elementId: number): void {
    this.#unreachable.served(elementId);
    const search = this.#searchOf(one);
    if (search !== undefined) search.card = [];
  }

  /** The element does its work. */
  served(one: ElementSearch): void {
    const search = this.#searchOf(one);
    if (search !== undefined) search.barren = 0;
  }

  /** The element of a session failed. */
  failed(one: ElementSearch, elementId: number, now: Instant): void {
    this.#searchOf(one)?.avoided.failed(elementId, now);
  }

  /** An element cannot be connected to: the rest of the card has its turn, and then the registrar. */
  unreachable(one: ElementSearch, elementId: number, now: Instant): void {
    const search = this.#searchOf(one);
    if (search !== undefined) search.card = search.card.filter((element) => element.elementId !== elementId);
    this.#unreachable.failed(elementId, now);
    this.reportUnreachable(one, elementId, now);
  }

  /** Tells the registrar that an element does not answer. */
  reportUnreachable({ poolHandle }: ElementSearch, elementId: number, now: Instant): void {
    this.#user.reportUnreachable(poolHandle, elementId, now);
  }

  /**
   * The element in use names those that may take its place (RFC 5352 §3.9).
   *
   * @returns those that are remembered
   */
  card(one: ElementSearch, elementId: number, elements: readonly PoolElement[]): readonly PoolElement[] {
    const usable = elements.filter((element) => element.elementId !== elementId && speaksSctp(element));
    const card = usable.slice(0, MAX_CARD_ELEMENTS);
    const search = this.#searchOf(one);
    if (search !== undefined) search.card = card;
    return card;
  }

  #userEvent(event: UserEvent<Resolution>, now: Instant): void {
    const search = this.#searches.get(event.context.session);
    if (search?.generation !== event.context.generation || search.phase !== "resolving") return;
    switch (event.type) {
      case "resolved":
        return this.#choose(search, event.elements, now);
      case "poolUnknown":
        return this.#notFound(search, "unknown pool handle", now);
      case "resolutionFailed":
        return this.#notFound(search, event.reason, now);
    }
  }

  #choose(search: Search, elements: readonly PoolElement[], now: Instant): void {
    const usable = elements.filter(speaksSctp);
    const avoided = this.#avoided(search, now);
    const element = usable.find(({ elementId }) => !avoided.has(elementId)) ?? usable[0];
    if (element === undefined) return this.#notFound(search, "no element of the pool speaks SCTP", now);
    this.#found(search, element);
  }

  #found(search: Search, element: PoolElement): void {
    search.phase = "idle";
    this.#events.push({ type: "found", session: search.session, element });
  }

  #notFound(search: Search, reason: string, now: Instant): void {
    const retryMs = this.seekLater(search, now);
    this.#events.push({ type: "notFound", session: search.session, reason, retryMs });
  }

  /** The elements that a session does not want if there are others. */
  #avoided({ avoided }: Search, now: Instant): ReadonlySet<number> {
    return new Set([...avoided.now(now), ...this.#unreachable.now(now)]);
  }

  #searchOf({ session }: ElementSearch): Search | undefined {
    return this.#searches.get(session);
  }
}

function speaksSctp({ userTransport }: PoolElement): boolean {
  return userTransport.protocol === "sctp";
}
