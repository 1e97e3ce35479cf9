import { ChunkType } from "./chunk.ts";
import { MAX_CONTROL_CHUNKS } from "./limits.ts";
import type { Path, Target } from "./path.ts";

/** A control chunk on its way out. */
export interface ControlChunk {
  /** Whole chunk with padding. */
  readonly chunk: Uint8Array;
  readonly target: Target;
}

/** Control chunks that wait for the next packets, oldest first. */
export class ControlQueue {
  readonly #chunks: ControlChunk[] = [];

  get length(): number {
    return this.#chunks.length;
  }

  /** The chunk that is next. */
  get first(): ControlChunk | undefined {
    return this.#chunks[0];
  }

  /** @returns false when the queue is full and the chunk was dropped */
  push(chunk: Uint8Array, target: Target): boolean {
    if (this.#chunks.length >= MAX_CONTROL_CHUNKS) return false;
    this.#chunks.push({ chunk, target });
    return true;
  }

  shift(): void {
    this.#chunks.shift();
  }

  /** Drops the chunks of a type, since a later one takes their place. */
  removeType(type: number): void {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      if (this.#chunks[i]!.chunk[0] === type) this.#chunks.splice(i, 1);
    }
  }

  /**
   * A path is gone: what was to go there goes elsewhere, but for HEARTBEATs and probes of its MTU, which were about it.
   */
  retarget(old: Path, next: Path): void {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const { chunk, target } = this.#chunks[i]!;
      if (target.address !== old.address) continue; // its lone targets have the same address
      if (chunk[0] === ChunkType.heartbeat) this.#chunks.splice(i, 1);
      else this.#chunks[i] = { chunk, target: target === old.alone ? next.alone : next };
    }
  }

  clear(): void {
    this.#chunks.length = 0;
  }
}
