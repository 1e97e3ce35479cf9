/** `rsp server -calcapp`: RSPLIB's CalcApp service. */
import { LogLevel } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { decimal, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { CalcAppServer } from "../../protocol/app/calcapp/server.ts";
import type { CalcAppServerOptions, CalcAppServerReport } from "../../protocol/app/calcapp/server_types.ts";
import { Prng } from "../../protocol/machine.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { describeService } from "./describe_service.ts";
import { CalcAppFiles, CalcAppHistory } from "./calcapp_files.ts";
import type { ServerOptionValues } from "./options.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service, ServiceContext } from "./service.ts";
import { REPLY_ENDPOINT, REPLY_HOST } from "./shared_endpoint.ts";

const group = "CalcApp service";
const milliseconds = { group, valueName: "ms", min: 100, max: 3_600_000 } as const;
const file = { group, valueName: "FILE", defaultValue: undefined } as const;

/** The options of the CalcApp service, by name. */
export interface CalcAppServiceOptions {
  readonly capmaxjobs: Option<number>;
  readonly capcapacity: Option<number>;
  readonly capkeepalivetransmissioninterval: Option<number>;
  readonly capkeepalivetimeoutinterval: Option<number>;
  readonly capcookiemaxtime: Option<number>;
  readonly capcookiemaxcalculations: Option<number>;
  readonly capcleanshutdownprobability: Option<number>;
  readonly capobject: Option<string>;
  readonly capvector: Option<string | undefined>;
  readonly capscalar: Option<string | undefined>;
  readonly [name: string]: Option<unknown>;
}

/** Options of the CalcApp service. */
export const calcAppServiceOptions: CalcAppServiceOptions = {
  capmaxjobs: integer("Jobs at the same time; further ones are rejected", {
    group,
    min: 1,
    max: 100_000,
    defaultValue: 10,
  }),
  capcapacity: decimal("Calculations a second, shared equally by the jobs", {
    group,
    min: 1,
    max: 1e15,
    defaultValue: 1_000_000,
  }),
  capkeepalivetransmissioninterval: integer("Ask a user for a sign of life that gave none for so long", {
    ...milliseconds,
    defaultValue: 2500,
  }),
  capkeepalivetimeoutinterval: integer("End the jobs of a user that does not answer for so long", {
    ...milliseconds,
    defaultValue: 2500,
  }),
  capcookiemaxtime: decimal("Age of a cookie at which a new one is sent", {
    group,
    valueName: "s",
    min: 0.1,
    max: 86_400,
    defaultValue: 5,
  }),
  capcookiemaxcalculations: decimal("Calculations of a job after which a new cookie is sent", {
    group,
    min: 1,
    max: 1e15,
    defaultValue: 5_000_000,
  }),
  capcleanshutdownprobability: decimal("How probably a job's user gets a cookie when the service ends", {
    group,
    valueName: "0…1",
    min: 0,
    max: 1,
    defaultValue: 1,
  }),
  capobject: text("Name of the service in statistics", {
    group,
    defaultValue: "scenario.calcapppoolelement[0]",
  }),
  capvector: text("Write a line into this file whenever a job starts or ends; .bz2 packs it", file),
  capscalar: text("Write totals into this file at the end; .bz2 packs it", file),
};

/**
 * Users at the same time. One without a job keeps its place for half a minute, so that many strangers could fill the
 * memory of a service without a limit.
 */
const MAX_SESSIONS = 100_000;

/** What services have done in earlier lives, by their command lines: those of a failure tester share one. */
const histories = new WeakMap<object, CalcAppHistory>();

type Options = ServerOptionValues & OptionValues<CalcAppServiceOptions>;

/** The service. */
export const calcAppService: Service = defineService({
  flag: "calcapp",
  summary: "Pretend to calculate jobs of a size (RSPLIB's CalcApp service)",
  options: calcAppServiceOptions,
  run: runCalcAppService,
});

async function runCalcAppService(context: ServiceContext<Options>): Promise<number> {
  const { options } = context;
  // Drawn here already, since the files name it.
  const identifier = options.identifier ?? randomIdentifier();
  await using files = openFiles(context, identifier);
  return await runService<never, never, CalcAppServerReport>({
    ...context,
    options: { ...options, identifier },
  }, {
    title: "CalcApp server",
    defaultPoolHandle: "CalcAppPool",
    dataEndpoint: REPLY_ENDPOINT,
    hostOptions: { ...REPLY_HOST, maxSessions: MAX_SESSIONS },
    wrap: (host) =>
      new ApplicationMachine(host, (outlet) => {
        const prng = new Prng(randomIdentifier());
        return new CalcAppServer(outlet, { ...calcAppServerOptions(options), prng });
      }),
    onEffect: () => {},
    describe: (report) => {
      writeDown(files, report);
      return describeCalcApp(report, options.capmaxjobs);
    },
  });
}

/** What the options mean to the machine. */
export function calcAppServerOptions(
  values: OptionValues<CalcAppServiceOptions>,
): Omit<CalcAppServerOptions, "prng"> {
  return {
    maxJobs: values.capmaxjobs,
    capacity: values.capcapacity,
    keepAliveIntervalMs: values.capkeepalivetransmissioninterval,
    keepAliveTimeoutMs: values.capkeepalivetimeoutinterval,
    cookieMaxTimeMs: 1000 * values.capcookiemaxtime,
    cookieMaxCalculations: values.capcookiemaxcalculations,
    cleanShutdownProbability: values.capcleanshutdownprobability,
  };
}

function openFiles({ options, log }: ServiceContext<Options>, elementId: number): CalcAppFiles {
  const history = histories.get(options) ?? new CalcAppHistory();
  histories.set(options, history);
  return new CalcAppFiles({
    history,
    service: {
      objectName: options.capobject,
      processId: Deno.pid,
      elementId,
      capacity: options.capcapacity,
      maxJobs: options.capmaxjobs,
    },
    vector: options.capvector,
    scalar: options.capscalar,
    onProblem: (sentence) => log.warning(sentence, { event: "file" }),
  });
}

function writeDown(files: CalcAppFiles, report: CalcAppServerReport | SessionReport): void {
  switch (report.type) {
    case "jobStarted":
      return files.accepted();
    case "jobRejected":
      return files.rejected();
    case "calcAppUsage":
      return files.usage(report.jobCount, report.used);
    default:
      return;
  }
}

function describeCalcApp(report: CalcAppServerReport | SessionReport, maxJobs: number): LogLine | undefined {
  const { note, warning, action } = LogLevel;
  switch (report.type) {
    case "jobStarted": {
      const { session, jobId: job, jobSize, completed, resumed } = report;
      const from = resumed ? `, goes on from ${completed}` : "";
      const text = `session ${session}: job ${job} of ${jobSize} calculations${from}`;
      return line(note, text, report.type, { session, job, jobSize, completed, resumed });
    }
    case "jobRejected": {
      const { session, jobId: job } = report;
      return line(note, `session ${session}: job ${job} rejected: all places are taken`, report.type, {
        session,
        job,
      });
    }
    case "jobCompleted": {
      const { session, jobId: job, jobSize } = report;
      return line(note, `session ${session}: job ${job} completed`, report.type, { session, job, jobSize });
    }
    case "jobEnded": {
      const { session, jobId: job, completed, reason } = report;
      const text = `session ${session}: job ${job} ended after ${completed} calculations: ${reason}`;
      return line(note, text, report.type, { session, job, completed, reason });
    }
    case "calcAppAborted": {
      const { session, reason } = report;
      return line(warning, `session ${session}: aborted: ${reason}`, report.type, { session });
    }
    case "calcAppUsage": {
      const { jobCount, used } = report;
      return line(action, `${jobCount} of ${maxJobs} jobs`, report.type, { jobCount, used });
    }
    default:
      return describeService(report);
  }
}
