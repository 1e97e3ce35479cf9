/** Reads a file in blocks, each before it is asked for: who asks for one has it at once, and the disk works meanwhile. */

/** Reads the octets at a place of a file, as many as there are room for or fewer. Gives how many; 0 = the end. */
export type BlockReader = (into: Uint8Array<ArrayBuffer>, position: number) => Promise<number>;

/** A block that is being read, or was. */
interface Block {
  readonly position: number;
  readonly octets: Promise<Uint8Array>;
}

/** Reads a file from its beginning to its end, or from another place when it is told so. One read at a time. */
export class ReadAhead {
  readonly #read: BlockReader;
  /** One is in the hands of who asked last, the other is read into. */
  #buffers: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] = [new Uint8Array(), new Uint8Array()];
  #next: Block | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param read reads a block; never called again before it has resolved */
  constructor(read: BlockReader) {
    this.#read = read;
  }

  /**
   * The octets at a place; what comes behind them is read from now on.
   *
   * @param position where; any place, but what was read ahead is of use only where the last octets ended
   * @param maxBytes at most so many; where it is less than the last time, what was read ahead goes in parts
   * @returns none = the end. They are good until the next call.
   * @throws what the reader throws
   */
  at(position: number, maxBytes: number): Promise<Uint8Array> {
    const taken = this.#tail.then(() => this.#take(position, maxBytes));
    this.#tail = taken.catch(() => {}); // told to the caller
    return taken;
  }

  /** Reads nothing more, and waits for what is being read. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
    await this.#next?.octets.catch(() => {});
  }

  async #take(position: number, maxBytes: number): Promise<Uint8Array> {
    let next = this.#next;
    if (next !== undefined && next.position !== position) {
      await next.octets.catch(() => {}); // in vain: the reader does one thing at a time
      next = undefined;
    }
    this.#next = undefined;
    const octets = await (next ?? this.#begin(position, maxBytes)).octets;
    if (octets.length > maxBytes) {
      this.#next = { position: position + maxBytes, octets: Promise.resolve(octets.subarray(maxBytes)) };
      return octets.subarray(0, maxBytes);
    }
    if (octets.length > 0 && !this.#closed) this.#next = this.#begin(position + octets.length, maxBytes);
    return octets;
  }

  #begin(position: number, maxBytes: number): Block {
    const [given, free] = this.#buffers;
    const into = free.length === maxBytes ? free : new Uint8Array(maxBytes);
    this.#buffers = [into, given];
    const octets = this.#read(into, position).then((length) => into.subarray(0, length));
    octets.catch(() => {}); // told to who asks for it
    return { position, octets };
  }
}
