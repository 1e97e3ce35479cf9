import type { DataFormat } from "./data_format.ts";

/**
 * The number that the next message of each outbound stream gets: 16 bits for DATA, where only ordered messages have one
 * (RFC 9260 §6.5), 32 bits for I-DATA, where ordered and unordered ones are counted apart (RFC 8260 §2.1).
 */
export class OutboundStreams {
  #ordered: Uint16Array | Uint32Array;
  /** Undefined with DATA. */
  #unordered: Uint32Array | undefined;

  constructor(count: number, format: DataFormat) {
    this.#ordered = format.interleaved ? new Uint32Array(count) : new Uint16Array(count);
    this.#unordered = format.interleaved ? new Uint32Array(count) : undefined;
  }

  get count(): number {
    return this.#ordered.length;
  }

  /** The number of a message whose first fragment is sent now. */
  next(stream: number, unordered: boolean): number {
    if (!unordered) return this.#ordered[stream]!++; // wraps by itself
    return this.#unordered === undefined ? 0 : this.#unordered[stream]!++;
  }

  /** Whether no message of these streams has had a number; none given = of all of them. */
  areFresh(streams: readonly number[]): boolean {
    const fresh = (stream: number): boolean =>
      this.#ordered[stream] === 0 && (this.#unordered === undefined || this.#unordered[stream] === 0);
    for (let stream = 0; streams.length === 0 && stream < this.count; stream++) {
      if (!fresh(stream)) return false;
    }
    return streams.every(fresh);
  }

  /** The streams begin anew at 0 (RFC 6525 §5.2.2, RFC 8260 §2.3.2); none given = all of them. */
  reset(streams: readonly number[]): void {
    if (streams.length === 0) {
      this.#ordered.fill(0);
      this.#unordered?.fill(0);
    }
    for (const stream of streams) {
      this.#ordered[stream] = 0;
      if (this.#unordered !== undefined) this.#unordered[stream] = 0;
    }
  }

  /** There are more streams now, or fewer if the peer has not granted them. */
  resize(count: number): void {
    const grow = <Numbers extends Uint16Array | Uint32Array>(from: Numbers, to: Numbers): Numbers => {
      to.set(from.subarray(0, count));
      return to;
    };
    this.#ordered = this.#ordered instanceof Uint16Array
      ? grow(this.#ordered, new Uint16Array(count))
      : grow(this.#ordered, new Uint32Array(count));
    if (this.#unordered !== undefined) this.#unordered = grow(this.#unordered, new Uint32Array(count));
  }
}
