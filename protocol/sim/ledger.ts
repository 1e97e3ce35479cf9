import type { MessageReceived, Ppid, SendFailed } from "../net.ts";
import { assert, InvariantError } from "../wire/assert.ts";

interface MessageRecord {
  readonly serial: number;
  readonly stream: number;
  readonly unordered: boolean;
  readonly length: number;
  delivered: boolean;
  failed: boolean;
  /** It was given up on purpose; what was sent of it may have arrived all the same. */
  abandoned: boolean;
}

/** How the sender's side of an association ended. */
export type LedgerEnd =
  /** Gracefully: everything that was transmitted has been acknowledged. */
  | "shutdown"
  /** In another way: what was not delivered has been reported. */
  | "broken"
  /** The sender's host is gone; nobody is left who could report. */
  | "crashed";

/** Length of the serial number at the head of a message, as far as the message has room for it. */
const SERIAL_OCTETS = 4;

/**
 * The books of one direction of one association: every message is delivered exactly once, unchanged and in the order
 * of its stream, or its loss is reported. One that is missing in the order of its stream was reported before. Messages are made here and recognised here.
 *
 * @example A message that comes twice
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const ledger = new DeliveryLedger(1);
 * const data = ledger.compose(0, false, 100);
 * const event = { type: "message", association: 1, stream: 0, ssn: 0, tsn: 1, ppid: 1, unordered: false, data } as const;
 * ledger.delivered(event);
 * assert.throws(() => ledger.delivered(event), /nothing is outstanding/);
 * ```
 */
export class DeliveryLedger {
  /** PPID of all messages of this direction, so that directions cannot be mixed up. */
  readonly ppid: Ppid;
  readonly #records: MessageRecord[] = [];
  /** Serials of ordered messages that are expected next, by stream. */
  readonly #ordered: Map<number, MessageRecord[]> = new Map<number, MessageRecord[]>();
  readonly #heads: Map<number, number> = new Map<number, number>();
  /** Unordered messages that are outstanding. */
  readonly #unordered: Set<MessageRecord> = new Set<MessageRecord>();
  /** Failures of messages without a serial number, by what they look like. */
  readonly #shortFailures: Map<string, { sent: number; unsent: number }> = new Map<
    string,
    { sent: number; unsent: number }
  >();
  #deliveredCount = 0;
  #failedCount = 0;

  constructor(ppid: Ppid) {
    this.ppid = ppid;
  }

  /** How many messages have been handed over for sending. */
  get sentCount(): number {
    return this.#records.length;
  }

  /** How many have arrived. */
  get deliveredCount(): number {
    return this.#deliveredCount;
  }

  /** How many have been reported as failed. */
  get failedCount(): number {
    return this.#failedCount;
  }

  /** Makes the next message and expects it from now on. */
  compose(stream: number, unordered: boolean, length: number): Uint8Array {
    const record = {
      serial: this.#records.length,
      stream,
      unordered,
      length,
      delivered: false,
      failed: false,
      abandoned: false,
    };
    this.#records.push(record);
    if (unordered) {
      this.#unordered.add(record);
    } else {
      const queue = this.#ordered.get(stream);
      if (queue === undefined) this.#ordered.set(stream, [record]);
      else queue.push(record);
    }
    return content(record.serial, length);
  }

  /** Checks a message that arrived. */
  delivered(event: MessageReceived): void {
    assert(event.ppid === this.ppid, "a message keeps its PPID and its direction");
    const record = event.unordered ? this.#takeUnordered(event) : this.#takeOrdered(event);
    assert(!record.delivered, `message ${record.serial} is delivered once`);
    record.delivered = true;
    this.#deliveredCount++;
  }

  /** Checks the report that a message was not (surely) delivered. */
  failed(event: SendFailed): void {
    assert(event.ppid === this.ppid, "a failed message keeps its PPID and its direction");
    this.#failedCount++;
    if (event.data.length < SERIAL_OCTETS) return this.#noteLikeness(event);
    const record = this.#records[serialOf(event.data)];
    assert(
      record !== undefined && record.stream === event.stream && isContent(event.data, record),
      "a failed message is one that was sent",
    );
    assert(!record.failed, `message ${record.serial} fails once`);
    assert(
      event.sent || !record.delivered,
      `message ${record.serial} was delivered though it was never sent`,
    );
    record.failed = true;
    record.abandoned = event.failure === "abandoned";
  }

