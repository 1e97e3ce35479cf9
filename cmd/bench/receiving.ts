/** The side of a run that receives. */
import { type Figures, Tally } from "./figures.ts";

/** After `end`, so long without a message and what is missing will not come: it was given up, or never was. */
export const QUIET_LIMIT_MS = 10_000;

/** One direction of a run, at its receiver. */
export class Receiving {
  readonly tally: Tally = new Tally(performance.now());
  readonly #onComplete: (figures: Figures) => void;
  #expected = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #complete = false;

  /** @param onComplete called once, when all has come that the sender sent */
  constructor(onComplete: (figures: Figures) => void) {
    this.#onComplete = onComplete;
  }

  /** The warm-up is over. */
  start(): void {
    this.tally.start(performance.now());
  }

  /** A message came. */
  add(octets: number, now: number): void {
    this.tally.add(octets, now);
    if (this.tally.total >= this.#expected) this.#finish();
  }

  /** The sender has sent so many. */
  end(messages: number): void {
    this.#expected = messages;
    if (this.tally.total >= messages) this.#finish();
    else this.#watch(this.tally.total);
  }

  /** The association is gone: no timer is left. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  #watch(total: number): void {
    this.cancel(); // a peer may say `end` again and again
    this.#timer = setTimeout(() => {
      if (this.tally.total === total) this.#finish();
      else this.#watch(this.tally.total);
    }, QUIET_LIMIT_MS);
  }

  #finish(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.cancel();
    this.#onComplete(this.tally.figures());
  }
}
