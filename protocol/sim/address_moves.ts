import type { IpAddress } from "../net.ts";
import type { Prng } from "../machine.ts";
import type { SimulatedHost } from "./host.ts";
import type { Segment } from "./segment.ts";
import type { Talker } from "./talker.ts";

/** Hosts that get new addresses and lose their old ones, as they do when they move or are renumbered. */
export interface AddressMoves {
  readonly count: number;
  /** When the first move begins, in milliseconds after the start. */
  readonly firstMs: number;
  /** From one move to the next. */
  readonly everyMs: number;
  /** How long there are both the old and the new addresses; less than 0 = how long there are none. */
  readonly overlapMs: number;
  /** Whose addresses change; both = both at once. Default: the client's. */
  readonly who?: "client" | "server" | "both";
  /** On all segments together. Default: on one, chosen by chance. */
  readonly all?: boolean;
  /** The mover asks its peers to send to a new address in the first place. Default false. */
  readonly peerPrimary?: boolean;
}

/** A host that moves, and who talks on it. */
export interface Mover {
  readonly host: SimulatedHost;
  readonly talkers: readonly Talker[];
}

/** The last generation of addresses that a segment has. */
const MAX_GENERATION = 255;

/** Moves the hosts of one scenario. */
export class AddressMover {
  readonly #moves: AddressMoves;
  readonly #schedule: (delayMs: number, action: () => void) => void;
  readonly #segments: readonly Segment[];
  readonly #prng: Prng;
  /** Addresses have changed: nothing is proved to work for a while. */
  readonly #onMoved: () => void;
  #generation = 0;

  constructor(
    moves: AddressMoves,
    segments: readonly Segment[],
    prng: Prng,
    schedule: (delayMs: number, action: () => void) => void,
    onMoved: () => void,
  ) {
    this.#moves = moves;
    this.#segments = segments;
    this.#prng = prng;
    this.#schedule = schedule;
    this.#onMoved = onMoved;
  }

  /** Plans all moves. */
  plan(movers: readonly Mover[]): void {
    const { count, firstMs, everyMs } = this.#moves;
    for (let i = 0; i < Math.min(count, MAX_GENERATION); i++) {
      this.#schedule(firstMs + i * everyMs, () => this.#move(movers));
    }
  }

  #move(movers: readonly Mover[]): void {
    const { all = false, overlapMs } = this.#moves;
    const segments = all ? this.#segments : [this.#segments[this.#prng.below(this.#segments.length)]!];
    const generation = ++this.#generation;
    for (const mover of movers) {
      const { host } = mover;
      const old = host.addresses.filter((address) => segments.some((one) => one.contains(address)));
      const next = segments.flatMap((segment) => segment.addressesOf(host.number, generation));
      const gain = () => this.#change(mover, next, []), lose = () => this.#change(mover, [], old);
      if (overlapMs === 0) {
        this.#change(mover, next, old);
      } else if (overlapMs > 0) {
        gain();
        this.#schedule(overlapMs, lose);
      } else {
        lose();
        this.#schedule(-overlapMs, gain);
      }
    }
  }

  #change(mover: Mover, gained: readonly IpAddress[], lost: readonly IpAddress[]): void {
    if (!mover.host.alive) return;
    mover.host.changeAddresses(gained, lost);
    for (const talker of mover.talkers) {
      if (!talker.endpoint.closed) talker.addressesChanged(gained, lost);
      const [first] = gained;
      if (this.#moves.peerPrimary === true && first !== undefined) talker.askForPrimary(first);
    }
    this.#onMoved();
  }
}
