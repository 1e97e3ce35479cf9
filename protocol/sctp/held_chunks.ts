import { MAX_IDLE_HELD_SLOTS } from "./limits.ts";

/** What is known of a TSN behind a gap. */
export const HeldState = {
  missing: 0,
  /** Received, its message is not complete yet. */
  held: 1,
  /** Received, and its message was delivered. */
  consumed: 2,
} as const;

const INITIAL_CAPACITY = 64;
/** What a slot takes in all columns. */
const SLOT_OCTETS = 18;
const EMPTY = new Uint8Array(0), NO_SHORTS = new Uint16Array(0), NO_WORDS = new Uint32Array(0);

/** The chunks received beyond the cumulative TSN, in circular arrays indexed by TSN. Made when a first one comes. */
export class HeldChunks {
  states: Uint8Array = EMPTY;
  flags: Uint8Array = EMPTY;
  data: Uint8Array[] = [];
  streams: Uint16Array = NO_SHORTS;
  ssns: Uint16Array = NO_SHORTS;
  ppids: Uint32Array = NO_WORDS;
  /** Slot of a TSN: `tsn & mask`. */
  mask = -1;
  /** Chunks in state held or consumed, and octets of those in state held. */
  count = 0;
  octets = 0;

  #capacityFor(reach: number): number {
    let capacity = Math.max(INITIAL_CAPACITY, this.mask + 1);
    while (capacity <= reach) capacity *= 2;
    return capacity;
  }

  /** Octets of the columns once there is room for TSNs up to `reach` beyond the cumulative one, whoever is in them. */
  columnOctets(reach: number): number {
    return this.#capacityFor(reach) * SLOT_OCTETS;
  }

  /**
   * Makes room for TSNs up to `reach` beyond the cumulative one.
   *
   * @param cumulative the cumulative TSN
   */
  reserve(cumulative: number, reach: number): void {
    if (reach <= this.mask) return;
    const capacity = this.#capacityFor(reach);
    const old = { ...this.#columns(), mask: this.mask };
    this.states = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.data = new Array<Uint8Array>(capacity).fill(EMPTY);
    this.streams = new Uint16Array(capacity);
    this.ssns = new Uint16Array(capacity);
    this.ppids = new Uint32Array(capacity);
    this.mask = capacity - 1;
    for (let ahead = 1; ahead <= old.mask; ahead++) {
      const tsn = cumulative + ahead;
      const from = tsn & old.mask, to = tsn & this.mask;
      this.states[to] = old.states[from]!;
      this.flags[to] = old.flags[from]!;
      this.data[to] = old.data[from]!;
      this.streams[to] = old.streams[from]!;
      this.ssns[to] = old.ssns[from]!;
      this.ppids[to] = old.ppids[from]!;
    }
  }

  /** Some TSNs were removed: long columns without a chunk go. */
  release(): void {
    if (this.count > 0 || this.mask < MAX_IDLE_HELD_SLOTS) return;
    this.states = this.flags = EMPTY;
    this.data = [];
    this.streams = this.ssns = NO_SHORTS;
    this.ppids = NO_WORDS;
    this.mask = -1;
  }

  /** Whether a TSN between the cumulative one and `mask` beyond it was received. */
  has(tsn: number): boolean {
    return this.count > 0 && this.states[tsn & this.mask] !== HeldState.missing;
  }

  /** Keeps a chunk. */
  put(tsn: number, flags: number, stream: number, ssn: number, ppid: number, data: Uint8Array): void {
    const slot = tsn & this.mask;
    this.states[slot] = HeldState.held;
    this.flags[slot] = flags;
    this.streams[slot] = stream;
    this.ssns[slot] = ssn;
    this.ppids[slot] = ppid;
    this.data[slot] = data;
    this.count++;
    this.octets += data.length;
  }

  /** Notes that a TSN was received, of which nothing is kept here. */
  putConsumed(tsn: number): void {
    this.states[tsn & this.mask] = HeldState.consumed;
    this.count++;
  }

  /** The chunk's data is no longer needed, that it was received still is. */
  consume(tsn: number): void {
    const slot = tsn & this.mask;
    this.states[slot] = HeldState.consumed;
    this.octets -= this.data[slot]!.length;
    this.data[slot] = EMPTY;
  }

  /** The cumulative TSN has reached this one. */
  remove(tsn: number): void {
    const slot = tsn & this.mask;
    if (this.states[slot] === HeldState.held) this.octets -= this.data[slot]!.length;
    this.states[slot] = HeldState.missing;
    this.data[slot] = EMPTY;
    this.count--;
  }

  #columns(): Pick<HeldChunks, "states" | "flags" | "data" | "streams" | "ssns" | "ppids"> {
    const { states, flags, data, streams, ssns, ppids } = this;
    return { states, flags, data, streams, ssns, ppids };
  }
}
