/** `rsp server`: pool elements of all services. */
import { defineCommand, SERVING_EXIT_CODES } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { inLives, limited } from "../driver/lives.ts";
import { openLog, quietened } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { flag, OptionError } from "../options.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import type { OptionTable } from "../options.ts";
import type { Transport } from "../../protocol/net.ts";
import { serverOptions } from "./options.ts";
import type { ServerOptionValues } from "./options.ts";
import type { Service } from "./service.ts";
import { services } from "./services.ts";

/** Offered when no service is named, as RSPLIB's server does. */
const DEFAULT_SERVICE = "echo";

/** Options that mean one pool element. */
const OF_ONE_ELEMENT = ["identifier", "cspidentifier", "poolhandle", "local"] as const;

/** The command. */
export const command: Command = defineCommand({
  name: "server",
  aliases: ["rspserver"],
  summary: "Offers services as elements of server pools",
  description: [
    "Finds a registrar, registers in the pool of the service and serves pool users until Ctrl+C, which " +
    "deregisters first. What a session has reached is given to its user as a cookie, so that another " +
    "element can go on with it.",
    "Several services may be named: each is a pool element of its own.",
  ],
  exitCodes: SERVING_EXIT_CODES,
  options: { ...serviceFlags(), ...serverOptions, ...optionsOfServices() },
  examples: [
    { line: "rsp server -fractal", text: "Compute fractal images in pool FractalGeneratorPool" },
    { line: "rsp server -fractal -fgpfailureafter=20", text: "Leave each session after 20 Data messages" },
    {
      line: "rsp server -fractal -registrar=10.1.0.1:3863",
      text: "Register at a registrar that is not announced",
    },
  ],
  async run(context) {
    const wanted = wantedServices(context);
    const log = openLog(quietened(context));
    return await limited(context.options.runtime, context.signal, (end) => {
      return inLives(context.options, { signal: end, log }, (signal) => {
        return runServices(wanted, { ...context, signal }, log);
      });
    });
  },
});

/** The options that name a service. */
function serviceFlags(): OptionTable {
  return Object.fromEntries(services.map(({ flag: name, summary }) => {
    return [name, flag(summary, { group: "Service" })];
  }));
}

function optionsOfServices(): OptionTable {
  return Object.assign({}, ...services.map(({ options }) => options));
}

/**
 * The services that the command line names.
 *
 * @throws {OptionError} when there are several and an option can be meant for one only
 */
function wantedServices({ options, given }: Context<ServerOptionValues>): readonly Service[] {
  if (options.poolhandle !== undefined) poolHandleOption(options.poolhandle); // before the network is opened
  const named = services.filter((service) => options[service.flag] === true);
  if (named.length === 0) return services.filter((service) => service.flag === DEFAULT_SERVICE);
  const contradicting = OF_ONE_ELEMENT.find((name) => given.has(name));
  if (named.length > 1 && contradicting !== undefined) {
    const names = named.map((service) => `-${service.flag}`).join(" and ");
    throw new OptionError(
      `option -${contradicting} is for one pool element, but ${names} are two: start two servers`,
    );
  }
  return named;
}

/** Runs services until all have ended. When one ends, for whatever reason, the others end in order. */
async function runServices(
  wanted: readonly Service[],
  context: Context<ServerOptionValues>,
  log: Log,
): Promise<number> {
  const { options } = context;
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  let starting = wanted.length;
  const ready = () => --starting === 0 ? context.ready?.() : undefined;
  let transport: Transport | undefined;
  try {
    transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    const common = { ...context, signal, ready, log, transport };
    const exitCodes = await Promise.all(wanted.map(async (service) => {
      try {
        return await service.run(common);
      } finally {
        end.abort();
      }
    }));
    return Math.max(...exitCodes);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    await transport?.close();
  }
}
