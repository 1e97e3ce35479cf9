/** `rsp calcappclient`: has jobs calculated by a pool. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { openOutputFile } from "../driver/output_file.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { pause } from "../driver/pause.ts";
import { randomIdentifier } from "../driver/random.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import { runClient } from "../pool/run_client.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { CalcAppClient } from "../../protocol/app/calcapp/mod.ts";
import type { CalcAppClientInput, CalcAppClientReport, JobRecord } from "../../protocol/app/calcapp/mod.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { describeCalcApp } from "./describe.ts";
import { calcAppClientOptions } from "./options.ts";
import type { CalcAppClientOptionValues } from "./options.ts";
import { JobTotals, VECTOR_HEADER, vectorLine } from "./statistics.ts";

/** The session of the present job, and the one before while it ends. */
const SESSIONS = 2;

/** The command. */
export const command: Command = defineCommand({
  name: "calcappclient",
  summary: "Has jobs calculated by a server pool and measures them",
  description: [
    "Makes up jobs of random sizes at random intervals and has them calculated, one after the other, by the elements " +
    "of a pool. When an element fails, another one goes on where it stopped.",
  ],
  exitCodes: {
    0: "Jobs were completed; with -jobs all of them",
    1: "They were not",
  },
  options: calcAppClientOptions,
  examples: [
    { line: "rsp calcappclient", text: "A job every 15 s, of 5 million calculations on average" },
    { line: "rsp calcappclient -jobs=10 -jobinterval=0.1", text: "Ten jobs, as fast as the pool calculates" },
    {
      line: "rsp calcappclient -runtime=60 -vector=jobs.vec -scalar=jobs.sca",
      text: "Measure for a minute",
    },
  ],
  run: (context) => runCalcAppClient(context),
});

async function runCalcAppClient(context: Context<CalcAppClientOptionValues>): Promise<number> {
  const { options } = context;
  const poolHandle = poolHandleOption(options.poolhandle);
  const log = openLog(context);
  await using program = new CalcAppProgram(context, log);
  return await runClient<CalcAppClientInput, never, CalcAppClientReport>(context, log, {
    sessions: SESSIONS,
    status: program.status,
    wrap: (client) =>
      new ApplicationMachine(client, (outlet) =>
        new CalcAppClient(outlet, {
          poolHandle,
          keepAliveIntervalMs: options.keepalivetransmissioninterval,
          keepAliveTimeoutMs: options.keepalivetimeoutinterval,
          arrivals: {
            meanIntervalMs: 1000 * options.jobinterval,
            meanJobSize: options.jobsize,
            jobs: options.jobs === 0 ? undefined : options.jobs,
          },
          prng: new Prng(randomIdentifier()),
        })),
    onEffect: () => {},
    onReport: (report) => program.report(report),
    work: () => program.run(),
  });
}

/** What is made of the machine's reports: log, files, and the end. */
class CalcAppProgram implements AsyncDisposable {
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.calcApp);
  readonly #context: Context<CalcAppClientOptionValues>;
  readonly #log: Log;
  readonly #vector: OutputFile | undefined;
  readonly #scalar: OutputFile | undefined;
  readonly #totals = new JobTotals();
  readonly #over = new AbortController();

  /** @throws {OptionError} when a file cannot be opened */
  constructor(context: Context<CalcAppClientOptionValues>, log: Log) {
    this.#context = context;
    this.#log = log;
    const { vector, scalar } = context.options;
    const onProblem = (sentence: string) => log.warning(sentence, { event: "file" });
    const open = (option: string, path: string | undefined) =>
      path === undefined ? undefined : openOutputFile({ path, option, onProblem });
    this.#vector = open("vector", vector);
    this.#scalar = open("scalar", scalar);
    this.#vector?.write(VECTOR_HEADER);
  }

  /** Waits for the end. Resolves with the exit code. */
  async run(): Promise<number> {
    const { options, signal, ready } = this.#context;
    ready?.();
    await pause(1000 * options.runtime, AbortSignal.any([signal, this.#over.signal]));
    this.#summarize();
    const { completed, started } = this.#totals;
    const done = options.jobs === 0 ? completed.jobs > 0 || started.jobs === 0 : this.#isComplete;
    return done ? 0 : 1;
  }

  /** Takes a report of the machine. */
  report(report: CalcAppClientReport | SessionReport): void {
    this.#totals.report(report);
    const own = describeCalcApp(report);
    if (own === undefined) this.status.report(report as SessionReport, performance.now());
    const { level, text, fields } = own ?? describeReport(report as SessionReport);
    this.#log.write(level, text, fields);
    if (report.type === "jobStarted") this.status.says(`Job #${report.jobId} ...`);
    if (report.type === "jobCompleted") this.#completed(report.record);
  }

  /** Writes what is still to be written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#scalar?.write(this.#totals.scalarText(this.#context.options.object));
    await Promise.all([this.#vector?.close(), this.#scalar?.close()]);
  }

  get #isComplete(): boolean {
    return this.#totals.completed.jobs >= this.#context.options.jobs;
  }

  #completed(record: JobRecord): void {
    const { options } = this.#context;
    const { jobId } = record;
    this.status.says(`Job #${jobId} completed!`);
    const owner = { objectName: options.object, processId: Deno.pid };
    this.#vector?.write(vectorLine(owner, this.#totals.completed.jobs, record));
    if (options.jobs > 0 && this.#isComplete) this.#over.abort();
  }

  #summarize(): void {
    const { queued, started, completed, failovers, processingSpeed, handlingSpeed } = this.#totals;
    this.#log.block("jobs", [
      `${completed.jobs} of ${queued.jobs} jobs completed, ${completed.size} calculations, ${failovers} failovers`,
      `Average Processing Speed = ${processingSpeed.toFixed(0)} [Calculations/s]`,
      `Average Handling Speed   = ${handlingSpeed.toFixed(0)} [Calculations/s]`,
    ], {
      queued: queued.jobs,
      started: started.jobs,
      completed: completed.jobs,
      calculations: completed.size,
      failovers,
      processingSpeed,
      handlingSpeed,
    });
  }
}
