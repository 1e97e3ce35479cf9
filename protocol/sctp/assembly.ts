import { assert } from "../wire/assert.ts";

/** Between messages. */
const NO_OCTETS = new Uint8Array(0);

/**
 * The message that is being put together in TSN order. Fragments of one message have consecutive TSNs, so there is
 * never more than one.
 */
export class Assembly {
  active = false;
  stream = 0;
  ssn = 0;
  tsn = 0;
  ppid = 0;
  unordered = false;
  length = 0;
  #buffer: Uint8Array = NO_OCTETS;
  /** Length of the last message: senders tend to send messages of one size, which then need no second copy. */
  #expected = 0;

  begin(stream: number, ssn: number, tsn: number, ppid: number, unordered: boolean): void {
    assert(!this.active, "one message is assembled at a time");
    this.active = true;
    this.stream = stream;
    this.ssn = ssn;
    this.tsn = tsn;
    this.ppid = ppid;
    this.unordered = unordered;
    this.length = 0;
  }

  /** Adds the next fragment: the octets from `from` to `to` of `source`. */
  append(source: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.#buffer.length) this.#grow(length, to - from);
    this.#buffer.set(source.subarray(from, to), this.length);
    this.length = length;
  }

  /** Takes out the whole message. */
  finish(): Uint8Array {
    const whole = this.#buffer.length === this.length ? this.#buffer : this.#buffer.slice(0, this.length);
    this.#expected = this.length;
    this.drop();
    return whole;
  }

  /** Forgets the message. */
  drop(): void {
    this.active = false;
    this.length = 0;
    this.#buffer = NO_OCTETS;
  }

  #grow(length: number, fragment: number): void {
    // The first guess is the size of the last message; a wrong one costs a copy, and at most that size of memory.
    const guess = this.#buffer.length === 0 ? this.#expected : 0;
    const capacity = guess >= length ? guess : Math.max(2 * this.#buffer.length, length + 2 * fragment);
    const grown = new Uint8Array(capacity);
    if (this.length > 0) grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
  }
}
