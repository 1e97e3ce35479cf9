/** `rsp farm`: has a job done for each of many inputs by a pool of scripting services. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { LogLevel, openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { OptionError } from "../options.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { runScriptingJobs } from "../scriptingclient/jobs.ts";
import { jobSettings } from "../scriptingclient/options.ts";
import { Signing } from "../scriptingclient/signing.ts";
import { LiveBlock } from "../tui/screen.ts";
import type { ScriptingClientReport } from "../../protocol/app/scripting/client_types.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { FarmDisplay } from "./display.ts";
import { Farm } from "./farm.ts";
import { inputWords, readInputs } from "./inputs.ts";
import type { FarmInput } from "./inputs.ts";
import { Journal } from "./journal.ts";
import { farmOptions } from "./options.ts";
import type { FarmOptionValues } from "./options.ts";
import { Packages } from "./packages.ts";
import type { FarmView } from "./progress.ts";
import { Results } from "./results.ts";
import { summary } from "./table.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "farm",
  summary: "Has a job done for each of many inputs by a server pool",
  description: [
    "Runs a command for each input at an element of a pool of scripting services, several at the same time, and " +
    "collects the files that it makes. The command runs in a folder of its own with the input in it. A job whose " +
    "element fails is begun anew at another one; a job that fails is tried again after all others.",
    "What is done is remembered in the folder of the results: the same command line, given again after an end or a " +
    "failure, does the rest.",
    "What a command has written is in .farm/logs in the folder of the results.",
  ],
  exitCodes: {
    0: "All jobs are done",
    1: "Some are not",
  },
  operands: "[INPUT…]",
  options: farmOptions,
  examples: [
    {
      line: "rsp farm -command='povray +I{} +O{.}.png +W640 +H480 -D' -siblings *.pov",
      text: "Render scenes",
    },
    {
      line: "rsp farm -values -command='povray +Imovie.pov +SF{} +EF{} +KFF99' -with=movie.pov $(seq 99)",
      text: "Render a film, each picture by itself",
    },
    { line: "rsp farm -parallel=20 packages/*.tar.gz", text: "Run work packages that have their own ssrun" },
  ],
  run: (context) => runFarm(context),
});

async function runFarm(context: Context<FarmOptionValues>): Promise<number> {
  const { options, signal } = context;
  checkOptions(options);
  const words = await inputWords(context);
  const log = openLog(context);
  const results = new Results({
    folder: options.output,
    flat: options.flat,
    commands: options.command !== undefined,
  });
  await results.open().catch((error) => {
    throw new OptionError(`option -output: cannot use ${options.output}: ${fileProblem(error)}`);
  });
  try {
    const journal = new Journal(results.journal);
    await using signing = options.sign === undefined ? undefined : await Signing.open(options.sign);
    const packages = new Packages({ ...options, signing, temporary: (name) => results.temporary(name) });
    const inputs = await plannedInputs(words, options, journal, packages);
    for (const { name, files } of journal.rows) results.owned(name, files);
    const waiting = options.again ? inputs : await undone(inputs, journal, options.output);
    tellPlan(log, inputs.length, waiting.length);
    if (waiting.length === 0) return 0;
    const parallel = Math.min(options.parallel, waiting.length);
    return await work(context, log, (onLine) =>
      new Farm({
        inputs: waiting,
        parallel,
        maxAttempts: options.maxretry,
        timeoutMs: 1000 * options.timeout,
        packages,
        results,
        journal,
        signal,
        onLine,
      }), parallel);
  } finally {
    await results.close();
  }
}

function checkOptions(options: FarmOptionValues): void {
  if (options.command !== undefined) return;
  const useless = (["values", "siblings"] as const).find((name) => options[name]) ??
    (options.with.length > 0 ? "with" : undefined);
  if (useless === undefined) return;
  throw new OptionError(`option -${useless} needs -command: without it the inputs are whole work packages`);
}

async function plannedInputs(
  words: readonly string[],
  { command: jobCommand, values }: FarmOptionValues,
  journal: Journal,
  packages: Packages,
): Promise<readonly FarmInput[]> {
  // A first look finds the folders; their files belong to what the jobs are.
  const common = { command: jobCommand, values, names: journal.names, environmentOf: () => undefined };
  await packages.prepare((await readInputs(words, common)).map(({ path }) => path));
  return await readInputs(words, {
    ...common,
    environmentOf: (path) => packages.identityOf(path),
  });
}

async function undone(
  inputs: readonly FarmInput[],
  journal: Journal,
  folder: string,
): Promise<readonly FarmInput[]> {
  const done = await Promise.all(inputs.map((input) => journal.has(input, folder)));
  return inputs.filter((_input, index) => !done[index]);
}

function tellPlan(log: Log, all: number, waiting: number): void {
  const before = all - waiting;
  const earlier = before === 0 ? "" : `, ${before} of them done by an earlier run`;
  log.note(`${all} jobs${earlier}`, { event: "plan", jobs: all, done: before });
}

/** Runs a farm with its display. */
async function work(
  context: Context<FarmOptionValues>,
  log: Log,
  makeFarm: (onLine: FarmDisplay["line"]) => Farm,
  parallel: number,
): Promise<number> {
  const { options, stdout, stderr } = context;
  const live = !options.json && stdout.isTerminal && options.table !== "off";
  const block = live || (options.table === "on" && !options.json) ? new LiveBlock(stdout) : undefined;
  const shown = block !== undefined && stderr.isTerminal
    ? openLog({ ...context, stderr: { ...stderr, write: (text) => block.print(text) } })
    : log;
  const farm = makeFarm((line) => display.line(line));
  using display = new FarmDisplay({ stdout, log: shown, json: options.json, block, view: () => farm.view });
  const status = new UserStatus(Ppid.scripting);
  const exitCode = await runScriptingJobs(context, shown, {
    sessions: parallel,
    // A job that fails comes again after the others: that is the farm's own affair.
    client: { ...jobSettings(options), maxTrials: 1 },
    status,
    onReport: (report) => takeReport(report, farm, status, shown),
    work: async (jobs) => await farm.run(jobs) ? 0 : 1,
  });
  const { view } = farm;
  display.line({ level: LogLevel.note, text: summary(view), fields: { event: "farm", ...view.counts } });
  return exitCode;
}

function takeReport(
  report: ScriptingClientReport | SessionReport,
  farm: Farm,
  status: UserStatus,
  log: Log,
): void {
  switch (report.type) {
    case "jobProgress":
      return farm.report(report);
    case "jobReady":
    case "jobRefused":
    case "jobEnvironment":
    case "jobProcessing":
    case "jobExited":
    case "jobRetried":
    case "jobFailover":
    case "jobDone":
      farm.report(report);
      return tellMonitor(farm.view, status);
    default: {
      status.report(report, performance.now());
      const { level, text, fields } = describeReport(report);
      log.write(level, text, fields);
    }
  }
}

/** What a monitor shows of the farm: how the whole stands, and not how many sessions it happens to have. */
function tellMonitor({ counts: { done, failed, running, waiting } }: FarmView, status: UserStatus): void {
  const total = done + failed + running + waiting;
  status.says(`${done} of ${total} jobs done, ${failed} failed, ${running} running`, "all");
}
