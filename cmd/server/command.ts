/** `rsp server`: pool elements of all services. */
import { defineCommand } from "../command.ts";
import type { Command } from "../command.ts";
import { inLives } from "../driver/lives.ts";
import { LogLevel, openLog } from "../driver/log.ts";
import { OptionError } from "../options.ts";
import { fractalServiceOptions, runFractalService } from "./fractal_service.ts";
import { serverOptions } from "./options.ts";
import type { ServerOptionValues } from "./options.ts";

/** Flags of services that are still to come. A new service gets its folder, its options, and a line in `run` below. */
const LATER = ["echo", "discard", "daytime", "chargen", "pingpong", "calcapp", "scripting"] as const;

/** The command. */
export const command: Command = defineCommand({
  name: "server",
  aliases: ["rspserver"],
  summary: "Offers a service as an element of a server pool",
  description: [
    "Finds a registrar, registers in the pool of the service and serves pool users until Ctrl+C, which " +
    "deregisters first. What a session has reached is given to its user as a cookie, so that another " +
    "element can go on with it.",
  ],
  options: { ...serverOptions, ...fractalServiceOptions },
  examples: [
    { line: "rsp server -fractal", text: "Compute fractal images in pool FractalGeneratorPool" },
    { line: "rsp server -fractal -fgpfailureafter=20", text: "Leave each session after 20 Data messages" },
    {
      line: "rsp server -fractal -registrar=10.1.0.1:3863",
      text: "Register at a registrar that is not announced",
    },
  ],
  async run(context) {
    const { options } = context;
    const later = LATER.find((service) => options[service]);
    if (later !== undefined) throw new OptionError(`the service -${later} is not there yet; -fractal is`);
    if (!options.fractal) throw new OptionError("say which service to offer: -fractal");
    const log = openLog(quietened(context));
    return await inLives(options, { signal: context.signal, log }, (signal) => {
      return runFractalService({ ...context, signal }, log);
    });
  },
});

/** `-quiet` lowers the log level, unless that was chosen. */
function quietened<
  Values extends ServerOptionValues,
  Rest extends { options: Values; given: ReadonlySet<string> },
>(
  context: Rest,
): Rest {
  if (!context.options.quiet || context.given.has("loglevel")) return context;
  return { ...context, options: { ...context.options, loglevel: LogLevel.warning } };
}
