/** A farm at work: jobs go to servers, results come back. */
import { rm } from "node:fs/promises";
import { LogLevel } from "../driver/log.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { line, showPause } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { showSeconds } from "../pool/show_amounts.ts";
import { showServer } from "../scriptingclient/describe.ts";
import type { ScriptingJobs } from "../scriptingclient/jobs.ts";
import type { JobResult, ScriptingClientReport } from "../../protocol/app/scripting/client_types.ts";
import { describeJobStatus } from "../../protocol/app/scripting/job_status.ts";
import { showId } from "../../protocol/param/describe.ts";
import { sourceOf } from "./inputs.ts";
import type { FarmInput } from "./inputs.ts";
import type { Journal } from "./journal.ts";
import type { Packages } from "./packages.ts";
import { FarmProgress } from "./progress.ts";
import type { FarmView } from "./progress.ts";
import { ResultError } from "./results.ts";
import type { Results } from "./results.ts";
import { FarmSchedule } from "./schedule.ts";
import type { ScheduledJob, Verdict } from "./schedule.ts";

/** What a farm works with. */
export interface FarmPlan {
  readonly inputs: readonly FarmInput[];
  readonly parallel: number;
  readonly maxAttempts: number;
  /** An attempt may take so long, in milliseconds; 0 = any time. */
  readonly timeoutMs: number;
  readonly packages: Packages;
  readonly results: Results;
  readonly journal: Journal;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Takes a line about a job. */
  readonly onLine: (line: LogLine) => void;
}

interface Ending {
  readonly verdict: Verdict;
  readonly line: LogLine;
}

