/** What a service of `rsp server` is. Each lives in a file or folder of its own and is listed in `services.ts`. */
import type { Context } from "../command.ts";
import type { Log } from "../driver/log.ts";
import type { OptionTable } from "../options.ts";
import type { Transport } from "../../protocol/net.ts";
import type { ServerOptionValues } from "./options.ts";

/** What a service runs in. Several services of one process share the transport. */
export interface ServiceContext<Values = ServerOptionValues> extends Context<Values> {
  readonly log: Log;
  readonly transport: Transport;
}

/** A service. */
export interface Service {
  /** The option that asks for it, without the dash. */
  readonly flag: string;
  /** What the option does, for the help text. */
  readonly summary: string;
  /** Options of its own, besides those that every service has. */
  readonly options: OptionTable;
  /**
   * Serves until the context's signal.
   *
   * @returns the exit code: 0 = ended as asked for, 1 = it cannot serve (a line in the log said why)
   */
  run(context: ServiceContext): Promise<number>;
}

/** How a service is written down: as {@linkcode Service}, with the option values typed by its own table, too. */
export interface ServiceDefinition<Values extends ServerOptionValues> extends Omit<Service, "run"> {
  run(context: ServiceContext<Values>): Promise<number>;
}

/** Makes a service. */
export function defineService<Values extends ServerOptionValues>(
  definition: ServiceDefinition<Values>,
): Service {
  return {
    ...definition,
    // The cast says what the command guarantees: its table contains the options of every service.
    run: (context) => definition.run(context as ServiceContext<Values>),
  };
}
