import type { Prng } from "../../machine.ts";
import type { SimulatedComputer } from "./host.ts";

/** What the way from one computer to another is like. */
export interface WayConditions {
  /** Least time in milliseconds. */
  readonly delayMs: number;
  /** Up to so much more, evenly. */
  readonly jitterMs: number;
  /** Share of packets that is lost. SCTP sends them again, so that they cost time; a datagram is gone. */
  readonly loss: number;
}

/** A quiet local network. */
export const LOCAL_NETWORK: WayConditions = { delayMs: 1, jitterMs: 1, loss: 0 };

/** Within one computer. */
const LOOPBACK: WayConditions = { delayMs: 0.05, jitterMs: 0, loss: 0 };

/** SCTP's least retransmission time-out in these worlds; doubled with each loss in a row. */
const RETRANSMISSION_MS = 500;

/** Losses of one packet in a row that are counted; more are a cut. */
const MAX_LOSSES = 4;

/** The ways between computers: each direction has its own conditions, and may be cut. */
export class Ways {
  /** Where nothing else was said. */
  usual: WayConditions = LOCAL_NETWORK;
  readonly #special = new Map<number, WayConditions>();
  readonly #cuts = new Set<number>();

  /** Sets the conditions of one direction; undefined = the usual ones. */
  set(from: SimulatedComputer, to: SimulatedComputer, conditions: WayConditions | undefined): void {
    if (conditions === undefined) this.#special.delete(key(from, to));
    else this.#special.set(key(from, to), conditions);
  }

  /** Cuts one direction. */
  cut(from: SimulatedComputer, to: SimulatedComputer): void {
    if (from !== to) this.#cuts.add(key(from, to));
  }

  /** Mends one direction. */
  mend(from: SimulatedComputer, to: SimulatedComputer): void {
    this.#cuts.delete(key(from, to));
  }

  /** Mends everything, and makes all conditions the usual ones. */
  heal(): void {
    this.#cuts.clear();
    this.#special.clear();
  }

  /** Whether packets get through from one to the other. */
  isOpen(from: SimulatedComputer, to: SimulatedComputer): boolean {
    if (from.downSince !== undefined || to.downSince !== undefined) return false;
    return this.#cuts.size === 0 || !this.#cuts.has(key(from, to));
  }

  /** Conditions of one direction. */
  conditions(from: SimulatedComputer, to: SimulatedComputer): WayConditions {
    if (from === to) return LOOPBACK;
    return this.#special.size === 0 ? this.usual : this.#special.get(key(from, to)) ?? this.usual;
  }

  /** How long something that SCTP sends again when it is lost is under way, in milliseconds. */
  transitMs(from: SimulatedComputer, to: SimulatedComputer, random: Prng): number {
    const { delayMs, jitterMs, loss } = this.conditions(from, to);
    let transitMs = delayMs + jitterMs * random.uniform();
    if (loss > 0) {
      for (let losses = 0; losses < MAX_LOSSES && random.chance(loss); losses++) {
        transitMs += RETRANSMISSION_MS * 2 ** losses;
      }
    }
    return transitMs;
  }
}

function key(from: SimulatedComputer, to: SimulatedComputer): number {
  return from.index * 0x10_0000 + to.index;
}
