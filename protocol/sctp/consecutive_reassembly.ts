/**
 * Reassembly of DATA: the fragments of a message have consecutive TSNs (RFC 9260 §6.9).
 *
 * A chunk that is next in TSN order goes through {@linkcode Assembly} to the user at once. One that comes behind a gap
 * is held; if its message is complete there, it is delivered without waiting for the gap (unordered) or for other
 * streams (ordered). A message under assembly does not count against the receive buffer: it may be longer than that, and
 * is bounded by the endpoint's `maxMessage`.
 */
import { Assembly } from "./assembly.ts";
import { DataFlag, WHOLE_MESSAGE } from "./data_chunk.ts";
import { DataOutcome } from "./data_outcome.ts";
import type { Delivery } from "./delivery.ts";
import { HeldState } from "./held_chunks.ts";
import type { HeldChunks } from "./held_chunks.ts";
import { copyForReader, lendToReader } from "./message_copy.ts";
import type { Reassembly } from "./reassembly.ts";
import { tsnAdd } from "./serial.ts";

/** Fragments with consecutive TSNs become messages. */
export class ConsecutiveReassembly implements Reassembly {
  readonly octets = 0;
  readonly #held: HeldChunks;
  readonly #delivery: Delivery;
  readonly #maxMessage: number;
  readonly #lends: boolean;
  readonly #assembly = new Assembly();
  /** The peer has given up messages, so numbers may be missing within streams. */
  #gapsInStreams = false;
  /** The last TSNs passed over may have been the head of a message of which a tail still comes. */
  #tailMayCome = false;

  constructor(
    held: HeldChunks,
    delivery: Delivery,
    limits: { readonly maxMessage: number; readonly borrowedMessages: boolean },
  ) {
    this.#held = held;
    this.#delivery = delivery;
    this.#maxMessage = limits.maxMessage;
    this.#lends = limits.borrowedMessages;
  }

  inOrder(
    source: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    ssn: number,
    ppid: number,
    flags: number,
  ): number {
    const assembly = this.#assembly;
    const unordered = (flags & DataFlag.unordered) !== 0;
    if ((flags & WHOLE_MESSAGE) === WHOLE_MESSAGE && !assembly.active) {
      this.#tailMayCome = false;
      if (to - from > this.#maxMessage) return DataOutcome.tooLong;
      const leaves = unordered || ssn === this.#delivery.streams.expected(stream);
      const hand = this.#lends && leaves ? lendToReader : copyForReader;
      return this.#complete(stream, ssn, tsn, ppid, unordered, hand(source, from, to));
    }
    if ((flags & DataFlag.begin) !== 0) {
      if (assembly.active) return DataOutcome.violation;
      this.#tailMayCome = false;
      assembly.begin(stream, ssn, tsn, ppid, unordered);
    } else if (!assembly.active) {
      return this.#tailMayCome ? 0 : DataOutcome.violation;
    } else if (!continues(assembly, stream, ssn, unordered)) {
      return DataOutcome.violation;
    }
    if (assembly.length + to - from > this.#maxMessage) return DataOutcome.tooLong;
    assembly.append(source, from, to);
    if ((flags & DataFlag.end) === 0) return 0;
    return this.#complete(stream, ssn, assembly.tsn, assembly.ppid, unordered, assembly.finish());
  }

  /** A whole message before which no TSN is missing. */
  #complete(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): number {
    if (!unordered && ssn !== this.#delivery.streams.expected(stream)) {
      // The messages before it in the stream cannot come any more. That may only be when the peer has given them up.
      if (!this.#gapsInStreams || this.#delivery.streams.ahead(stream, ssn) < 0) return DataOutcome.violation;
      this.#delivery.skip(stream, ssn - 1 & 0xffff);
    }
    return this.#delivery.complete(stream, unordered ? 0 : ssn, tsn, ppid, unordered, data);
  }

  behindGap(
    data: Uint8Array,
    tsn: number,
    stream: number,
    ssn: number,
    ppid: number,
    flags: number,
  ): number {
    this.#held.put(tsn, flags, stream, ssn, ppid, data);
    return this.#tryHeldMessage(tsn);
  }

  /** Delivers the message that a held chunk belongs to, if all of it is held. */
  #tryHeldMessage(tsn: number): number {
    const held = this.#held;
    let last = tsn, first = tsn;
    while ((held.flags[last & held.mask]! & DataFlag.end) === 0) {
      last = tsnAdd(last, 1);
      if (held.states[last & held.mask] !== HeldState.held) return 0;
    }
    while ((held.flags[first & held.mask]! & DataFlag.begin) === 0) {
      first = tsnAdd(first, -1);
      if (held.states[first & held.mask] !== HeldState.held) return 0;
    }
    const slot = first & held.mask;
    const stream = held.streams[slot]!, ssn = held.ssns[slot]!, ppid = held.ppids[slot]!;
    const unordered = (held.flags[slot]! & DataFlag.unordered) !== 0;
    let length = 0;
    const end = tsnAdd(last, 1);
    for (let part = first; part !== end; part = tsnAdd(part, 1)) {
      const at = part & held.mask;
      const same = held.streams[at] === stream && (unordered || held.ssns[at] === ssn) &&
        ((held.flags[at]! & DataFlag.unordered) !== 0) === unordered &&
        (part === first || (held.flags[at]! & DataFlag.begin) === 0);
      if (!same) return DataOutcome.violation;
      length += held.data[at]!.length;
    }
    if (length > this.#maxMessage) return DataOutcome.tooLong;
    const data = first === last ? held.data[slot]! : this.#join(first, end, length);
    for (let part = first; part !== end; part = tsnAdd(part, 1)) held.consume(part);
    return this.#delivery.complete(stream, unordered ? 0 : ssn, first, ppid, unordered, data);
  }

  #join(first: number, end: number, length: number): Uint8Array {
    const held = this.#held;
    const joined = new Uint8Array(length);
    let at = 0;
    for (let tsn = first; tsn !== end; tsn = tsnAdd(tsn, 1)) {
      const part = held.data[tsn & held.mask]!;
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  reached(tsn: number): number {
    const held = this.#held;
    const slot = tsn & held.mask;
    if (held.states[slot] !== HeldState.held) {
      held.remove(tsn);
      return this.#assembly.active ? DataOutcome.violation : 0; // a whole message within another one
    }
    const data = held.data[slot]!, flags = held.flags[slot]!;
    const stream = held.streams[slot]!, ssn = held.ssns[slot]!, ppid = held.ppids[slot]!;
    held.remove(tsn);
    return this.inOrder(data, 0, data.length, tsn, stream, ssn, ppid, flags);
  }

  forwarded(): void {
    this.#assembly.drop();
    this.#gapsInStreams = this.#tailMayCome = true;
  }

  skip(stream: number, ssn: number): void {
    this.#delivery.skip(stream, ssn);
  }

  checkInvariants(): void {}
}

function continues(assembly: Assembly, stream: number, ssn: number, unordered: boolean): boolean {
  return assembly.stream === stream && assembly.unordered === unordered &&
    (unordered || assembly.ssn === ssn);
}
