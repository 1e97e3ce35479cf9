/** One user of a registrar under load: asks, and asks again as soon as there is an answer. */
import type { AsapLink } from "./asap_link.ts";
import { type AsapRequest, judgeAnswer } from "./asap_requests.ts";
import { Histogram } from "./histogram.ts";

/** Counts what users did; shared by all of a run. */
export class AsapTally {
  /** Answers since the measurement began. */
  answers = 0;
  /** Those of them that were refusals. */
  refused = 0;
  /** From request to answer. */
  histogram: Histogram = new Histogram();
  /** Whether the warm-up is over. */
  measuring = false;

  #open = true;

  /** The warm-up is over. */
  start(): void {
    this.measuring = true;
    this.answers = this.refused = 0;
    this.histogram = new Histogram();
  }

  /** An answer came. */
  add(milliseconds: number, refused: boolean): void {
    if (!this.#open) return;
    this.answers++;
    if (refused) this.refused++;
    this.histogram.record(milliseconds);
  }

  /** The time is up: what still comes does not count. */
  stop(): void {
    this.#open = false;
  }
}

/** What a user does. */
export interface AsapUserTask {
  readonly link: AsapLink;
  readonly next: () => AsapRequest;
  /** Requests under way. */
  readonly outstanding: number;
  /** Between an answer and the next request. */
  readonly thinkMs: number;
  readonly tally: AsapTally;
  /** Whether another request is wanted: asked before each. */
  readonly goesOn: () => boolean;
  /** Resolves when none is wanted any more, though users may still think. */
  readonly over: Promise<void>;
  /** An answer is of a type that belongs to another request. */
  readonly onNonsense: (type: number) => void;
}

/**
 * Lets a user work.
 *
 * @returns resolves when no request is wanted any more and all answers are there
 */
export function workAs(task: AsapUserTask): Promise<void> {
  const { link, next, outstanding, thinkMs, tally, goesOn, over, onNonsense } = task;
  const done = Promise.withResolvers<void>();
  const thoughts = new Set<ReturnType<typeof setTimeout>>();
  let underWay = 0;
  const ask = (measured: boolean) => {
    const { data, answer } = next(), askedAt = performance.now();
    underWay++;
    link.request(data, (octets, now) => {
      underWay--;
      const judgement = judgeAnswer(octets, answer);
      if (judgement === "foreign") return onNonsense(octets[0] ?? 0);
      // What was asked for by the warm-up is none of the measurement's so many.
      if (measured === tally.measuring) tally.add(now - askedAt, judgement === "refused");
      if (!goesOn()) finish();
      else if (thinkMs === 0) ask(tally.measuring);
      else think(tally.measuring);
    });
  };
  const think = (measured: boolean) => {
    const thought = setTimeout(() => {
      thoughts.delete(thought);
      ask(measured);
    }, thinkMs);
    thoughts.add(thought);
  };
  const finish = () => {
    if (underWay === 0 && thoughts.size === 0) done.resolve();
  };
  over.then(() => {
    for (const thought of thoughts) clearTimeout(thought);
    thoughts.clear();
    finish();
  });
  for (let count = 0; count < outstanding && goesOn(); count++) ask(tally.measuring);
  finish();
  return done.promise;
}
