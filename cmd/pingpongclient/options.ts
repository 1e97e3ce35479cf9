/** Options of `rsp pingpongclient` (reference/rsplib.md §1.5). */
import { decimal, flag, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";

/** The options by name. */
export interface PingPongClientCommandOptions extends ClientOptions {
  readonly poolhandle: Option<string>;
  readonly interval: Option<number>;
  readonly count: Option<number>;
  readonly timeout: Option<number>;
  readonly recvtimeout: Option<number>;
  readonly quiet: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** What `rsp pingpongclient` can be told. */
export const pingPongClientOptions: PingPongClientCommandOptions = {
  poolhandle: text("Pool that answers, 1 to 32 octets", { defaultValue: "PingPongPool" }),
  interval: integer("Time between two messages", {
    valueName: "ms",
    min: 1,
    max: 3_600_000,
    defaultValue: 500,
  }),
  count: integer("End when so many messages were answered; 0 = go on until Ctrl+C", {
    min: 0,
    max: 1_000_000_000,
    defaultValue: 0,
  }),
  timeout: decimal("End after this time; 0 = never", {
    valueName: "s",
    min: 0,
    max: 1_000_000,
    defaultValue: 0,
  }),
  recvtimeout: integer("Leave an element that answers nothing for so long", {
    valueName: "ms",
    min: 100,
    max: 3_600_000,
    defaultValue: 5000,
  }),
  quiet: flag("Show problems and the statistics only"),
  ...clientOptions,
};

/** Values of {@linkcode pingPongClientOptions}. */
export type PingPongClientOptionValues = OptionValues<PingPongClientCommandOptions>;
