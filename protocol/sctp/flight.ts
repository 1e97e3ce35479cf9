import type { Instant } from "../net.ts";
import { assert } from "../wire/assert.ts";
import type { LentOctets } from "./lent_octets.ts";
import type { OutboundMessage } from "./outbound_message.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";
import { tsnAdd, tsnDifference } from "./serial.ts";

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
  /** Given up: it waits for the peer to pass over it (RFC 3758 §3.5). */
  abandoned: 4,
} as const;

/** Enough for an association that sends now and then; one that never sends has no arrays at all. */
const INITIAL_CAPACITY = 16;

const NO_OCTETS = new Uint8Array(0), NO_SHORTS = new Uint16Array(0), NO_WORDS = new Uint32Array(0);
const NO_TIMES = new Float64Array(0);

/**
 * The DATA chunks that have a TSN and no cumulative ack, in circular arrays indexed by TSN: finding, adding and
 * freeing one is an index, and a hundred thousand chunks a second make no garbage.
 *
 *                 ┌──────── peer dropped it ────────┐
 *                 ↓                                 │
 *     add ──→   sent ──── gap ack block ───────→ gapAcked
 *              │   ↑                                ↑
 *         lost │   │ sent again                     │ late gap ack block
 *              ↓   │                                │
 *              marked ──────────────────────────────┘      every state but free: abandon ──→ abandoned
 *
 * With each change of state the sums change that congestion control and flow control stand on: user data for the peer's
 * window, whole chunks for each path's cwnd.
 */
export class Flight {
  /** The first TSN without cumulative ack. */
  firstTsn: number;
  /** How many TSNs, from `firstTsn` on. */
  count = 0;
  /** Octets of user data of chunks in state "sent". */
  octets = 0;
  /** Octets of user data of all chunks that were not abandoned. */
  unacknowledgedOctets = 0;
  markedCount = 0;
  gapAckedCount = 0;

  messages: (OutboundMessage | undefined)[] = [];
  offsets: Uint32Array = NO_WORDS;
  lengths: Uint16Array = NO_SHORTS;
  flags: Uint8Array = NO_OCTETS;
  /** Which fragment of its message it is, from 0. */
  fragments: Uint32Array = NO_WORDS;
  states: Uint8Array = NO_OCTETS;
  /** Index of the path it was last sent on. */
  paths: Uint8Array = NO_OCTETS;
  /** 1 = it was sent on more than one path, so its acknowledgement says nothing of either (RFC 7829 §3.2, 9). */
  scattered: Uint8Array = NO_OCTETS;
  /** Where it ended in the packet that it was last sent in: the packet was no shorter. */
  ends: Uint16Array = NO_SHORTS;
  /** How often it was sent; stays at 65535. */
  sends: Uint16Array = NO_SHORTS;
  /** Missing reports (§7.2.4). */
  misses: Uint8Array = NO_OCTETS;
  sentAt: Float64Array = NO_TIMES;
  /** Slot of a TSN: `tsn & mask`. */
  mask = -1;

  readonly #pathSet: PathSet;
  readonly #headerOctets: number;
  readonly #lentOctets: LentOctets;
  /** No chunk before this TSN is marked. */
  #markHint: number;

  constructor(firstTsn: number, paths: PathSet, headerOctets: number, lentOctets: LentOctets) {
    this.firstTsn = firstTsn;
    this.#markHint = firstTsn;
    this.#pathSet = paths;
    this.#headerOctets = headerOctets;
    this.#lentOctets = lentOctets;
  }

  /** The TSN that the next chunk gets. */
  get nextTsn(): number {
    return tsnAdd(this.firstTsn, this.count);
  }

  /** Octets of a chunk with its header and padding. */
  chunkOctets(length: number): number {
    return this.#headerOctets + length + 3 & ~3;
  }

  /** The TSNs go on from another one (RFC 6525 §5.2.7 H5); nothing may be in flight. */
  restart(nextTsn: number): void {
    assert(this.count === 0, "TSNs begin anew when all are acknowledged");
    this.firstTsn = this.#markHint = nextTsn;
  }

