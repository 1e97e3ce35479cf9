/** Options of `rsp server` (reference/rsplib.md §1.4) that every service has. */
import {
  backgroundOptions,
  logOptions,
  registrarHuntOptions,
  statusIdentifier,
  statusOptions,
  transportOptions,
} from "../common_options.ts";
import { livesOptions } from "../driver/lives.ts";
import type { LivesOptions } from "../driver/lives.ts";
import { flag, identifier, integer, socket, text } from "../options.ts";
import type { HostSocket, Option, OptionValues } from "../options.ts";
import type {
  BackgroundOptions,
  LogOptions,
  RegistrarHuntOptions,
  StatusOptions,
  TransportOptions,
} from "../common_options.ts";
import type { PolicyParameter } from "../../protocol/param/policy.ts";
import { policyOption } from "./policy_option.ts";

/** The options of every service, by name. */
export interface ServerOptions
  extends RegistrarHuntOptions, StatusOptions, LivesOptions, BackgroundOptions, TransportOptions, LogOptions {
  readonly identifier: Option<number | undefined>;
  readonly cspidentifier: Option<number | undefined>;
  readonly local: Option<"auto" | HostSocket | undefined>;
  readonly poolhandle: Option<string | undefined>;
  readonly policy: Option<PolicyParameter>;
  readonly rereginterval: Option<number>;
  readonly giveup: Option<boolean>;
  readonly businesscards: Option<boolean>;
  readonly runtime: Option<number>;
  readonly quiet: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** What every service can be told. */
export const serverOptions: ServerOptions = {
  identifier: identifier("ID of the pool element, and in status reports"),
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
  businesscards: flag(
    "Tell users who may take this element's place, so that they fail over without a registrar; not for RSPLIB's users",
  ),
  runtime: integer("End after this time; 0 = never", {
    valueName: "ms",
    min: 0,
    max: 0x7fff_ffff,
    defaultValue: 0,
  }),
  quiet: flag("Only warnings and errors in the log"),
  ...registrarHuntOptions,
  ...statusOptions,
  cspidentifier: statusIdentifier,
  ...backgroundOptions,
  ...transportOptions,
  ...logOptions,
  ...livesOptions,
};

/** Values of {@linkcode serverOptions}. */
export type ServerOptionValues = OptionValues<ServerOptions>;
