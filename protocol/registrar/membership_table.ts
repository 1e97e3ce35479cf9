import type { ElementEntry } from "../handlespace/mod.ts";
import { earliest, TimerQueue } from "../machine.ts";
import type { Prng } from "../machine.ts";
import type { Instant } from "../net.ts";
import { assert } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import { expiryOf } from "./expiry.ts";

/** Keep-alives that reports of others ask for are at least so far apart, or a flood of reports would double itself. */
const MIN_KEEP_ALIVE_GAP_MS = 1000;

/** So often an element that was taken over is reached and lost again; then it is gone. */
const MAX_CLAIMS = 3;

/** How elements are supervised, in milliseconds. */
export interface Supervision {
  readonly keepAliveIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Part of the interval that it is longer or shorter at random, 0 to 1. */
  readonly keepAliveJitter: number;
}

interface Member {
  readonly entry: ElementEntry;
  /** Undefined = it was taken over, and is not reached yet. */
  association: AssociationRecord | undefined;
  awaitsAck: boolean;
  /** How often it was reached since it was taken over, without a sign of life so far. */
  claims: number;
  /** When the last keep-alive was sent. */
  askedAt: Instant;
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
 * life, when their registration ends (RFC 5352 §3.4, §3.5; RFC 5353 §3.3).
 * An element that was taken over from another registrar has no association at first, and is not asked. Every operation
 * is O(log n).
 */
export class MembershipTable {
  readonly #supervision: Supervision;
  readonly #random: Prng;
  readonly #members = new Map<ElementEntry, Member>();
  readonly #keepAlives = new TimerQueue<Member>();
  readonly #lives = new TimerQueue<Member>();

  /**
   * @param supervision intervals and limits
   * @param random spreads keep-alives
   */
  constructor(supervision: Supervision, random: Prng) {
    this.#supervision = supervision;
    this.#random = random;
  }

  /** How many elements are under supervision. */
  get size(): number {
    return this.#members.size;
  }

  /** Whether an element is under supervision, and not reached yet. */
  isAdopted(entry: ElementEntry): boolean {
    const member = this.#members.get(entry);
    return member !== undefined && member.association === undefined;
  }

  /** The association that an element came by. */
  associationOf(entry: ElementEntry): AssociationRecord | undefined {
    return this.#members.get(entry)?.association;
  }

  /** An element was registered, for the first time or again, possibly by another association. */
  registered(entry: ElementEntry, association: AssociationRecord, now: Instant): void {
    const member = this.#memberOf(entry);
    this.#attach(member, association);
    this.#alive(member, now);
    this.#prolong(member, now);
  }

  /**
   * An element was taken over from another registrar: its life goes on, but it has no association yet. One that is
   * under supervision already stays as it is.
   */
  adopted(entry: ElementEntry, now: Instant): void {
    if (!this.#members.has(entry)) this.#prolong(this.#memberOf(entry), now);
  }

  /** An element that was taken over is reached by an association: it has to be asked at once. */
  reached(entry: ElementEntry, association: AssociationRecord): void {
    const member = this.#members.get(entry);
    assert(member !== undefined, "only elements under supervision are reached");
    this.#attach(member, association);
    member.claims++;
  }

  /**
   * The association of an element is lost. One that was taken over and has not said anything yet may have had a hand in
   * that: it connected to us, too, both associations became one (RFC 9260 §5.2.1), and it had found another registrar
   * meanwhile. It is worth another attempt.
   *
   * @returns whether the element is adopted again, and has to be reached; otherwise it is as it was
   */
  tryAgain(entry: ElementEntry): boolean {
    const member = this.#members.get(entry);
    if (member === undefined || member.claims === 0 || member.claims >= MAX_CLAIMS) return false;
    member.association?.entries.delete(entry);
    member.association = undefined;
    member.awaitsAck = false;
    this.#keepAlives.clear(member);
    return true;
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

  /** Whether an element that was reported unreachable should be asked for a sign of life at once. */
  mayAsk(entry: ElementEntry, now: Instant): boolean {
    const member = this.#members.get(entry);
    return member?.association !== undefined && !member.awaitsAck &&
      now - member.askedAt >= MIN_KEEP_ALIVE_GAP_MS;
  }

  /** An element is gone. */
  removed(entry: ElementEntry): void {
    const member = this.#members.get(entry);
    if (member === undefined) return;
    this.#members.delete(entry);
    member.association?.entries.delete(entry);
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
    assert(association !== undefined, "only elements with an association have a keep-alive timer");
    return { type: awaitsAck ? "keepAliveTimeout" : "keepAliveDue", entry, association };
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#lives.next(), this.#keepAlives.next());
  }

  /**
   * @param entries the registrar's own
   * @throws {InvariantError} when the structures disagree
   */
  checkInvariants(entries: ReadonlySet<ElementEntry>): void {
    assert(this.#members.size === entries.size, "every own element is under supervision");
    let reachedCount = 0;
    for (const [entry, { association }] of this.#members) {
      assert(entries.has(entry), "every element under supervision is in the handlespace");
      assert(association?.entries.has(entry) ?? true, "an element's association knows it");
      if (association !== undefined) reachedCount++;
    }
    assert(this.#keepAlives.size === reachedCount, "every element that is reached has its keep-alive timer");
  }

  #memberOf(entry: ElementEntry): Member {
    let member = this.#members.get(entry);
    if (member === undefined) {
      member = { entry, association: undefined, awaitsAck: false, claims: 0, askedAt: -Infinity };
      this.#members.set(entry, member);
    }
    return member;
  }

  #attach(member: Member, association: AssociationRecord): void {
    member.association?.entries.delete(member.entry);
    member.association = association;
    association.entries.add(member.entry);
  }

  #prolong(member: Member, now: Instant): void {
    const expiresAt = expiryOf(member.entry.element, now);
    if (expiresAt === undefined) this.#lives.clear(member);
    else this.#lives.set(member, expiresAt);
  }

  #alive(member: Member, now: Instant): void {
    member.awaitsAck = false;
    member.claims = 0;
    const { keepAliveIntervalMs, keepAliveJitter } = this.#supervision;
    const spread = 1 + keepAliveJitter * (2 * this.#random.uniform() - 1);
    this.#keepAlives.set(member, now + keepAliveIntervalMs * spread);
  }
}
