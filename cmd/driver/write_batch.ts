/** Octets that are written together: one write of many octets costs less than many of few. */
import { writeAll } from "./write_all.ts";

/** Octets that are written at once, at most. */
const BLOCK_OCTETS = 1 << 20;

/**
 * Collects octets in memory of its own, which is used again and again: the pieces are their owner's at once, and garbage
 * of this size would keep the collector busy.
 */
export class WriteBatch {
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  /** Octets that it holds. */
  get length(): number {
    return this.#length;
  }

  /** Appends octets, which are copied. */
  add(octets: Uint8Array): void {
    for (let from = 0; from < octets.length;) {
      const block = this.#blocks[Math.floor(this.#length / BLOCK_OCTETS)] ?? this.#addBlock();
      const at = this.#length % BLOCK_OCTETS;
      const piece = octets.subarray(from, from + BLOCK_OCTETS - at);
      block.set(piece, at);
      from += piece.length;
      this.#length += piece.length;
    }
  }

  /** Writes all that it holds. Nothing may be added meanwhile. */
  async writeTo(file: Deno.FsFile): Promise<void> {
    for (let from = 0; from < this.#length; from += BLOCK_OCTETS) {
      const block = this.#blocks[from / BLOCK_OCTETS]!;
      await writeAll(file, block.subarray(0, Math.min(BLOCK_OCTETS, this.#length - from)));
    }
  }

  /** Holds nothing any more. */
  clear(): void {
    this.#length = 0;
  }

  #addBlock(): Uint8Array<ArrayBuffer> {
    const block = new Uint8Array(BLOCK_OCTETS);
    this.#blocks.push(block);
    return block;
  }
}
