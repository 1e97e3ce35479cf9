/** `rsp scriptingclient`: has a job run by a pool of scripting services. */
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { LogLevel, openLog, quietened } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { OptionError } from "../options.ts";
import { describeReport, line } from "../pool/describe_reports.ts";
import type {
  JobPlace,
  JobResult,
  ScriptingClientReport,
} from "../../protocol/app/scripting/client_types.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { describeJob, describeResult, exitCodeOf, resultFields, showServer } from "./describe.ts";
import { JobDisplay } from "./display.ts";
import { readEnvironment } from "./job_files.ts";
import type { JobPlan } from "./job_files.ts";
import { runScriptingJobs } from "./jobs.ts";
import type { JobPrint, ScriptingJobs } from "./jobs.ts";
import { jobSettings, scriptingClientOptions } from "./options.ts";
import type { ScriptingClientOptionValues } from "./options.ts";
import { PrintedLines } from "./printed_lines.ts";
import { Signing } from "./signing.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "scriptingclient",
  summary: "Has a job run by a server pool",
  description: [
    "Uploads a work package, which is an archive with an executable file ssrun, to an element of the pool. There " +
    "ssrun runs in a directory of its own; its first argument is the name of the file that it is to write its " +
    "result to. The result is downloaded. When the element fails, the job is begun anew at another one.",
  ],
  exitCodes: {
    0: "The job has succeeded, and its result is here",
    1: "There is no result, or the server has ended the job",
    others: "The job's own, when it has failed in every trial; what it left is downloaded all the same",
  },
  options: scriptingClientOptions,
  examples: [
    { line: "rsp scriptingclient -input=job.tar.gz -output=result.tar.gz", text: "Run a work package" },
    {
      line: "rsp scriptingclient -input=job.tar.gz -output=result.tar.gz -environment=tools.tar.gz",
      text: "Servers keep the tools for the next job",
    },
    {
      line: "rsp scriptingclient -input=job.tar.gz -output=result.tar.gz -sign=me@example.org",
      text: "Servers run only what is signed (-sskeyring)",
    },
  ],
  run: (context) => runScriptingClient(quietened(context)),
});

async function runScriptingClient(context: Context<ScriptingClientOptionValues>): Promise<number> {
  const { options } = context;
  const checked = await planOf(options);
  await using signing = options.sign === undefined ? undefined : await Signing.open(options.sign);
  const plan = signing === undefined ? checked : await signedPlan(checked, signing);
  const log = openLog(context);
  const program = new ScriptingProgram(context, log, plan, await uploadBytes(plan));
  return await runScriptingJobs(context, log, {
    sessions: 1,
    client: jobSettings(options),
    status: program.status,
    onReport: (report) => program.report(report),
    onPrint: options.follow ? (print) => program.print(print) : undefined,
    work: (jobs) => program.run(jobs),
  });
}

/** The job that the options describe, after a look at its files: what is missing is said before the network is opened. */
async function planOf(options: ScriptingClientOptionValues): Promise<JobPlan> {
  const { input, output } = options;
  if (input === undefined || output === undefined) {
    throw new OptionError(`option -${input === undefined ? "input" : "output"} is missing: it names a file`);
  }
  await checkReadable("input", input);
  await checkWritable("output", output);
  const print = (name: "stdout" | "stderr") => {
    const path = options[name] ?? `${output}.${name}`;
    return path === "none" ? undefined : path;
  };
  const files = { input, output, stdout: print("stdout"), stderr: print("stderr") };
  if (options.environment === undefined) return files;
  await checkReadable("environment", options.environment);
  return { ...files, environment: await readEnvironment(options.environment) };
}

/** The same job with all that is uploaded signed. */
async function signedPlan(plan: JobPlan, signing: Signing): Promise<JobPlan> {
  const signed = { ...plan, input: await signing.sign(plan.input) };
  if (plan.environment === undefined) return signed;
  return { ...signed, environment: await readEnvironment(await signing.sign(plan.environment.path)) };
}

async function checkReadable(option: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    throw new OptionError(`option -${option}: cannot read ${path}: ${fileProblem(error)}`);
  }
  throw new OptionError(`option -${option}: ${path} is not a file`);
}

async function checkWritable(option: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) throw new OptionError(`option -${option}: ${path} is a folder`);
  try {
    await access(found === undefined || found.isFile() ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw new OptionError(`option -${option}: cannot write ${path}: ${fileProblem(error)}`);
  }
}

