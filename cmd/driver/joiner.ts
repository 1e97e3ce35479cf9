/** Pieces put together, to be written at once: one write of many octets costs less than many of few. */

/** Puts pieces together in a buffer of its own, again and again: garbage of this size keeps the collector busy. */
export class Joiner {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array();

  /**
   * Puts pieces together.
   *
   * @returns the first piece, where there is no other; else a part of the buffer, good until the next call
   */
  join(pieces: readonly Uint8Array[]): Uint8Array {
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) return first;
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      this.#buffer.set(piece, at);
      at += piece.length;
    }
    return this.#buffer.subarray(0, length);
  }
}
