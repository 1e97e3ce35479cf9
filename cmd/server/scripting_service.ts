/** `rsp server -scripting`: RSPLIB's Scripting Service. */
import { hostname } from "node:os";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import type { Driver } from "../driver/drive.ts";
import { flag, integer, OptionError } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { SCRIPTING_ENDPOINT } from "../../protocol/app/scripting/endpoint.ts";
import { MAX_SCRIPTING_INFO } from "../../protocol/app/scripting/messages.ts";
import { ScriptingServer } from "../../protocol/app/scripting/server.ts";
import type { ScriptingServerOptions } from "../../protocol/app/scripting/server.ts";
import { describeJobStatus } from "../../protocol/app/scripting/job_status.ts";
import type {
  JobPrinted,
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "../../protocol/app/scripting/types.ts";
import { formatTransportAddresses } from "../../protocol/net.ts";
import type { PolicyParameter } from "../../protocol/param/policy.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { encodeText } from "../../protocol/wire/text.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { showOctets, showRate, showSeconds } from "../pool/show_amounts.ts";
import type { ServerOptionValues } from "./options.ts";
import { policyOption } from "./policy_option.ts";
import { runService } from "./run_service.ts";
import { ScriptingDriver } from "./scripting/driver.ts";
import { scriptingDriverOptions, scriptingRunOptions } from "./scripting/options.ts";
import type { ScriptingRunOptions } from "./scripting/options.ts";
import { defineService } from "./service.ts";
import type { Service, ServiceContext } from "./service.ts";

const group = "Scripting service";
const milliseconds = { group, valueName: "ms", max: 3_600_000 } as const;

/** The options of the scripting service that are about its protocol, by name. */
export interface ScriptingServiceOptions {
  readonly ssmaxthreads: Option<number | undefined>;
  readonly sstransmittimeout: Option<number>;
  readonly sskeepaliveinterval: Option<number>;
  readonly sskeepalivetimeout: Option<number>;
  readonly ssverbose: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** Options of the scripting service that are about its protocol. */
export const scriptingServiceOptions: ScriptingServiceOptions = {
  ssmaxthreads: integer("Jobs at the same time; further ones are sent elsewhere", {
    group,
    min: 1,
    max: 10_000,
    defaultValue: undefined,
    defaultText: "as many as there are processors",
  }),
  sstransmittimeout: integer(
    "Give a user up that takes or sends nothing for so long; several times that for what waits on a slow path",
    {
      ...milliseconds,
      min: 100,
      defaultValue: 30_000,
    },
  ),
  sskeepaliveinterval: integer("How often a user is asked whether it lives", {
    ...milliseconds,
    min: 100,
    defaultValue: 15_000,
  }),
  sskeepalivetimeout: integer("Give a user up that does not answer for so long", {
    ...milliseconds,
    min: 100,
    defaultValue: 10_000,
  }),
  ssverbose: flag("Log what jobs print, as RSPLIB's server always does", { group }),
};

type Values =
  & ServerOptionValues
  & OptionValues<ScriptingServiceOptions>
  & OptionValues<ScriptingRunOptions>;

/** Associations beyond those with jobs: users that are told that there is no place, and results that are on their way. */
const PASSING_SESSIONS = 256;

/** The service. */
export const scriptingService: Service = defineService({
  flag: "scripting",
  summary: "Run jobs: archives with a program ssrun, whose results go back",
  options: { ...scriptingServiceOptions, ...scriptingRunOptions },
  run: (context: ServiceContext<Values>) => runScripting(context),
});

async function runScripting(context: ServiceContext<Values>): Promise<number> {
  const { options, log } = context;
  const maxSessions = options.ssmaxthreads ?? navigator.hardwareConcurrency;
  let running: Driver<ScriptingServerInput> | undefined;
  const answer = (input: ScriptingServerInput) => {
    if (options.ssverbose && input.type === "jobPrinted") tellPrinted(log, input);
    running?.input(input);
  };
  let jobs: ScriptingDriver;
  try {
    jobs = await ScriptingDriver.open({ ...scriptingDriverOptions(options), log }, answer);
  } catch (error) {
    if (error instanceof OptionError || !(error instanceof Error)) throw error;
    log.error(error.message, { event: "failed" });
    return 1;
  }
  try {
    return await runService<ScriptingServerInput, ScriptingServerEffect, ScriptingServerReport>(context, {
      title: "Scripting server",
      defaultPoolHandle: "ScriptingPool",
      hostOptions: {
        manualReceive: true,
        maxSessions: maxSessions + PASSING_SESSIONS,
        policy: policyFor(context, maxSessions),
      },
      dataEndpoint: SCRIPTING_ENDPOINT,
      wrap: (host) =>
        new ApplicationMachine(
          host,
          (outlet) => new ScriptingServer(outlet, { ...scriptingServerOptions(options), maxSessions }),
        ),
      onEffect: (effect, driver) => {
        running = driver;
        jobs.handle(effect);
      },
      describe: describeScripting,
    });
  } finally {
    await jobs.close();
  }
}

/** What the options mean to the machine. */
export function scriptingServerOptions(
  values: OptionValues<ScriptingServiceOptions>,
): Omit<ScriptingServerOptions, "maxSessions"> {
  return {
    info: encodeText(hostname()).subarray(0, MAX_SCRIPTING_INFO),
    transmitTimeoutMs: values.sstransmittimeout,
    keepAliveIntervalMs: values.sskeepaliveinterval,
    keepAliveTimeoutMs: values.sskeepalivetimeout,
  };
}

/** Where no policy is given, RSPLIB's: a server is chosen by its load, and each job makes it as much less likely as it loads. */
function policyFor({ options, given }: ServiceContext<Values>, maxSessions: number): PolicyParameter {
  if (given.has("policy")) return options.policy;
  return policyOption("", `LeastUsedDegradation:${(1 / maxSessions).toFixed(6)}`).defaultValue;
}

function tellPrinted(log: Log, { session, channel, data }: JobPrinted): void {
  const printed = new TextDecoder().decode(data);
  for (const text of printed.trimEnd().split("\n")) {
    log.note(`session ${session}: ${channel}: ${text}`, {
      event: "jobPrinted",
      session,
      channel,
      printed: text,
    });
  }
}

function describeScripting(report: ScriptingServerReport | SessionReport): LogLine | undefined {
  const { note, warning, action } = LogLevel;
  const say = (level: LogLevel, text: string, fields: LogLine["fields"] = {}) => {
    const session = "session" in report ? report.session : undefined;
    return line(level, `session ${session}: ${text}`, report.type, { session, ...fields });
  };
  switch (report.type) {
    case "scriptingFull":
      return say(note, `all places are taken: turned ${formatTransportAddresses(report.peer)} away`);
    case "scriptingStarted":
      return say(note, `a job from ${formatTransportAddresses(report.peer)}`, { jobCount: report.jobCount });
    case "scriptingEnvironment": {
      const hash = report.hash.toHex(), { found } = report;
      return say(action, `environment ${hash} is ${found ? "" : "not "}in the cache`, { hash, found });
    }
    case "scriptingWorking": {
      const { uploadedBytes, uploadMs } = report;
      return say(note, `uploaded ${amount(uploadedBytes, uploadMs)}: the job begins`, {
        uploadedBytes,
        uploadMs: Math.round(uploadMs),
      });
    }
    case "scriptingJobEnded": {
      const { status, reason, processingMs } = report;
      const text = `${showSeconds(processingMs)} of work: ${reason ?? describeJobStatus(status)}`;
      return say(status === 0 ? note : warning, text, {
        status,
        reason,
        processingMs: Math.round(processingMs),
      });
    }
    case "scriptingDone": {
      const { downloadedBytes, downloadMs } = report;
      return say(note, `sent the result, ${amount(downloadedBytes, downloadMs)}`, {
        downloadedBytes,
        downloadMs: Math.round(downloadMs),
      });
    }
    case "scriptingFailed":
      return say(warning, `the job is given up: ${report.reason}`, { reason: report.reason });
    default:
      return undefined;
  }
}

function amount(octets: number, milliseconds: number): string {
  return `${showOctets(octets)} in ${showSeconds(milliseconds)} (${showRate(octets, milliseconds)})`;
}
