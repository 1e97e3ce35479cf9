/** Options of `rsp terminal` (reference/rsplib.md §1.5). */
import { decimal, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";

/** The options by name. */
export interface TerminalOptions extends ClientOptions {
  readonly poolhandle: Option<string>;
  readonly wait: Option<number>;
  readonly timeout: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** What `rsp terminal` can be told. */
export const terminalOptions: TerminalOptions = {
  poolhandle: text("Pool to talk to, 1 to 32 octets", { defaultValue: "EchoPool" }),
  wait: integer("At the end of the input wait for answers until none has come for so long", {
    valueName: "ms",
    min: 0,
    max: 3_600_000,
    defaultValue: 1000,
  }),
  timeout: decimal("End after this time; 0 = never", {
    valueName: "s",
    min: 0,
    max: 1_000_000,
    defaultValue: 0,
  }),
  ...clientOptions,
};

/** Values of {@linkcode terminalOptions}. */
export type TerminalOptionValues = OptionValues<TerminalOptions>;
