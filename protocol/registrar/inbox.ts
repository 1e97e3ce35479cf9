import type { Ppid } from "../net.ts";
import { assert } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import type { Lane, LaneMessage } from "./lane.ts";

/**
 * Requests that wait for their turn, when more come than are answered at once.
 *
 * Theory of operation: every association has a queue of its own, a lane, and the lanes are served in turns, each with an
 * allowance of work a turn (deficit round robin), so that a flood by one delays nobody but itself. Lanes stand in one of
 * two rows, as in FQ-CoDel (RFC 8290): those that were empty when their request came stand in the first row, those with
 * a backlog in the other one. The first row gets most of the work, so that an honest user, who asks and waits for the
 * answer, hardly notices a thousand associations that ask without end; the other row gets the rest for certain, so that
 * nobody starves, however many pose as honest users.
 *
 * An association that does not take its answers is held: what it asks waits until it does.
 */

/** Work of a turn: some small requests, or a part of a large one, which uses up several turns. */
const ALLOWANCE = 1024;

/** While both rows have work, every so many turns one is the others'. */
const OTHERS_SHARE = 4;

/** Work of a message besides its octets: most of it is not reading. */
const MESSAGE_WORK = 256;

/** Limits of an {@linkcode Inbox}. */
export interface InboxLimits {
  /** Octets that may wait of one association. */
  readonly maxOctetsPerAssociation: number;
  /** Octets that may wait of all together. */
  readonly maxOctets: number;
}

/** A message whose turn it is. */
export interface Turn {
  readonly record: AssociationRecord;
  readonly ppid: Ppid;
  /** Borrowed until the inbox is used again. */
  readonly data: Uint8Array;
}

/** Requests of many associations that wait for their turn. */
export class Inbox {
  readonly #limits: InboxLimits;
  readonly #first = new Row("first");
  readonly #others = new Row("others");
  readonly #held = new Set<AssociationRecord>();
  #octets = 0;
  /** Messages taken from the first row since the others had one. */
  #favoured = 0;

  /** @param limits how much may wait */
  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** Octets that wait, overhead included. */
  get octets(): number {
    return this.#octets;
  }

  /** Whether somebody has a turn. */
  get hasTurns(): boolean {
    return this.#first.size > 0 || this.#others.size > 0;
  }

  /**
   * Puts a message behind those of its association.
   *
   * @returns who has too much waiting now, usually the one that this message came from; nobody = undefined
   */
  put(record: AssociationRecord, ppid: Ppid, data: Uint8Array): AssociationRecord | undefined {
    const { lane } = record;
    this.#octets -= lane.octets;
    lane.push(ppid, data);
    this.#octets += lane.octets;
    if (lane.row === "none" && !lane.held) {
      lane.allowance = Math.min(ALLOWANCE, lane.allowance + ALLOWANCE);
      this.#first.push(record);
    }
    if (lane.octets > this.#limits.maxOctetsPerAssociation) return record;
    return this.#octets > this.#limits.maxOctets ? this.#fullest(record) : undefined;
  }

  /** Takes the next message out. */
  take(): Turn | undefined {
    for (let row = this.#nextRow(); row !== undefined; row = this.#nextRow()) {
      const record = row.shift();
      const { lane } = record;
      lane.row = "none";
      if (lane.held || lane.octets === 0) continue;
      if (lane.allowance <= 0) { // its last message was longer than its turn
        lane.allowance += ALLOWANCE;
        this.#others.push(record);
        continue;
      }
      const { ppid, data } = this.#takeFrom(lane);
      this.#favoured = row === this.#first ? this.#favoured + 1 : 0;
      if (lane.octets > 0) this.#queueAgain(record, row);
      return { record, ppid, data };
    }
    return undefined;
  }

  /** The association takes no answers for now: it gets no turns. */
  hold(record: AssociationRecord): void {
    record.lane.held = true;
    this.#held.add(record);
  }

  /** It takes answers again. */
  release(record: AssociationRecord): void {
    const { lane } = record;
    lane.held = false;
    this.#held.delete(record);
    if (lane.row === "none" && lane.octets > 0) this.#others.push(record);
  }

  /** The association is gone, and what waits of it. */
  drop(record: AssociationRecord): void {
    this.#octets -= record.lane.octets;
    record.lane.clear(); // its place in a row is found empty in its turn
    record.lane.held = false;
    this.#held.delete(record);
  }

  /** @throws {InvariantError} when the count is not that of the associations */
  checkInvariants(records: Iterable<AssociationRecord>): void {
    let octets = 0;
    for (const { lane } of records) {
      octets += lane.octets;
      assert(
        lane.octets === 0 || lane.held || lane.row !== "none",
        "who has something waiting stands in a row",
      );
    }
    assert(octets === this.#octets, "the octets that wait are those of all associations");
  }

  #nextRow(): Row | undefined {
    if (this.#first.size === 0) return this.#others.size === 0 ? undefined : this.#others;
    return this.#favoured >= OTHERS_SHARE - 1 && this.#others.size > 0 ? this.#others : this.#first;
  }

  #takeFrom(lane: Lane): LaneMessage {
    this.#octets -= lane.octets;
    const message = lane.shift();
    this.#octets += lane.octets;
    lane.allowance -= MESSAGE_WORK + message.data.length;
    return message;
  }

  /** Whoever has more waiting is not first any more; in the other row a lane keeps its place within its allowance. */
  #queueAgain(record: AssociationRecord, row: Row): void {
    if (row === this.#others && record.lane.allowance > 0) return row.unshift(record);
    if (record.lane.allowance <= 0) record.lane.allowance += ALLOWANCE;
    this.#others.push(record);
  }

  /** Only called when everything is full; then it frees more than the average association has waiting. */
  #fullest(record: AssociationRecord): AssociationRecord {
    let fullest = record;
    for (const row of [this.#first, this.#others, this.#held]) {
      for (const other of row) if (other.lane.octets > fullest.lane.octets) fullest = other;
    }
    return fullest;
  }
}

/** Associations in a row, first come, first served. */
class Row implements Iterable<AssociationRecord> {
  readonly #name: "first" | "others";
  #records: AssociationRecord[] = [];
  #start = 0;

  constructor(name: "first" | "others") {
    this.#name = name;
  }

  get size(): number {
    return this.#records.length - this.#start;
  }

  [Symbol.iterator](): Iterator<AssociationRecord> {
    return this.#records.slice(this.#start).values();
  }

  push(record: AssociationRecord): void {
    record.lane.row = this.#name;
    this.#records.push(record);
  }

  /** Back to the place that `shift` took it from. */
  unshift(record: AssociationRecord): void {
    record.lane.row = this.#name;
    this.#records[--this.#start] = record;
  }

  /** Takes the first out; there has to be one. */
  shift(): AssociationRecord {
    const record = this.#records[this.#start++]!;
    if (this.#start >= 64 && 2 * this.#start >= this.#records.length) {
      this.#records = this.#records.slice(this.#start - 1);
      this.#start = 1;
    }
    return record;
  }
}
