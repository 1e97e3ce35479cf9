/** Options of `rsp hsdump`. */
import { logOptions, transportOptions } from "../common_options.ts";
import type { LogOptions, TransportOptions } from "../common_options.ts";
import { flag, integer } from "../options.ts";
import type { Option } from "../options.ts";

/** Options of `rsp hsdump`. */
export interface HsdumpOptionTable extends LogOptions, TransportOptions {
  readonly watch: Option<number | undefined>;
  readonly timeout: Option<number>;
  readonly json: Option<boolean>;
}

const general = { group: "General" } as const;

/** The table that parser, help and README read. */
export const hsdumpOptionTable: HsdumpOptionTable = {
  watch: integer("Read again and again, so many seconds after each reading", {
    ...general,
    valueName: "s",
    bareValue: "2",
    min: 1,
    max: 86_400,
    defaultValue: undefined,
  }),
  timeout: integer("How long the registrar may take to answer", {
    ...general,
    valueName: "ms",
    min: 100,
    max: 600_000,
    defaultValue: 10_000,
  }),
  ...transportOptions,
  ...logOptions,
  json: flag("A dump is one JSON object in one line", general),
};
