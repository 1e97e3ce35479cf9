import type { ElementEntry } from "../handlespace/mod.ts";
import { earliest, TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import { assert } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";

/** Shorter lives are enforced as this one: RSPLIB enforces none, and a life of 0 is no membership at all. */
const MIN_LIFE_MS = 1000;

/** The registration life that means "for ever" (RFC 5354 §3.10). */
const ENDLESS_LIFE = -1;

/** Keep-alives that reports of others ask for are at least so far apart, or a flood of reports would double itself. */
const MIN_KEEP_ALIVE_GAP_MS = 1000;

/** How elements are supervised, in milliseconds. */
export interface Supervision {
  readonly keepAliveIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxBadReports: number;
  readonly reportMemoryMs: number;
}

interface Member {
  readonly entry: ElementEntry;
  association: AssociationRecord;
  awaitsAck: boolean;
  /** When the last keep-alive was sent. */
  askedAt: Instant;
  /** When it was reported unreachable; only reports that still count. */
  reports: Instant[];
}

/** What is due for an element. */
export type MemberEvent =
  | { readonly type: "keepAliveDue"; readonly entry: ElementEntry; readonly association: AssociationRecord }
  | {
    readonly type: "keepAliveTimeout";
    readonly entry: ElementEntry;
    readonly association: AssociationRecord;
  }
  | { readonly type: "expired"; readonly entry: ElementEntry };

/**
 * The registrar's own elements under supervision: by which association they came, when they are asked for a sign of
 * life, when their registration ends, how often they were reported unreachable (RFC 5352 §3.4, §3.5; RFC 5353 §3.3).
 * Every operation is O(log n).
 */
export class MembershipTable {
  readonly #supervision: Supervision;
  readonly #members = new Map<ElementEntry, Member>();
  readonly #keepAlives = new TimerQueue<Member>();
  readonly #lives = new TimerQueue<Member>();

  /** @param supervision intervals and limits */
  constructor(supervision: Supervision) {
    this.#supervision = supervision;
  }

  /** How many elements are under supervision. */
  get size(): number {
    return this.#members.size;
  }

  /** The association that an element came by. */
  associationOf(entry: ElementEntry): AssociationRecord | undefined {
    return this.#members.get(entry)?.association;
  }

  /** An element was registered, for the first time or again, possibly by another association. */
  registered(entry: ElementEntry, association: AssociationRecord, now: Instant): void {
    let member = this.#members.get(entry);
    if (member === undefined) {
      member = { entry, association, awaitsAck: false, askedAt: -Infinity, reports: [] };
      this.#members.set(entry, member);
    }
    member.association.entries.delete(entry);
    member.association = association;
    association.entries.add(entry);
    this.#alive(member, now);
    const lifeMs = entry.element.registrationLifeMs;
    if (lifeMs === ENDLESS_LIFE) this.#lives.clear(member);
    else this.#lives.set(member, now + Math.max(lifeMs, MIN_LIFE_MS));
  }

  /** An element answered a keep-alive. */
  acknowledged(entry: ElementEntry, now: Instant): void {
    const member = this.#members.get(entry);
    if (member !== undefined) this.#alive(member, now);
  }

  /** A keep-alive was sent: its answer is awaited. */
  asked(entry: ElementEntry, now: Instant): void {
    const member = this.#members.get(entry);
    assert(member !== undefined, "only elements under supervision are asked");
    member.awaitsAck = true;
    member.askedAt = now;
    this.#keepAlives.set(member, now + this.#supervision.keepAliveTimeoutMs);
  }

  /**
   * An element was reported unreachable.
   *
   * @returns how many reports count now, and whether the element should be asked for a sign of life at once
   */
  reported(entry: ElementEntry, now: Instant): { readonly count: number; readonly ask: boolean } {
    const member = this.#members.get(entry);
    assert(member !== undefined, "only elements under supervision are reported");
    const { maxBadReports, reportMemoryMs } = this.#supervision;
    member.reports = [...member.reports.filter((at) => at > now - reportMemoryMs), now].slice(-maxBadReports);
    const ask = !member.awaitsAck && now - member.askedAt >= MIN_KEEP_ALIVE_GAP_MS;
    return { count: member.reports.length, ask };
  }

  /** An element is gone. */
  removed(entry: ElementEntry): void {
    const member = this.#members.get(entry);
    if (member === undefined) return;
    this.#members.delete(entry);
    member.association.entries.delete(entry);
    this.#keepAlives.clear(member);
    this.#lives.clear(member);
  }

  /** Takes out the next thing that is due. */
  takeDue(now: Instant): MemberEvent | undefined {
    const expired = this.#lives.takeDue(now);
    if (expired !== undefined) return { type: "expired", entry: expired.entry };
    const member = this.#keepAlives.takeDue(now);
    if (member === undefined) return undefined;
    const { entry, association, awaitsAck } = member;
    return { type: awaitsAck ? "keepAliveTimeout" : "keepAliveDue", entry, association };
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#lives.next(), this.#keepAlives.next());
  }

  /** @throws {InvariantError} when the structures disagree */
  checkInvariants(entries: ReadonlySet<ElementEntry>): void {
    assert(this.#members.size === entries.size, "every own element is under supervision");
    for (const [entry, { association }] of this.#members) {
      assert(entries.has(entry), "every element under supervision is in the handlespace");
      assert(association.entries.has(entry), "an element's association knows it");
    }
    assert(this.#keepAlives.size === this.#members.size, "every element has its keep-alive timer");
  }

  #alive(member: Member, now: Instant): void {
    member.awaitsAck = false;
    this.#keepAlives.set(member, now + this.#supervision.keepAliveIntervalMs);
  }
}