  /** The path that the chunk in a slot was last sent on. */
  pathOf(slot: number): Path {
    return this.#pathSet.list[this.paths[slot]!]!;
  }

  /** Adds a chunk and gives its slot; the caller fills in its flags, and says with `noteSent` when it goes. */
  add(message: OutboundMessage, offset: number, length: number): number {
    if (this.count > this.mask) this.#grow();
    const tsn = this.nextTsn;
    const slot = tsn & this.mask;
    assert(this.states[slot] === ChunkState.free, "a new chunk takes a free slot");
    this.messages[slot] = message;
    this.offsets[slot] = offset;
    this.lengths[slot] = length;
    this.fragments[slot] = message.fragments++;
    if (offset === 0) message.firstTsn = tsn;
    message.lastTsn = tsn;
    this.states[slot] = ChunkState.sent;
    this.sends[slot] = 0;
    this.scattered[slot] = 0;
    this.unacknowledgedOctets += length;
    this.count++;
    return slot;
  }

  /** Frees the first chunk, whose acknowledgement has been accounted for. */
  removeFirst(): void {
    const slot = this.firstTsn & this.mask;
    if (this.states[slot] !== ChunkState.abandoned) this.unacknowledgedOctets -= this.lengths[slot]!;
    this.states[slot] = ChunkState.free;
    const message = this.messages[slot];
    if (message?.lent === true && isOver(message, this.firstTsn)) this.#lentOctets.giveBack(message.data);
    this.messages[slot] = undefined;
    this.firstTsn = tsnAdd(this.firstTsn, 1);
    this.count--;
    if (tsnDifference(this.#markHint, this.firstTsn) < 0) this.#markHint = this.firstTsn;
  }

  /** The chunk in a slot is sent on a path: for the first time, or again after it was marked. */
  noteSent(slot: number, path: Path, now: Instant): void {
    if (this.states[slot] === ChunkState.marked) this.markedCount--;
    const sends = this.sends[slot]!;
    if (sends > 0 && this.paths[slot] !== path.index) this.scattered[slot] = 1;
    this.states[slot] = ChunkState.sent;
    this.paths[slot] = path.index;
    this.sentAt[slot] = now;
    this.misses[slot] = 0;
    if (sends < 65_535) this.sends[slot] = sends + 1;
    const length = this.lengths[slot]!;
    path.flight += this.chunkOctets(length);
    this.octets += length;
  }

  /** A chunk was found lost: it waits to be sent again. */
  mark(tsn: number): void {
    const slot = tsn & this.mask;
    this.#land(tsn, slot);
    this.states[slot] = ChunkState.marked;
    this.markedCount++;
    if (tsnDifference(tsn, this.#markHint) < 0) this.#markHint = tsn;
  }

  /** All that is in flight on a path was found lost. */
  markPath(path: Path): void {
    for (let offset = 0; offset < this.count; offset++) {
      const tsn = tsnAdd(this.firstTsn, offset);
      const slot = tsn & this.mask;
      if (this.states[slot] === ChunkState.sent && this.paths[slot] === path.index) this.mark(tsn);
    }
    path.t3At = Infinity;
  }

  /** A path is about to be removed from the list, and those behind it move up: its chunks are lost, and its heir's. */
  movePath(path: Path, heir: Path): void {
    this.markPath(path);
    for (let offset = 0; offset < this.count; offset++) {
      const slot = (this.firstTsn + offset) & this.mask;
      const index = this.paths[slot] === path.index ? heir.index : this.paths[slot]!;
      this.paths[slot] = index > path.index ? index - 1 : index;
    }
  }

  /** The first TSN that is marked; there must be one. */
  firstMarked(): number {
    let tsn = this.#markHint;
    while (this.states[tsn & this.mask] !== ChunkState.marked) tsn = tsnAdd(tsn, 1);
    this.#markHint = tsn;
    return tsn;
  }

  /** A chunk that was acknowledged by a gap ack block counts as sent again (§6.2.1 D iv). */
  takeBack(slot: number): void {
    const length = this.lengths[slot]!;
    this.states[slot] = ChunkState.sent;
    this.gapAckedCount--;
    this.pathOf(slot).flight += this.chunkOctets(length);
    this.octets += length;
  }

  /** A chunk is given up, whatever its state. */
  abandon(tsn: number): void {
    const slot = tsn & this.mask;
    const state = this.states[slot];
    if (state === ChunkState.sent) this.#land(tsn, slot);
    else if (state === ChunkState.marked) this.markedCount--;
    else if (state === ChunkState.gapAcked) this.gapAckedCount--;
    this.states[slot] = ChunkState.abandoned;
    this.unacknowledgedOctets -= this.lengths[slot]!;
  }

  /**
   * Uses up a TSN for the rest of a message that will never be sent. When all that was sent of it is acknowledged, there
   * would be no TSN left to tell the peer that it must not wait for more.
   */
  addAbandoned(message: OutboundMessage): void {
    const slot = this.add(message, message.taken, 0);
    this.flags[slot] = 0;
    this.paths[slot] = 0;
    this.states[slot] = ChunkState.abandoned;
  }

  /** A chunk in state "sent" is in flight no longer. */
  #land(tsn: number, slot: number): void {
    const length = this.lengths[slot]!;
    const path = this.pathOf(slot);
    path.flight -= this.chunkOctets(length);
    this.octets -= length;
    if (path.timing && path.timedTsn === tsn) path.timing = false;
  }

  #grow(): void {
    const oldMask = this.mask, capacity = Math.max(INITIAL_CAPACITY, 2 * (oldMask + 1)), mask = capacity - 1;
    const move = <Column extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(
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
    this.offsets = move(this.offsets, new Uint32Array(capacity));
    this.lengths = move(this.lengths, new Uint16Array(capacity));
    this.flags = move(this.flags, new Uint8Array(capacity));
    this.fragments = move(this.fragments, new Uint32Array(capacity));
    this.states = move(this.states, new Uint8Array(capacity));
    this.paths = move(this.paths, new Uint8Array(capacity));
    this.scattered = move(this.scattered, new Uint8Array(capacity));
    this.ends = move(this.ends, new Uint16Array(capacity));
    this.sends = move(this.sends, new Uint16Array(capacity));
    this.misses = move(this.misses, new Uint8Array(capacity));
    this.sentAt = move(this.sentAt, new Float64Array(capacity));
    this.mask = mask;
  }

  /** @throws {InvariantError} when the sums do not agree with the chunks */
  checkInvariants(): void {
    const perPath = this.#pathSet.list.map(() => 0);
    let octets = 0, marked = 0, gapAcked = 0, unacknowledged = 0;
    for (let offset = 0; offset < this.count; offset++) {
      const slot = (this.firstTsn + offset) & this.mask;
      const length = this.lengths[slot]!, state = this.states[slot];
      if (state !== ChunkState.abandoned) unacknowledged += length;
      if (state === ChunkState.sent) {
        octets += length;
        perPath[this.paths[slot]!]! += this.chunkOctets(length);
      } else if (state === ChunkState.marked) marked++;
      else if (state === ChunkState.gapAcked) gapAcked++;
      else assert(state === ChunkState.abandoned, "every chunk in flight has a state");
    }
    assert(octets === this.octets, "flight is the sum of what is sent");
    assert(unacknowledged === this.unacknowledgedOctets, "what is not acknowledged is the sum of the chunks");
    assert(marked === this.markedCount, "the marked chunks are counted");
    assert(gapAcked === this.gapAckedCount, "the gap-acked chunks are counted");
    this.#pathSet.list.forEach((path, i) => {
      assert(path.flight === perPath[i], "the flight of a path is the sum of what was sent there");
    });
  }
}

/** Whether nothing of a message is needed any more when this TSN is acknowledged. */
function isOver({ lastTsn, taken, data, abandoned }: OutboundMessage, tsn: number): boolean {
  return tsn === lastTsn && taken === data.length && !abandoned; // one that was given up goes back to the user
}
