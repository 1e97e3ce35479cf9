/** Options of `rsp calcappclient` (reference/rsplib.md §1.5). */
import { backgroundOptions } from "../common_options.ts";
import type { BackgroundOptions } from "../common_options.ts";
import { decimal, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";
import { MAX_JOB_SIZE } from "../../protocol/app/calcapp/messages.ts";

/** The options by name. */
export interface CalcAppClientOptionTable extends ClientOptions, BackgroundOptions {
  readonly poolhandle: Option<string>;
  readonly jobinterval: Option<number>;
  readonly jobsize: Option<number>;
  readonly jobs: Option<number>;
  readonly runtime: Option<number>;
  readonly keepalivetransmissioninterval: Option<number>;
  readonly keepalivetimeoutinterval: Option<number>;
  readonly object: Option<string>;
  readonly vector: Option<string | undefined>;
  readonly scalar: Option<string | undefined>;
  readonly [name: string]: Option<unknown>;
}

const jobs = { group: "Jobs" } as const;
const quiet = { valueName: "ms", min: 100, max: 3_600_000 } as const;
const file = { group: "Files", valueName: "FILE", defaultValue: undefined } as const;

/** What `rsp calcappclient` can be told. */
export const calcAppClientOptions: CalcAppClientOptionTable = {
  poolhandle: text("Pool that calculates, 1 to 32 octets", { defaultValue: "CalcAppPool" }),
  jobinterval: decimal("Mean time between two jobs, exponentially distributed", {
    ...jobs,
    valueName: "s",
    min: 0.000_001,
    max: 86_400_000,
    defaultValue: 15,
  }),
  jobsize: decimal("Mean size of a job, exponentially distributed", {
    ...jobs,
    min: 1,
    max: MAX_JOB_SIZE / 100,
    defaultValue: 5_000_000,
  }),
  jobs: integer("End when so many jobs are completed; 0 = when the time is over", {
    ...jobs,
    min: 0,
    max: 0xffff_ffff,
    defaultValue: 0,
  }),
  runtime: decimal("End after this time, whatever is under way", {
    ...jobs,
    valueName: "s",
    min: 0.001,
    max: 2_000_000,
    defaultValue: 86_400,
  }),
  keepalivetransmissioninterval: integer("Ask an element that was quiet for so long for a sign of life", {
    ...quiet,
    defaultValue: 5000,
  }),
  keepalivetimeoutinterval: integer("Leave an element that does not answer for so long", {
    ...quiet,
    defaultValue: 5000,
  }),
  object: text("Name of the pool user in the files", {
    group: "Files",
    defaultValue: "scenario.calcapppooluser[0]",
  }),
  vector: text("Write a line into this file for each completed job; .bz2 packs it", file),
  scalar: text("Write totals into this file at the end; .bz2 packs it", file),
  ...clientOptions,
  ...backgroundOptions,
};

/** Values of {@linkcode calcAppClientOptions}. */
export type CalcAppClientOptionValues = OptionValues<CalcAppClientOptionTable>;
