/** What a run measures, counted by either side. */

/** Messages of one direction of one run, as one side counted them. */
export interface Figures {
  readonly messages: number;
  readonly octets: number;
  /** From the start of the measurement to the last message. */
  readonly seconds: number;
}

/** Figures of one direction of a run. */
export interface DirectionResult {
  /** What the sender handed to its transport. */
  readonly sent: Figures;
  /** What arrived; undefined when the receiver does not say. */
  readonly received: Figures | undefined;
  /** DATA chunks that were sent again; undefined when the transport does not count. */
  readonly retransmissions: number | undefined;
}

/** Counts messages, those of the warm-up apart. */
export class Tally {
  /** All messages, warm-up included. */
  total = 0;
  messages = 0;
  octets = 0;
  #startedAt: number;
  #lastAt: number;

  /** @param now clock in milliseconds: what comes from now on counts, until a {@linkcode start} says better */
  constructor(now: number) {
    this.#startedAt = this.#lastAt = now;
  }

  /** The warm-up is over. */
  start(now: number): void {
    this.messages = this.octets = 0;
    this.#startedAt = this.#lastAt = now;
  }

  /** One more message. */
  add(octets: number, now: number): void {
    this.total++;
    this.messages++;
    this.octets += octets;
    this.#lastAt = now;
  }

  /** As counted so far. @param until default: the last message */
  figures(until: number = this.#lastAt): Figures {
    const { messages, octets } = this;
    return { messages, octets, seconds: Math.max(0, until - this.#startedAt) / 1000 };
  }
}

/** Joins the figures of associations that ran at the same time. */
export function sumFigures(all: readonly Figures[]): Figures {
  return {
    messages: all.reduce((sum, { messages }) => sum + messages, 0),
    octets: all.reduce((sum, { octets }) => sum + octets, 0),
    seconds: Math.max(0, ...all.map(({ seconds }) => seconds)),
  };
}

/** Joins a direction of associations that ran at the same time; what one of them does not know is not known. */
export function sumDirections(all: readonly DirectionResult[]): DirectionResult {
  const received = all.map((one) => one.received).filter((one) => one !== undefined);
  const counts = all.map(({ retransmissions }) => retransmissions).filter((one) => one !== undefined);
  return {
    sent: sumFigures(all.map(({ sent }) => sent)),
    received: received.length === all.length ? sumFigures(received) : undefined,
    retransmissions: counts.length === all.length ? counts.reduce((sum, one) => sum + one, 0) : undefined,
  };
}
