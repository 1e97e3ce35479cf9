import type { Instant } from "../net.ts";
import type { Prng } from "../machine.ts";
import { headerLength, type SimulatedPacket } from "./packet.ts";

/** How a link treats packets. */
export interface LinkConditions {
  /** Propagation delay in milliseconds. */
  readonly delayMs: number;
  /** Up to so many milliseconds more, evenly distributed; packets overtake each other. */
  readonly jitterMs: number;
  /** Probability (0–1) that a packet vanishes. */
  readonly loss: number;
  /** Probability that a packet comes twice. */
  readonly duplication: number;
  /** Probability that one to eight bits of a packet flip. */
  readonly corruption: number;
  /** Capacity in bits per second; Infinity = no queue. */
  readonly bitsPerSecond: number;
  /** Octets that may wait for the capacity; what does not fit is lost. */
  readonly queueOctets: number;
  /** Longest packet in octets, IP header included. */
  readonly mtu: number;
  /** Whether the sender of a longer packet hears of it (ICMP "too big"); else the link is a black hole for it. */
  readonly tellsTooBig: boolean;
  /** False = a cut: nothing passes in this direction. */
  readonly up: boolean;
}

/** A quick and faultless link. */
export const PERFECT_LINK: LinkConditions = {
  delayMs: 1,
  jitterMs: 0,
  loss: 0,
  duplication: 0,
  corruption: 0,
  bitsPerSecond: Infinity,
  queueOctets: 1 << 20,
  mtu: 1500,
  tellsTooBig: true,
  up: true,
};

/** What a link did with a packet: when it arrives (none = lost), and in which shape. */
export type Carriage =
  | { readonly type: "carried"; readonly arrivals: readonly Arrival[] }
  | { readonly type: "too-big"; readonly mtu: number };

/** One copy of a packet at the end of a link. */
export interface Arrival {
  readonly at: Instant;
  readonly octets: Uint8Array;
}

/** Says true for a packet that is to vanish. */
export type PacketFilter = (packet: SimulatedPacket) => boolean;

const LOST: Carriage = { type: "carried", arrivals: [] };
const MAX_FLIPPED_BITS = 8;

/** One direction between two interfaces. */
export class Link {
  /** A scenario's own wish which packets vanish, besides chance. */
  filter: PacketFilter | undefined;
  #conditions: LinkConditions;
  /** When the last octet that waits has left. */
  #busyUntil: Instant = 0;

  constructor(conditions: LinkConditions) {
    this.#conditions = conditions;
  }

  /** The conditions in force. */
  get conditions(): LinkConditions {
    return this.#conditions;
  }

  /** Changes some conditions from now on. Packets on their way keep their fate. */
  set(change: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...change };
  }

  /**
   * Decides a packet's fate.
   *
   * @param packet the packet at the beginning of the link
   * @param now when it gets there
   * @param prng decides what is left to chance; draws the same numbers whatever the fate, as far as it can
   */
  carry(packet: SimulatedPacket, now: Instant, prng: Prng): Carriage {
    const conditions = this.#conditions;
    if (!conditions.up || this.filter?.(packet) === true) return LOST;
    const length = packet.octets.length + headerLength(packet);
    const fragments = packet.fragmented === true ? Math.ceil(length / conditions.mtu) : 1;
    if (length > conditions.mtu && fragments === 1) {
      return conditions.tellsTooBig ? { type: "too-big", mtu: conditions.mtu } : LOST;
    }
    let lost = false; // with one fragment the whole packet is
    for (let i = 0; i < fragments; i++) if (prng.chance(conditions.loss)) lost = true;
    if (lost) return LOST;
    const left = this.#serialize(length, now);
    if (left === undefined) return LOST;
    const arrivals = [this.#arrival(packet.octets, left, prng)];
    if (prng.chance(conditions.duplication)) arrivals.push(this.#arrival(packet.octets, left, prng));
    return { type: "carried", arrivals };
  }

  /** When the packet has left the queue; undefined = the queue is full. */
  #serialize(length: number, now: Instant): Instant | undefined {
    const { bitsPerSecond, queueOctets } = this.#conditions;
    if (bitsPerSecond === Infinity) return now;
    const perMs = bitsPerSecond / 8000;
    const start = Math.max(now, this.#busyUntil);
    if ((start - now) * perMs + length > queueOctets) return undefined;
    this.#busyUntil = start + length / perMs;
    return this.#busyUntil;
  }

  #arrival(octets: Uint8Array, left: Instant, prng: Prng): Arrival {
    const { delayMs, jitterMs, corruption } = this.#conditions;
    const at = left + delayMs + (jitterMs === 0 ? 0 : prng.uniform() * jitterMs);
    return { at, octets: corruption > 0 && prng.chance(corruption) ? corrupt(octets, prng) : octets };
  }
}

/** A copy of the octets with one to eight bits flipped. */
export function corrupt(octets: Uint8Array, prng: Prng): Uint8Array {
  const copy = octets.slice();
  if (copy.length === 0) return copy;
  for (let flips = 1 + prng.below(MAX_FLIPPED_BITS); flips > 0; flips--) {
    copy[prng.below(copy.length)]! ^= 1 << prng.below(8);
  }
  return copy;
}
