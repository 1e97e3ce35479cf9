/**
 * Copies of messages whose sender has only lent their octets, in buffers that are used again when the peer has
 * acknowledged them: to allocate one for each message takes longer than the copy, and keeps the collector busy.
 */

/** Buffers come in multiples of this. */
const STEP_OCTETS = 2048;

/** A longer message has a buffer that is not used again: such are few. */
const LONGEST_POOLED = 32_768;

/** Octets of free buffers that are kept: what a few busy associations have on their way. */
const MOST_FREE_OCTETS = 8 * 1024 * 1024;

const NO_OCTETS = new Uint8Array();

/** The copies of one stack, and its free buffers. */
export class LentOctets {
  /** By their length. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeOctets = 0;

  /** A copy of both in one piece, which {@linkcode giveBack} may take when nobody needs it any more. */
  keep(data: Uint8Array, head: Uint8Array = NO_OCTETS): Uint8Array {
    const length = head.length + data.length;
    const capacity = Math.ceil(length / STEP_OCTETS) * STEP_OCTETS;
    const reused = this.#free.get(capacity)?.pop();
    if (reused !== undefined) this.#freeOctets -= capacity;
    const copy = new Uint8Array(reused ?? new ArrayBuffer(capacity), 0, length);
    copy.set(head);
    copy.set(data, head.length);
    return copy;
  }

  /** The copy has done its service: its octets are another message's from now on. */
  giveBack({ buffer }: Uint8Array): void {
    const capacity = buffer.byteLength;
    if (!(buffer instanceof ArrayBuffer) || capacity > LONGEST_POOLED) return;
    if (this.#freeOctets + capacity > MOST_FREE_OCTETS) return;
    this.#freeOctets += capacity;
    const buffers = this.#free.get(capacity);
    if (buffers === undefined) this.#free.set(capacity, [buffer]);
    else buffers.push(buffer);
  }
}
