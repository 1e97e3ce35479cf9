/** Work that goes on besides the prompt: repeated sending and watching. */
import { CommandError, problem, SessionEnded } from "./command_error.ts";
import type { Display } from "./display.ts";

interface Job {
  readonly number: number;
  readonly line: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** The jobs of a session. */
export class Jobs {
  readonly #display: Display;
  readonly #ended: AbortSignal;
  readonly #jobs = new Map<number, Job>();
  #lastNumber = 0;

  constructor(display: Display, ended: AbortSignal) {
    this.#display = display;
    this.#ended = ended;
  }

  /** Those that run, with the line that started them. */
  get all(): readonly { readonly number: number; readonly line: string }[] {
    return [...this.#jobs.values()];
  }

  /** Starts one. */
  start(line: string, work: (signal: AbortSignal) => Promise<void>): void {
    const number = ++this.#lastNumber, stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#ended]);
    const done = work(signal).catch((error) => {
      if (!(error instanceof SessionEnded)) this.#display.error(problem(error), { job: number });
    }).finally(() => {
      this.#jobs.delete(number);
    });
    this.#jobs.set(number, { number, line, stop, done });
    this.#display.say(`job ${number} started: ${line}`, { event: "job", job: number, line });
  }

  /** Stops one, or all. @returns how many */
  stop(number?: number): number {
    const stopped = number === undefined ? [...this.#jobs.values()] : [this.#jobs.get(number)];
    for (const job of stopped) job?.stop.abort(new CommandError("stopped"));
    return stopped.filter((job) => job !== undefined).length;
  }

  /** Resolves when none is left. */
  async finished(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ done }) => done));
  }
}
