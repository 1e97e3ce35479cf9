/** Options that all pool users have. */
import {
  logOptions,
  registrarHuntOptions,
  statusIdentifier,
  statusOptions,
  transportOptions,
} from "../common_options.ts";
import type { LogOptions, RegistrarHuntOptions, StatusOptions, TransportOptions } from "../common_options.ts";
import { identifier } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";

/** The options by name. */
export interface ClientOptions extends RegistrarHuntOptions, StatusOptions, TransportOptions, LogOptions {
  readonly identifier: Option<number | undefined>;
  readonly cspidentifier: Option<number | undefined>;
  readonly [name: string]: Option<unknown>;
}

/** What every pool user can be told. */
export const clientOptions: ClientOptions = {
  ...registrarHuntOptions,
  identifier: identifier("ID of this pool user in status reports", { group: "Status reports" }),
  cspidentifier: statusIdentifier,
  ...statusOptions,
  ...transportOptions,
  ...logOptions,
};

/** Values of {@linkcode clientOptions}. */
export type ClientOptionValues = OptionValues<ClientOptions>;
