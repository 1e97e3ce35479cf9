/** Which job of a farm is next, and how all of them stand. Pure: it knows nothing of files, servers and time. */
import { assert } from "../../protocol/wire/assert.ts";

/** How a job stands. `failed` is for good. */
export type JobState = "waiting" | "running" | "done" | "failed";

/**
 * How an attempt ended. `failed`: the job's fault, which another attempt may mend or not. `hopeless`: no attempt can mend it.
 * `unfinished`: nobody's fault; the attempt does not count.
 */
export type Verdict = "done" | "failed" | "hopeless" | "unfinished";

/** A job of a schedule. */
export interface ScheduledJob<Work> {
  readonly work: Work;
  readonly state: JobState;
  /** Attempts that have begun and count. */
  readonly attempts: number;
}

/** How many jobs are in each state. */
export type JobCounts = Readonly<Record<JobState, number>>;

interface Job<Work> extends ScheduledJob<Work> {
  state: JobState;
  attempts: number;
}

/**
 * A list of jobs that are done a few at a time.
 *
 * Jobs begin in their order. One that fails goes behind all that wait, so that a broken one does not hold the others up, and
 * that what was wrong has time to go away; after so many attempts it has failed for good.
 *
 * @example Two jobs, of which the first fails once
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const schedule = new FarmSchedule(["a", "b"], { parallel: 1, maxAttempts: 2 });
 * const first = schedule.next()!;
 * assert.equal(first.work, "a");
 * assert.equal(schedule.next(), undefined, "one at a time");
 * schedule.settle(first, "failed");
 * assert.equal(schedule.next()?.work, "b");
 * ```
 */
export class FarmSchedule<Work> {
  readonly #jobs: readonly Job<Work>[];
  readonly #parallel: number;
  readonly #maxAttempts: number;
  readonly #waiting: Job<Work>[];
  readonly #counts: Record<JobState, number>;
  #closed = false;

  /**
   * Makes a schedule in which all jobs wait.
   *
   * @param works in the order of their begin
   * @param limits how many run at the same time, and how often one that fails is tried
   */
  constructor(
    works: readonly Work[],
    limits: { readonly parallel: number; readonly maxAttempts: number },
  ) {
    this.#jobs = works.map((work) => ({ work, state: "waiting", attempts: 0 }));
    this.#waiting = [...this.#jobs];
    this.#parallel = limits.parallel;
    this.#maxAttempts = limits.maxAttempts;
    this.#counts = { waiting: works.length, running: 0, done: 0, failed: 0 };
  }

  /** All jobs, in their order. */
  get jobs(): readonly ScheduledJob<Work>[] {
    return this.#jobs;
  }

  /** How many jobs are in each state. */
  get counts(): JobCounts {
    return this.#counts;
  }

  /** Whether nothing is left to be done, or nothing may begin any more, and nothing runs. */
  get isOver(): boolean {
    return this.#counts.running === 0 && (this.#closed || this.#counts.waiting === 0);
  }

  /** Begins the next job; undefined = none may begin now. */
  next(): ScheduledJob<Work> | undefined {
    if (this.#closed || this.#counts.running >= this.#parallel) return undefined;
    const job = this.#waiting.shift();
    if (job === undefined) return undefined;
    job.attempts++;
    this.#move(job, "running");
    return job;
  }

  /** An attempt has ended. */
  settle(scheduled: ScheduledJob<Work>, verdict: Verdict): void {
    const job = scheduled as Job<Work>; // none is made elsewhere
    assert(job.state === "running", "an attempt ends once");
    switch (verdict) {
      case "done":
        return this.#move(job, "done");
      case "hopeless":
        return this.#move(job, "failed");
      case "failed":
        if (job.attempts >= this.#maxAttempts) return this.#move(job, "failed");
        this.#waiting.push(job);
        return this.#move(job, "waiting");
      case "unfinished":
        job.attempts--;
        this.#waiting.unshift(job);
        return this.#move(job, "waiting");
      default:
        verdict satisfies never;
    }
  }

  /** No job begins any more. */
  close(): void {
    this.#closed = true;
  }

  #move(job: Job<Work>, state: JobState): void {
    this.#counts[job.state]--;
    job.state = state;
    this.#counts[state]++;
  }
}