  /** Closes the books. */
  finish(end: LedgerEnd): void {
    const short = new Map<string, { all: number; delivered: number }>();
    for (const record of this.#records) {
      if (record.length < SERIAL_OCTETS) {
        count(short, likeness(record.stream, content(record.serial, record.length)), record.delivered);
        continue;
      }
      const name = `message ${record.serial} (${record.length} octets, stream ${record.stream})`;
      assert(
        record.delivered || record.failed || end === "crashed",
        `${name} is neither delivered nor reported`,
      );
      if (end === "shutdown") {
        assert(
          !(record.delivered && record.failed) || record.abandoned,
          `${name} was delivered, but reported after a graceful end`,
        );
      }
    }
    for (const [key, failures] of this.#shortFailures) {
      const { all, delivered } = short.get(key) ?? { all: 0, delivered: 0 };
      assert(failures.sent + failures.unsent <= all, `as many messages like ${key} as failed were sent`);
      assert(failures.unsent <= all - delivered, `no message like ${key} was delivered that was never sent`);
      assert(end !== "shutdown" || delivered + failures.unsent <= all, `a graceful end of ${key}`);
    }
    for (const [key, { all, delivered }] of short) {
      const { sent, unsent } = this.#shortFailures.get(key) ?? { sent: 0, unsent: 0 };
      assert(
        delivered + sent + unsent >= all || end === "crashed",
        `${key} is neither delivered nor reported`,
      );
    }
  }

  /** Messages too short for a serial number have likenesses: only their numbers can be checked. */
  #noteLikeness(event: SendFailed): void {
    const key = likeness(event.stream, event.data);
    const failures = this.#shortFailures.get(key) ?? { sent: 0, unsent: 0 };
    this.#shortFailures.set(key, failures);
    if (event.sent) failures.sent++;
    else failures.unsent++;
  }

  #mayHaveFailed(record: MessageRecord): boolean {
    return record.length < SERIAL_OCTETS
      ? this.#shortFailures.has(likeness(record.stream, content(record.serial, record.length)))
      : record.failed;
  }

  #takeOrdered(event: MessageReceived): MessageRecord {
    const queue = this.#ordered.get(event.stream) ?? [];
    let head = this.#heads.get(event.stream) ?? 0;
    // What was reported as failed is not expected any more: it belonged to an association that has ended.
    for (let next = queue[head]; next !== undefined; next = queue[++head]) {
      if (isContent(event.data, next) || !this.#mayHaveFailed(next)) break;
    }
    const record = queue[head];
    assert(record !== undefined, `nothing is outstanding on stream ${event.stream}`);
    assert(
      isContent(event.data, record),
      `stream ${event.stream} delivers message ${record.serial} of ${record.length} octets, ` +
        `not ${event.data.length} octets of ${
          event.data.length >= SERIAL_OCTETS ? serialOf(event.data) : "another"
        }`,
    );
    this.#heads.set(event.stream, head + 1);
    return record;
  }

  #takeUnordered(event: MessageReceived): MessageRecord {
    for (const record of this.#unordered) {
      if (record.stream !== event.stream || !isContent(event.data, record)) continue;
      this.#unordered.delete(record);
      return record;
    }
    throw new InvariantError(`an unordered message on stream ${event.stream} that is not outstanding`);
  }
}

function likeness(stream: number, data: Uint8Array): string {
  return `message ${data.toHex()} on stream ${stream}`;
}

function count(
  counts: Map<string, { all: number; delivered: number }>,
  key: string,
  delivered: boolean,
): void {
  const entry = counts.get(key) ?? { all: 0, delivered: 0 };
  counts.set(key, entry);
  entry.all++;
  if (delivered) entry.delivered++;
}

function content(serial: number, length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = octetAt(serial, i);
  return data;
}

function octetAt(serial: number, index: number): number {
  if (index < SERIAL_OCTETS) return serial >>> 8 * index & 0xff;
  return Math.imul(serial + 1, 0x9e3779b1) + Math.imul(index, 0x85ebca6b) >>> 24;
}

function serialOf(data: Uint8Array): number {
  return (data[0]! | data[1]! << 8 | data[2]! << 16 | data[3]! << 24) >>> 0;
}

function isContent(data: Uint8Array, record: MessageRecord): boolean {
  if (data.length !== record.length) return false;
  for (let i = 0; i < data.length; i++) if (data[i] !== octetAt(record.serial, i)) return false;
  return true;
}
