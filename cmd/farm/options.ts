/** Options of `rsp farm`. */
import { choice, decimal, flag, integer, text, texts } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";
import { jobOptions } from "../scriptingclient/options.ts";
import type { JobOptions } from "../scriptingclient/options.ts";

/** The options by name. */
export interface FarmOptionTable extends JobOptions, ClientOptions {
  readonly command: Option<string | undefined>;
  readonly inputs: Option<string | undefined>;
  readonly values: Option<boolean>;
  readonly with: Option<readonly string[]>;
  readonly siblings: Option<boolean>;
  readonly output: Option<string>;
  readonly flat: Option<boolean>;
  readonly again: Option<boolean>;
  readonly parallel: Option<number>;
  readonly timeout: Option<number>;
  readonly table: Option<"auto" | "on" | "off">;
  readonly [name: string]: Option<unknown>;
}

const jobs = { group: "Jobs" } as const;
const results = { group: "Results" } as const;

/** What `rsp farm` can be told. */
export const farmOptions: FarmOptionTable = {
  command: text(
    "The job: a shell command; {} is the input, {.} without its extension, {#} the job's number",
    {
      ...jobs,
      defaultValue: undefined,
      defaultText: "inputs are work packages",
    },
  ),
  inputs: text("Read more inputs from a file, one a line; - is standard input", {
    ...jobs,
    valueName: "FILE",
    defaultValue: undefined,
  }),
  values: flag("Inputs are words for the command, not files", jobs),
  with: texts("A file or folder that every job needs; may be given several times", {
    ...jobs,
    valueName: "PATH",
  }),
  siblings: flag("Every job needs the files beside its input, too, but not the other inputs", jobs),
  parallel: integer("Jobs at the same time", {
    ...jobs,
    aliases: ["threads", "sessions"],
    min: 1,
    max: 512,
    defaultValue: 8,
  }),
  timeout: decimal("Give an attempt at a job up after this time; 0 = never", {
    ...jobs,
    valueName: "s",
    min: 0,
    max: 1_000_000,
    defaultValue: 0,
  }),
  output: text("Folder for the results", { ...results, valueName: "DIR", defaultValue: "farm-results" }),
  flat: flag("All results in one folder, not each job's in its own", results),
  again: flag("Do jobs again that an earlier run has done", results),
  table: choice(["auto", "on", "off"], "Show a table of who computes what; auto = in a terminal", {
    group: "Display",
    defaultValue: "auto",
  }),
  ...jobOptions,
  retrydelay: integer("Longest pause before another server is asked; the first ones are shorter", {
    group: "Servers",
    valueName: "ms",
    min: 100,
    max: 3_600_000,
    defaultValue: 2000, // shorter than for one job: places become free all the time, by this farm's own jobs
  }),
  ...clientOptions,
};

/** Values of {@linkcode farmOptions}. */
export type FarmOptionValues = OptionValues<FarmOptionTable>;
