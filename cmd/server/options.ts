/** Options of `rsp server` (reference/rsplib.md §1.4) that every service has. */
import {
  backgroundOptions,
  logOptions,
  registrarHuntOptions,
  statusOptions,
  transportOptions,
} from "../common_options.ts";
import { livesOptions } from "../driver/lives.ts";
import type { LivesOptions } from "../driver/lives.ts";
import { flag, identifier, integer, socket, text } from "../options.ts";
import type { Option, OptionValues, Socket } from "../options.ts";
import type {
  BackgroundOptions,
  LogOptions,
  RegistrarHuntOptions,
  StatusOptions,
  TransportOptions,
} from "../common_options.ts";
import type { PolicyParameter } from "../../protocol/param/policy.ts";
import { policyOption } from "./policy_option.ts";

const service = { group: "Service" } as const;

/** The options of every service, by name. */
export interface ServerOptions
  extends RegistrarHuntOptions, StatusOptions, LivesOptions, BackgroundOptions, TransportOptions, LogOptions {
  readonly fractal: Option<boolean>;
  readonly echo: Option<boolean>;
  readonly discard: Option<boolean>;
  readonly daytime: Option<boolean>;
  readonly chargen: Option<boolean>;
  readonly pingpong: Option<boolean>;
  readonly calcapp: Option<boolean>;
  readonly scripting: Option<boolean>;
  readonly identifier: Option<number | undefined>;
  readonly local: Option<"auto" | Socket | undefined>;
  readonly poolhandle: Option<string | undefined>;
  readonly policy: Option<PolicyParameter>;
  readonly rereginterval: Option<number>;
  readonly giveup: Option<boolean>;
  readonly runtime: Option<number>;
  readonly quiet: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** What `-fractal` and its sisters, and every service, can be told. */
export const serverOptions: ServerOptions = {
  fractal: flag("Compute fractal images (RSPLIB's Fractal Generator Service)", service),
  echo: flag("Echo service (not there yet)", service),
  discard: flag("Discard service (not there yet)", service),
  daytime: flag("Daytime service (not there yet)", service),
  chargen: flag("Character generator (not there yet)", service),
  pingpong: flag("Ping pong service (not there yet)", service),
  calcapp: flag("Calculation service (not there yet)", service),
  scripting: flag("Scripting service (not there yet)", service),
  identifier: identifier("ID of the pool element"),
  local: socket("Where sessions are accepted", {
    words: ["auto"],
    defaultValue: "auto",
    defaultText: "all addresses, any port",
    defaultPort: 0,
  }),
  poolhandle: text("Pool to register in, 1 to 32 octets", {
    defaultValue: undefined,
    defaultText: "the service's own, such as FractalGeneratorPool",
  }),
  policy: policyOption("How users of the pool choose an element", "RoundRobin"),
  rereginterval: integer("How often to register again; a registration lives three times as long", {
    valueName: "ms",
    min: 10,
    max: 1_000_000_000,
    defaultValue: 30_000,
  }),
  giveup: flag("End with exit code 1 when a registration is refused, instead of trying again"),
  runtime: integer("End after this time; 0 = never", {
    valueName: "ms",
    min: 0,
    max: 0x7fff_ffff,
    defaultValue: 0,
  }),
  quiet: flag("Only warnings and errors in the log"),
  ...registrarHuntOptions,
  ...statusOptions,
  ...backgroundOptions,
  ...transportOptions,
  ...logOptions,
  ...livesOptions,
};

/** Values of {@linkcode serverOptions}. */
export type ServerOptionValues = OptionValues<ServerOptions>;
