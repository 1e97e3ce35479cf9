import type { Instant, Ppid } from "../net.ts";
import { assert } from "../wire/assert.ts";
import { tsnAdd } from "./serial.ts";

/** A user message on its way out. Its fragments refer to `data` by offset and length. */
export interface OutboundMessage {
  readonly data: Uint8Array;
  readonly ppid: Ppid;
  readonly stream: number;
  readonly unordered: boolean;
  readonly immediate: boolean;
  /** Stream sequence number, given with the first fragment. */
  ssn: number;
  /** Octets that have become chunks. */
  taken: number;
}

/** What has become of a DATA chunk. */
export const ChunkState = {
  /** No chunk, or acknowledged cumulatively. */
  free: 0,
  /** In flight. */
  sent: 1,
  /** Acknowledged by a gap ack block: the peer may still take it back (RFC 9260 §6.2.1 D iv). */
  gapAcked: 2,
  /** Lost, waits for retransmission. */
  marked: 3,
} as const;

const INITIAL_CAPACITY = 64;

/**
 * The DATA chunks that have a TSN and no cumulative ack, in circular arrays indexed by TSN: finding, adding and
 * freeing one is an index, and a hundred thousand chunks a second make no garbage.
 */
export class Flight {
  /** The first TSN without cumulative ack. */
  firstTsn: number;
  /** How many TSNs, from `firstTsn` on. */
  count = 0;

  messages: (OutboundMessage | undefined)[] = new Array(INITIAL_CAPACITY).fill(undefined);
  offsets: Float64Array = new Float64Array(INITIAL_CAPACITY);
  lengths: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  flags: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  states: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** Index of the path it was last sent on. */
  paths: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** How often it was sent; stays at 255. */
  sends: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  /** Missing reports (§7.2.4). */
  misses: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  sentAt: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Slot of a TSN: `tsn & mask`. */
  mask: number = INITIAL_CAPACITY - 1;

  constructor(firstTsn: number) {
    this.firstTsn = firstTsn;
  }

  /** The TSN that the next chunk gets. */
  get nextTsn(): number {
    return tsnAdd(this.firstTsn, this.count);
  }

  /** Adds a chunk and gives its slot; the caller fills in flags, path and times. */
  add(message: OutboundMessage, offset: number, length: number): number {
    if (this.count > this.mask) this.#grow();
    const slot = this.nextTsn & this.mask;
    assert(this.states[slot] === ChunkState.free, "a new chunk takes a free slot");
    this.messages[slot] = message;
    this.offsets[slot] = offset;
    this.lengths[slot] = length;
    this.states[slot] = ChunkState.sent;
    this.sends[slot] = 0;
    this.misses[slot] = 0;
    this.count++;
    return slot;
  }

  /** Frees the first chunk. */
  removeFirst(): void {
    const slot = this.firstTsn & this.mask;
    this.states[slot] = ChunkState.free;
    this.messages[slot] = undefined;
    this.firstTsn = tsnAdd(this.firstTsn, 1);
    this.count--;
  }

  /** Notes that the chunk in a slot was sent. */
  noteSent(slot: number, pathIndex: number, now: Instant): void {
    this.states[slot] = ChunkState.sent;
    this.paths[slot] = pathIndex;
    this.sentAt[slot] = now;
    this.misses[slot] = 0;
    const sends = this.sends[slot]!;
    if (sends < 255) this.sends[slot] = sends + 1;
  }

  #grow(): void {
    const oldMask = this.mask, capacity = 2 * (oldMask + 1), mask = capacity - 1;
    const move = <Column extends Float64Array | Uint16Array | Uint8Array>(
      from: Column,
      to: Column,
    ): Column => {
      for (let i = 0; i < this.count; i++) {
        const tsn = this.firstTsn + i;
        to[tsn & mask] = from[tsn & oldMask]!;
      }
      return to;
    };
    const messages: (OutboundMessage | undefined)[] = new Array(capacity).fill(undefined);
    for (let i = 0; i < this.count; i++) {
      const tsn = this.firstTsn + i;
      messages[tsn & mask] = this.messages[tsn & oldMask];
    }
    this.messages = messages;
    this.offsets = move(this.offsets, new Float64Array(capacity));
    this.lengths = move(this.lengths, new Uint16Array(capacity));
    this.flags = move(this.flags, new Uint8Array(capacity));
    this.states = move(this.states, new Uint8Array(capacity));
    this.paths = move(this.paths, new Uint8Array(capacity));
    this.sends = move(this.sends, new Uint8Array(capacity));
    this.misses = move(this.misses, new Uint8Array(capacity));
    this.sentAt = move(this.sentAt, new Float64Array(capacity));
    this.mask = mask;
  }
}
