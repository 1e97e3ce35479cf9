import type { Ppid } from "../net.ts";

/** Octets before each message: its length and its payload protocol. */
const HEADER_LENGTH = 8;

/** A lane that runs empty keeps no more than this for the next messages: most associations never need it again. */
const KEPT_CAPACITY = 1024;

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array();

/** A message that waited. */
export interface LaneMessage {
  readonly ppid: Ppid;
  /** Borrowed until the lane is used again. */
  readonly data: Uint8Array;
}

/**
 * What waits of one association, packed: a flood is of many small messages, each of which would be several objects
 * otherwise, and might keep the whole packet that it came in.
 */
export class Lane {
  /** Work that may still be done in this turn; below 0 when a message was longer than a turn. */
  allowance = 0;
  /** Which row of the inbox it stands in. */
  row: "none" | "first" | "others" = "none";
  /** It gets no turns for now. */
  held = false;
  #buffer = NOTHING;
  #start = 0;
  #end = 0;

  /** Octets that wait, headers included. */
  get octets(): number {
    return this.#end - this.#start;
  }

  /** Puts a copy of a message behind the others. */
  push(ppid: Ppid, data: Uint8Array): void {
    const at = this.#room(HEADER_LENGTH + data.length);
    const view = new DataView(this.#buffer.buffer);
    view.setUint32(at, data.length);
    view.setUint32(at + 4, ppid);
    this.#buffer.set(data, at + HEADER_LENGTH);
  }

  /** Takes the first message out; there has to be one. */
  shift(): LaneMessage {
    const view = new DataView(this.#buffer.buffer);
    const from = this.#start + HEADER_LENGTH;
    const to = from + view.getUint32(this.#start);
    const message = { ppid: view.getUint32(this.#start + 4), data: this.#buffer.subarray(from, to) };
    this.#start = to;
    if (to === this.#end) this.clear();
    return message;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#start = this.#end = 0;
    if (this.#buffer.length > KEPT_CAPACITY) this.#buffer = NOTHING;
  }

  /** Makes room at the end. @returns where it begins */
  #room(length: number): number {
    const { octets } = this;
    if (this.#end + length > this.#buffer.length) {
      const fits = octets + length <= this.#buffer.length / 2; // else every message would move the others
      const target = fits ? this.#buffer : new Uint8Array(Math.max(KEPT_CAPACITY, 2 * (octets + length)));
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#start = 0;
    }
    const at = this.#start + octets;
    this.#end = at + length;
    return at;
  }
}
