import { ChunkType } from "./chunk.ts";
import { HeldState } from "./held_chunks.ts";
import type { HeldChunks } from "./held_chunks.ts";
import { MAX_DUPLICATES } from "./limits.ts";
import { SACK_HEADER_OCTETS, SACK_ITEM_OCTETS } from "./sack_chunk.ts";

/** What a SACK has to say (RFC 9260 §6.2): gap ack blocks, and duplicates since the last one. */
export class SackReport {
  readonly #held: HeldChunks;
  /** TSNs. */
  readonly #duplicates: number[] = [];

  constructor(held: HeldChunks) {
    this.#held = held;
  }

  /** A TSN has come once more. */
  duplicate(tsn: number): void {
    if (this.#duplicates.length < MAX_DUPLICATES) this.#duplicates.push(tsn);
  }

  /** Octets of a SACK with up to `room` octets; fewer blocks are reported when they do not fit. */
  octets(cumulative: number, room: number): number {
    if (this.#held.count === 0 && this.#duplicates.length === 0) return SACK_HEADER_OCTETS;
    const items = this.#writeGaps(undefined, 0, Infinity, cumulative) + this.#duplicates.length;
    return Math.min(SACK_HEADER_OCTETS + items * SACK_ITEM_OCTETS, room & ~3);
  }

  /** Writes a SACK at a place of a packet. Duplicates are reported once. */
  write(view: DataView, position: number, octets: number, cumulative: number, window: number): void {
    view.setUint32(position, ChunkType.sack << 24 | octets);
    view.setUint32(position + 4, cumulative);
    view.setUint32(position + 8, window);
    const room = (octets - SACK_HEADER_OCTETS) / SACK_ITEM_OCTETS;
    const gaps = this.#writeGaps(view, position + SACK_HEADER_OCTETS, room, cumulative);
    const duplicates = Math.min(this.#duplicates.length, room - gaps);
    view.setUint16(position + 12, gaps);
    view.setUint16(position + 14, duplicates);
    let at = position + SACK_HEADER_OCTETS + gaps * SACK_ITEM_OCTETS;
    for (let i = 0; i < duplicates; i++, at += SACK_ITEM_OCTETS) view.setUint32(at, this.#duplicates[i]!);
    if (this.#duplicates.length > 0) this.#duplicates.length = 0;
  }

  /** @returns how many blocks there are, `room` at most */
  #writeGaps(view: DataView | undefined, at: number, room: number, cumulative: number): number {
    const held = this.#held;
    let left = held.count, blocks = 0;
    for (let offset = 1; left > 0 && blocks < room; offset++) {
      if (held.states[(cumulative + offset) & held.mask] === HeldState.missing) continue;
      const start = offset;
      while (left > 0 && held.states[(cumulative + offset) & held.mask] !== HeldState.missing) {
        offset++;
        left--;
      }
      if (view !== undefined) {
        view.setUint16(at, start);
        view.setUint16(at + 2, offset - 1);
        at += SACK_ITEM_OCTETS;
      }
      blocks++;
    }
    return blocks;
  }
}
