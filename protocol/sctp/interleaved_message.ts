import { DataFlag } from "./data_chunk.ts";
import { DataOutcome } from "./data_outcome.ts";

/**
 * A message that is being put together from I-DATA chunks, which come in any order (RFC 8260 §2.2.3). What has come from
 * the first fragment on without a break is in one buffer, the rest waits piece by piece.
 */
export class InterleavedMessage {
  /** TSN of the first fragment, once that has come. */
  tsn = 0;
  ppid = 0;
  /** Octets of all fragments that have come. */
  octets = 0;
  /** Fragments that wait for one before them. */
  readonly pieces: Map<number, Uint8Array> = new Map<number, Uint8Array>();
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** The fragment that is needed next. */
  #next = 0;
  /** The last fragment; -1 = it is not known. */
  #last = -1;
  /** The highest fragment that has come. */
  #highest = 0;

  /** Whether all of it has come. */
  get whole(): boolean {
    return this.#last >= 0 && this.#next > this.#last;
  }

  /**
   * Takes a fragment: the octets from `from` to `to` of `source`.
   *
   * @param ppid payload protocol identifier of the first fragment, fragment sequence number of every other one
   * @returns 0, or {@linkcode DataOutcome} violation
   */
  add(source: Uint8Array, from: number, to: number, tsn: number, ppid: number, flags: number): number {
    const begins = (flags & DataFlag.begin) !== 0;
    const fragment = begins ? 0 : ppid;
    if (!this.#fits(fragment, begins, (flags & DataFlag.end) !== 0)) return DataOutcome.violation;
    if (begins) {
      this.tsn = tsn;
      this.ppid = ppid;
    }
    this.#highest = Math.max(this.#highest, fragment);
    this.octets += to - from;
    if (fragment !== this.#next) {
      this.pieces.set(fragment, source.slice(from, to));
      return 0;
    }
    this.#append(source, from, to);
    for (let piece = this.pieces.get(this.#next); piece !== undefined; piece = this.pieces.get(this.#next)) {
      this.pieces.delete(this.#next);
      this.#append(piece, 0, piece.length);
    }
    return 0;
  }

  /** Whether a fragment is a new one, and agrees with what has come on where the message ends. */
  #fits(fragment: number, begins: boolean, ends: boolean): boolean {
    if (fragment < this.#next || this.pieces.has(fragment) || (fragment === 0) !== begins) return false;
    if (this.#last >= 0) return !ends && fragment < this.#last;
    if (!ends) return true;
    this.#last = fragment;
    return fragment >= this.#highest;
  }

  #append(source: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(2 * this.#buffer.length, length));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(source.subarray(from, to), this.#length);
    this.#length = length;
    this.#next++;
  }

  /** The whole message. */
  finish(): Uint8Array {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length);
  }
}