/** A farm. */
export class Farm {
  readonly #plan: FarmPlan;
  readonly #schedule: FarmSchedule<FarmInput>;
  readonly #progress = new FarmProgress(performance.now());
  /** By the number that a job has for its pool user. */
  readonly #submitted = new Map<number, ScheduledJob<FarmInput>>();
  #jobs: ScriptingJobs | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(plan: FarmPlan) {
    this.#plan = plan;
    this.#schedule = new FarmSchedule(plan.inputs, plan);
  }

  /** How things stand. */
  get view(): FarmView {
    return this.#progress.view(this.#schedule.counts, performance.now());
  }

  /**
   * Does all jobs, or as many as can be done before the signal.
   *
   * @returns whether all are done
   */
  async run(jobs: ScriptingJobs): Promise<boolean> {
    const { signal } = this.#plan;
    this.#jobs = jobs;
    const close = () => this.#schedule.close();
    signal.addEventListener("abort", close);
    if (signal.aborted) close();
    try {
      this.#fill();
      await this.#over.promise;
    } finally {
      signal.removeEventListener("abort", close);
    }
    const { waiting, failed } = this.#schedule.counts;
    return waiting + failed === 0;
  }

  /** Takes a report about a job. */
  report(report: ScriptingClientReport): void {
    if (report.type === "jobDone") return;
    const job = this.#submitted.get(report.job);
    if (job === undefined) return;
    this.#progress.report(job.work.number, report, performance.now());
    const told = describe(job, report);
    if (told !== undefined) this.#plan.onLine(told);
  }

  /** Begins as many jobs as may run. */
  #fill(): void {
    for (let job = this.#schedule.next(); job !== undefined; job = this.#schedule.next()) {
      void this.#attempt(job);
    }
    if (this.#schedule.isOver) this.#over.resolve();
  }

  /** One attempt at a job. Never rejects. */
  async #attempt(job: ScheduledJob<FarmInput>): Promise<void> {
    const { number, name } = job.work;
    this.#progress.begin(number, name, job.attempts, performance.now());
    let ending: Ending;
    try {
      ending = await this.#work(job);
    } catch (error) {
      const reason = fileProblem(error);
      ending = {
        verdict: "hopeless",
        line: about(job, LogLevel.error, `cannot be done: ${reason}`, "failed"),
      };
    }
    this.#progress.end(number, ending.verdict);
    this.#schedule.settle(job, ending.verdict);
    this.#plan.onLine(ending.line);
    this.#fill();
  }

  async #work(job: ScheduledJob<FarmInput>): Promise<Ending> {
    const { packages, results, signal, timeoutMs } = this.#plan;
    const { number, path: source } = job.work;
    const { path: input, size } = await packages.make(job.work);
    const output = results.temporary(`${number}.result`);
    const environment = packages.environmentOf(source);
    this.#progress.turn(number, "looking for a server", performance.now(), size);
    const late = new AbortController();
    const timer = timeoutMs === 0 ? undefined : setTimeout(() => late.abort(), timeoutMs);
    const submitted = this.#jobs!.submit(
      { input, output, environment },
      AbortSignal.any([signal, late.signal]),
    );
    this.#submitted.set(submitted.job, job);
    try {
      const result = await submitted.result;
      this.#progress.turn(number, "storing the result", performance.now());
      return await this.#judge(job, result, output);
    } finally {
      clearTimeout(timer);
      this.#submitted.delete(submitted.job);
      await packages.drop(job.work);
      await rm(output, { force: true });
    }
  }

  async #judge(job: ScheduledJob<FarmInput>, result: JobResult, output: string): Promise<Ending> {
    const { results, journal, signal, timeoutMs } = this.#plan;
    switch (result.outcome) {
      case "succeeded":
        try {
          const { key, name } = job.work, source = sourceOf(job.work);
          const claim = (files: readonly string[]) => journal.claim({ source, name, files });
          const files = await results.collect(job.work, output, { signal, claim });
          journal.add({ key, source, name, files });
          return this.#done(job, result, files);
        } catch (error) {
          if (signal.aborted) return this.#unfinished(job);
          if (!(error instanceof ResultError)) throw error;
          return this.#failed(job, result, error.message);
        }
      case "failed": {
        const words = await results.explain(job.work, output, signal);
        const why = result.reason ?? describeJobStatus(result.status ?? 1);
        return this.#failed(job, result, words === undefined ? why : `${why} ("${words}")`);
      }
      case "cancelled":
        if (signal.aborted) return this.#unfinished(job);
        return this.#failed(job, result, `no result within ${showPause(timeoutMs)}`);
      case "unusable":
        return this.#hopeless(job, result.reason ?? "a file cannot be used");
    }
  }

  #done(job: ScheduledJob<FarmInput>, result: JobResult, files: readonly string[]): Ending {
    const { durationMs, failovers } = result;
    const lost = failovers === 0 ? "" : ` after ${failovers} failover${failovers === 1 ? "" : "s"}`;
    const text = `done by ${showServer(result)} in ${showSeconds(durationMs)}${lost}`;
    return { verdict: "done", line: about(job, LogLevel.note, text, "done", { ...facts(result), files }) };
  }

  #failed(job: ScheduledJob<FarmInput>, result: JobResult, why: string): Ending {
    const { maxAttempts } = this.#plan;
    const isLast = job.attempts >= maxAttempts;
    const text = `attempt ${job.attempts} of ${maxAttempts} has failed at ${showServer(result)}: ${why}` +
      (isLast ? "" : "; it will be tried again");
    const fields = { ...facts(result), attempt: job.attempts, reason: why };
    return {
      verdict: "failed",
      line: about(job, LogLevel.warning, text, isLast ? "failed" : "attemptFailed", fields),
    };
  }

  #hopeless(job: ScheduledJob<FarmInput>, reason: string): Ending {
    const text = `cannot be done: ${reason}`;
    return { verdict: "hopeless", line: about(job, LogLevel.error, text, "failed", { reason }) };
  }

  #unfinished(job: ScheduledJob<FarmInput>): Ending {
    return { verdict: "unfinished", line: about(job, LogLevel.action, "ended before it was done", "ended") };
  }
}

function facts({ elementId, server, durationMs, failovers, status }: JobResult): LogLine["fields"] {
  return { element: showId(elementId), server, durationMs: Math.round(durationMs), failovers, status };
}

function about(
  job: ScheduledJob<FarmInput>,
  level: LogLevel,
  text: string,
  event: string,
  fields: LogLine["fields"] = {},
): LogLine {
  return line(level, `${job.work.name}: ${text}`, event, { job: job.work.name, ...fields });
}

/** A line for a report about a job, as far as it is worth one. */
function describe(
  job: ScheduledJob<FarmInput>,
  report: Exclude<ScriptingClientReport, { type: "jobDone" }>,
): LogLine | undefined {
  const element = showId(report.elementId), { server } = report;
  switch (report.type) {
    case "jobProcessing":
      return about(job, LogLevel.note, `computed by ${showServer(report)}`, "computing", { element, server });
    case "jobFailover": {
      const { reason, pauseMs } = report;
      const text = `failover from ${showServer(report)}: ${reason}; begun anew in ${showPause(pauseMs)}`;
      return about(job, LogLevel.warning, text, "failover", { element, server, reason });
    }
    default:
      return undefined;
  }
}