async function uploadBytes({ input, environment }: JobPlan): Promise<{ input: number; environment: number }> {
  return {
    input: (await stat(input)).size,
    environment: environment === undefined ? 0 : (await stat(environment.path)).size,
  };
}

/** The one job. */
class ScriptingProgram {
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.scripting);
  readonly #context: Context<ScriptingClientOptionValues>;
  readonly #log: Log;
  readonly #plan: JobPlan;
  readonly #display: JobDisplay;
  readonly #sizes: { readonly input: number; readonly environment: number };
  readonly #lines: { readonly stdout: PrintedLines; readonly stderr: PrintedLines };
  #totalBytes: number;

  constructor(
    context: Context<ScriptingClientOptionValues>,
    log: Log,
    plan: JobPlan,
    sizes: { readonly input: number; readonly environment: number },
  ) {
    const { options: { json, quiet, runid }, stdout } = context;
    this.#context = context;
    this.#log = log;
    this.#plan = plan;
    this.#sizes = sizes;
    this.#totalBytes = sizes.input;
    this.#display = new JobDisplay({ stdout, log, json, quiet, runId: runid });
    const show = (channel: string) => (text: string) => {
      this.#display.line(line(LogLevel.note, `${channel}: ${text}`, "print", { channel, printed: text }));
    };
    this.#lines = {
      stdout: new PrintedLines(show("stdout")),
      stderr: new PrintedLines(show("stderr")),
    };
  }

  /** Has the job done. Resolves with the exit code. */
  async run(jobs: ScriptingJobs): Promise<number> {
    const { options, signal } = this.#context;
    const ended = new AbortController();
    const timer = options.timeout === 0 ? undefined : setTimeout(() => ended.abort(), 1000 * options.timeout);
    const { poolhandle } = options;
    this.#display.line(line(LogLevel.note, `looking for a server of pool ${poolhandle}`, "seeking"));
    try {
      const result = await jobs.submit(this.#plan, AbortSignal.any([signal, ended.signal])).result;
      this.#tellEnd(result, ended.signal.aborted ? `no result within ${options.timeout} s` : undefined);
      return exitCodeOf(result);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes a report of the machine. */
  report(report: ScriptingClientReport | SessionReport): void {
    this.#note(report);
    if (report.type === "jobProgress") return this.#progress(report);
    const known = describeJob(report);
    if (known !== undefined) {
      this.#display.at(report as JobPlace);
      this.#display.clear();
      this.#display.line(known);
    } else if (report.type !== "jobDone") {
      const { level, text, fields } = describeReport(report as SessionReport);
      this.#log.write(level, text, fields);
    }
  }

  /** Takes what the job prints. */
  print({ channel, data }: JobPrint): void {
    if (channel !== "server") this.#lines[channel].push(data);
  }

  #progress(report: ScriptingClientReport & { readonly type: "jobProgress" }): void {
    const { phase, bytes } = report;
    const totalBytes = phase === "uploading" ? this.#totalBytes : undefined;
    this.#display.progress(report, { phase, bytes, totalBytes });
  }

  /** What a monitor may want to know, and what is still to come. */
  #note(report: ScriptingClientReport | SessionReport): void {
    switch (report.type) {
      case "jobReady":
        this.#totalBytes = this.#sizes.input;
        for (const lines of Object.values(this.#lines)) lines.end(); // half a line of a lost run is no beginning
        return this.status.says(`Uploading to ${showServer(report)}`);
      case "jobEnvironment":
        if (report.uploadNeeded) this.#totalBytes += this.#sizes.environment;
        return;
      case "jobProcessing":
        return this.status.says(`${showServer(report)} is processing`);
      case "jobExited":
        return this.status.says(`Downloading from ${showServer(report)}`);
      case "jobProgress":
      case "jobRefused":
      case "jobRetried":
      case "jobFailover":
      case "jobDone":
        return;
      default:
        this.status.report(report, performance.now());
    }
  }

  #tellEnd(result: JobResult, timeout: string | undefined): void {
    for (const lines of Object.values(this.#lines)) lines.end();
    this.#display.at(undefined);
    const told = timeout === undefined ? result : { ...result, reason: timeout };
    const level = result.outcome === "succeeded" ? LogLevel.note : LogLevel.warning;
    const text = describeResult(told, this.#plan.output);
    this.#display.line(line(level, text, "jobDone", resultFields(told)));
  }
}
