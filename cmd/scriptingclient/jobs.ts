/** Has jobs run by a pool of scripting services: the part that all programs that do so have in common. */
import type { Context } from "../command.ts";
import type { Driver } from "../driver/drive.ts";
import type { Log } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { runClient } from "../pool/run_client.ts";
import type { ClientOptionValues } from "../pool/client_options.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { ScriptingClient } from "../../protocol/app/scripting/client.ts";
import type { ScriptingClientOptions } from "../../protocol/app/scripting/client.ts";
import type {
  JobId,
  JobResult,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "../../protocol/app/scripting/client_types.ts";
import { SCRIPTING_ENDPOINT } from "../../protocol/app/scripting/endpoint.ts";
import type { UserStatus } from "../../protocol/csp/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { JobFiles } from "./job_files.ts";
import type { JobPlan } from "./job_files.ts";

/** What a job prints, or its server says of it. */
export type JobPrint = ScriptingClientEffect & { readonly type: "print" };

/** What {@linkcode runScriptingJobs} needs to know. */
export interface ScriptingJobsPlan {
  /** Jobs at the same time, at least 1. */
  readonly sessions: number;
  /** The pool, and how its servers are treated. */
  readonly client: Omit<ScriptingClientOptions, "prng">;
  /** What a monitor is told. The caller feeds it. */
  readonly status: UserStatus;
  /** Takes each report, the session layer's, too. */
  readonly onReport: (report: ScriptingClientReport | SessionReport) => void;
  /** Takes what jobs print. */
  readonly onPrint?: ((print: JobPrint) => void) | undefined;
  /** Does the work: submits jobs and waits for them. Resolves with the exit code. */
  readonly work: (jobs: ScriptingJobs) => Promise<number>;
}

/** A job that was submitted. */
export interface SubmittedJob {
  /** Names it in reports. */
  readonly job: JobId;
  /** How it ends; never rejects. Its files are closed then. */
  readonly result: Promise<JobResult>;
}

/** The association of a job that is done may end while the next one's begins, which needs an endpoint of its own. */
const SPARE_ENDPOINTS = 1;

/**
 * Opens the network, does the work, and ends in order.
 *
 * @returns the exit code of the work
 * @throws {OptionError} when an option names what does not exist
 */
export async function runScriptingJobs(
  context: Pick<Context<ClientOptionValues>, "options">,
  log: Log,
  plan: ScriptingJobsPlan,
): Promise<number> {
  const jobs = new ScriptingJobs();
  const prng = new Prng(randomIdentifier());
  return await runClient<ScriptingClientInput, ScriptingClientEffect, ScriptingClientReport>(context, log, {
    sessions: plan.sessions + SPARE_ENDPOINTS,
    status: plan.status,
    clientOptions: { manualReceive: true },
    dataEndpoint: SCRIPTING_ENDPOINT,
    wrap: (client) =>
      new ApplicationMachine(client, (outlet) => new ScriptingClient(outlet, { ...plan.client, prng })),
    onEffect: (effect) => {
      if (effect.type === "print") plan.onPrint?.(effect);
      jobs.carryOut(effect);
    },
    onReport: (report) => {
      plan.onReport(report);
      if (report.type === "jobDone") jobs.done(report.job, report.result);
    },
    work: async (driver) => {
      jobs.begin(driver);
      return await plan.work(jobs);
    },
  });
}

/** The jobs of one pool user. */
export class ScriptingJobs {
  readonly #files = new Map<JobId, JobFiles>();
  readonly #waiting = new Map<JobId, (result: JobResult) => void>();
  #driver: Driver<ScriptingClientInput> | undefined;
  #lastJob = 0;

  /** The network is there. */
  begin(driver: Driver<ScriptingClientInput>): void {
    this.#driver = driver;
  }

  /**
   * Has a job done. There may be as many at the same time as was planned for.
   *
   * @param plan where its files are
   * @param signal gives it up
   */
  submit(plan: JobPlan, signal?: AbortSignal): SubmittedJob {
    const job = ++this.#lastJob;
    const files = new JobFiles(job, plan, (input) => this.#driver?.input(input));
    this.#files.set(job, files);
    const ended = Promise.withResolvers<JobResult>();
    this.#waiting.set(job, ended.resolve);
    this.#driver?.input({ type: "submitJob", job, environment: plan.environment?.hash });
    const cancel = () => this.#driver?.input({ type: "cancelJob", job, reason: "ended by its user" });
    signal?.addEventListener("abort", cancel);
    if (signal?.aborted === true) cancel();
    const result = ended.promise.finally(async () => {
      signal?.removeEventListener("abort", cancel);
      this.#files.delete(job);
      await files.close();
    });
    return { job, result };
  }

  /** Carries an effect of the machine out. */
  carryOut(effect: ScriptingClientEffect): void {
    this.#files.get(effect.job)?.handle(effect);
  }

  /** A job has ended. */
  done(job: JobId, result: JobResult): void {
    this.#waiting.get(job)?.(result);
    this.#waiting.delete(job);
  }
}
