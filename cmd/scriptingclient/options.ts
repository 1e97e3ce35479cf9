/** Options of `rsp scriptingclient` (reference/rsplib.md §1.5). */
import { decimal, flag, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import type { ScriptingClientOptions } from "../../protocol/app/scripting/client.ts";

/** How jobs and their servers are treated, by name: for all programs that have jobs run. */
export interface JobOptions {
  readonly poolhandle: Option<string>;
  readonly sign: Option<string | undefined>;
  readonly maxretry: Option<number>;
  readonly retrydelay: Option<number>;
  readonly transmittimeout: Option<number>;
  readonly keepaliveinterval: Option<number>;
  readonly keepalivetimeout: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** The options by name. */
export interface ScriptingClientOptionTable extends JobOptions, ClientOptions {
  readonly input: Option<string | undefined>;
  readonly output: Option<string | undefined>;
  readonly environment: Option<string | undefined>;
  readonly stdout: Option<string | undefined>;
  readonly stderr: Option<string | undefined>;
  readonly follow: Option<boolean>;
  readonly runid: Option<string | undefined>;
  readonly timeout: Option<number>;
  readonly quiet: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

const group = "Servers";
const milliseconds = { group, valueName: "ms", max: 3_600_000 } as const;

/** How jobs and their servers are treated. */
export const jobOptions: JobOptions = {
  poolhandle: text("Pool that runs jobs, 1 to 32 octets", { group, defaultValue: "ScriptingPool" }),
  sign: text("Sign what is uploaded by this key of your own, but for files named .gpg, which are signed", {
    group,
    valueName: "KEY",
    defaultValue: undefined,
  }),
  maxretry: integer("How often a job that fails is run", {
    group,
    min: 1,
    max: 1_000_000,
    defaultValue: 3,
  }),
  retrydelay: integer("Longest pause before another server is asked; the first ones are shorter", {
    ...milliseconds,
    min: 100,
    defaultValue: 10_000,
  }),
  transmittimeout: integer(
    "Leave a server that takes or says nothing for so long; several times that for what waits on a slow path",
    {
      ...milliseconds,
      min: 100,
      defaultValue: 59_500,
    },
  ),
  keepaliveinterval: integer("How often a server is asked whether it lives", {
    ...milliseconds,
    min: 100,
    defaultValue: 10_000,
  }),
  keepalivetimeout: integer("Leave a server that does not answer for so long", {
    ...milliseconds,
    min: 100,
    defaultValue: 10_000,
  }),
};

/** What the machine is told of {@linkcode jobOptions}. */
export function jobSettings(options: OptionValues<JobOptions>): Omit<ScriptingClientOptions, "prng"> {
  return {
    poolHandle: poolHandleOption(options.poolhandle),
    maxTrials: options.maxretry,
    retryDelayMs: options.retrydelay,
    transmitTimeoutMs: options.transmittimeout,
    keepAliveIntervalMs: options.keepaliveinterval,
    keepAliveTimeoutMs: options.keepalivetimeout,
  };
}

const file = { group: "Job", valueName: "FILE", defaultValue: undefined } as const;

/** What `rsp scriptingclient` can be told. */
export const scriptingClientOptions: ScriptingClientOptionTable = {
  input: text("The work package: an archive (tar, tar.gz, tar.bz2) with the program ssrun", file),
  output: text("Where the result goes", file),
  environment: text("An archive that servers keep for the next job that needs it", file),
  stdout: text("Where the job's standard output goes; none = it is not kept", {
    ...file,
    defaultText: "OUTPUT.stdout, where there is any",
  }),
  stderr: text("Where the job's standard error goes; none = it is not kept", {
    ...file,
    defaultText: "OUTPUT.stderr, where there is any",
  }),
  follow: flag("Show what the job prints while it runs", { group: "Job" }),
  runid: text("A name that stands before every line", { group: "Job", defaultValue: undefined }),
  timeout: decimal("Give the job up after this time; 0 = never", {
    group: "Job",
    valueName: "s",
    min: 0,
    max: 1_000_000,
    defaultValue: 0,
  }),
  quiet: flag("Show only what goes wrong"),
  ...jobOptions,
  ...clientOptions,
};

/** Values of {@linkcode scriptingClientOptions}. */
export type ScriptingClientOptionValues = OptionValues<ScriptingClientOptionTable>;
