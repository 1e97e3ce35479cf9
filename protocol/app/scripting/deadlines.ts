import { earliest, TimerQueue } from "../../machine.ts";
import type { Instant } from "../../net.ts";
import type { Liveness } from "./liveness.ts";

/** Who hears that time is up. */
export interface DeadlineHandlers {
  /** The limit of a job was reached; it has none any more. */
  readonly onLimit: (id: number) => void;
  /** A keep-alive is to be sent, or was not answered: the job's {@linkcode Liveness} tells. */
  readonly onKeepAlive: (id: number) => void;
}

/** The two timers of each job, at either side: a limit for what has to happen next, and its keep-alives. */
export class Deadlines {
  readonly #limits = new TimerQueue<number>();
  readonly #keepAlives = new TimerQueue<number>();

  /** Sets the limit of a job; undefined = it has none. */
  limit(id: number, at: Instant | undefined): void {
    if (at === undefined) this.#limits.clear(id);
    else this.#limits.set(id, at);
  }

  /** Goes by what a job's keep-alives say of themselves; undefined = there are none. */
  keepAlive(id: number, liveness: Liveness | undefined): void {
    const next = liveness?.next();
    if (next === undefined) this.#keepAlives.clear(id);
    else if (this.#keepAlives.dueAt(id) !== next) this.#keepAlives.set(id, next);
  }

  /** The job is over. */
  forget(id: number): void {
    this.#limits.clear(id);
    this.#keepAlives.clear(id);
  }

  /** Tells what is due. */
  tick(now: Instant, { onLimit, onKeepAlive }: DeadlineHandlers): void {
    for (let id = this.#limits.takeDue(now); id !== undefined; id = this.#limits.takeDue(now)) onLimit(id);
    for (let id = this.#keepAlives.takeDue(now); id !== undefined; id = this.#keepAlives.takeDue(now)) {
      onKeepAlive(id);
    }
  }

  /** When something is due; undefined = never. */
  next(): Instant | undefined {
    return earliest(this.#limits.next(), this.#keepAlives.next());
  }
}
