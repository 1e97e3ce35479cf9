/** Options of `rsp cspmonitor` (reference/rsplib.md §6.1). */
import { COMPONENT_ORDERS, ComponentGroup, CSP_PORT, MAX_COMPONENTS } from "../../protocol/csp/mod.ts";
import type { ComponentOrder } from "../../protocol/csp/mod.ts";
import { logOptions } from "../common_options.ts";
import type { LogOptions } from "../common_options.ts";
import { choice, flag, integer, OptionError, socket, text } from "../options.ts";
import type { HostSocket, Option, OptionValues } from "../options.ts";
import { webOption } from "../web/web_option.ts";
import type { WebChoice } from "../web/web_option.ts";
import type { ViewSettings } from "./settings.ts";

/** The options by name. */
export interface MonitorOptionTable extends LogOptions {
  readonly localaddress: Option<HostSocket | undefined>;
  readonly updateinterval: Option<number>;
  readonly purgeinterval: Option<number>;
  readonly compact: Option<boolean>;
  readonly full: Option<boolean>;
  readonly maxpr: Option<number>;
  readonly maxpe: Option<number>;
  readonly maxpu: Option<number>;
  readonly maxlocationsize: Option<number>;
  readonly sort: Option<ComponentOrder>;
  readonly reverse: Option<boolean>;
  readonly filter: Option<string>;
  readonly snapshots: Option<boolean>;
  readonly count: Option<number>;
  readonly json: Option<boolean>;
  readonly web: Option<WebChoice>;
}

/** Where the page usually is: under the number of the reports' own port, but of TCP. */
export const MONITOR_PAGE_PORT: number = CSP_PORT;

const show = { group: "What is shown" } as const;
const most = { ...show, valueName: "n", min: 0, max: MAX_COMPONENTS } as const;

/** The table that parser, help and README read. */
export const monitorOptionTable: MonitorOptionTable = {
  localaddress: socket("Where reports are awaited, by UDP", {
    words: [],
    defaultValue: undefined,
    defaultPort: CSP_PORT,
    defaultText: `[::]:${CSP_PORT}, or 0.0.0.0:${CSP_PORT} without IPv6`,
  }),
  updateinterval: integer("Time between two pictures, or two looks for changes", {
    valueName: "ms",
    min: 100,
    max: 3_600_000,
    defaultValue: 1000,
  }),
  purgeinterval: integer(
    "A component that says nothing for so long is gone; or after 10 of its own intervals",
    {
      aliases: ["purge"], // as it was called in 2010
      valueName: "ms",
      min: 1000,
      max: 3_600_000,
      defaultValue: 30_000,
    },
  ),
  compact: flag("One line a component, as without -full", show),
  full: flag("With each component its associations", show),
  maxpr: integer("Registrars that are shown at most", { ...most, defaultValue: 6 }),
  maxpe: integer("Pool elements that are shown at most", { ...most, defaultValue: 42 }),
  maxpu: integer("Pool users that are shown at most", { ...most, defaultValue: 24 }),
  maxlocationsize: integer("Characters of a location that are shown at most", {
    ...show,
    valueName: "n",
    min: 0,
    max: 127,
    defaultValue: 72,
  }),
  sort: choice(COMPONENT_ORDERS, "Order of the components of a kind", { ...show, defaultValue: "location" }),
  reverse: flag("The other way round", show),
  filter: text("Only components with this text in ID, location, status or address", {
    ...show,
    defaultValue: "",
  }),
  snapshots: flag(
    "Not in the terminal's window: all components at each update, instead of what changes",
    show,
  ),
  count: integer("End after so many updates; 0 = never", {
    ...show,
    valueName: "n",
    min: 0,
    max: 1_000_000_000,
    defaultValue: 0,
  }),
  ...logOptions,
  json: flag("One JSON object a line, for programs", show),
  web: webOption(MONITOR_PAGE_PORT),
};

/** Values of {@linkcode monitorOptionTable}. */
export type MonitorOptionValues = OptionValues<MonitorOptionTable>;

/**
 * What is shown at first.
 *
 * @throws {OptionError} when the options contradict each other
 */
export function viewSettings(options: MonitorOptionValues): ViewSettings {
  if (options.compact && options.full) throw new OptionError("cannot show -compact and -full at once");
  return {
    order: options.sort,
    isReversed: options.reverse,
    filter: options.filter,
    isTyping: false,
    limits: new Map([
      [ComponentGroup.registrar, options.maxpr],
      [ComponentGroup.element, options.maxpe],
      [ComponentGroup.user, options.maxpu],
    ]),
    isLimited: true,
    maxLocation: options.maxlocationsize,
    hasAssociations: options.full,
    isPaused: false,
    offset: 0,
  };
}
