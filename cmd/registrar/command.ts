/** `rsp registrar`: the registrar of an operation scope (RFC 5352, RFC 5353; reference/rsplib.md §1.3 and §3.8). */
import { napBetweenMessages } from "../../ffi/poller.ts";
import { ComponentGroup, componentId, registrarStatus } from "../../protocol/csp/mod.ts";
import { defineCommand, SERVING_EXIT_CODES } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { resolveLocal } from "../driver/host_names.ts";
import { openLog, quietened } from "../driver/log.ts";
import { inLives } from "../driver/lives.ts";
import { pause } from "../driver/pause.ts";
import { reportStatus, statusPlan } from "../driver/status_reports.ts";
import type { StatusPlan } from "../driver/status_reports.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { RegistrarFiles } from "./files.ts";
import { beginLife } from "./life.ts";
import type { RegistrarLife, RegistrarWorld } from "./life.ts";
import { machineOptions } from "./machine_options.ts";
import { observe } from "./observers.ts";
import type { Observed } from "./observers.ts";
import { registrarOptionTable } from "./options.ts";
import type { RegistrarOptionValues } from "./options.ts";
import { registrarChannels, registrarEndpoints } from "./places.ts";

/** `rsp registrar` */
export const command: Command = defineCommand({
  name: "registrar",
  aliases: ["rspregistrar"],
  summary: "Registrar: knows which servers are in which pool",
  description: [
    "Announces itself by multicast, so that servers and users find it by themselves; takes registrations of servers " +
    "(pool elements), watches over them by keep-alives, and tells users (pool users) who is in a pool.",
    "Registrars of one network find each other, too: each knows the elements of all, and when one dies, another takes " +
    "over its elements.",
    "The signal SIGUSR1 makes it write down what it knows, as rsp hsdump shows it.",
  ],
  exitCodes: SERVING_EXIT_CODES,
  options: registrarOptionTable,
  examples: [
    { line: "rsp registrar", text: "the well-known ports and groups" },
    { line: "rsp registrar -asap=10.1.0.1,10.2.0.1:3863", text: "two addresses, one port" },
    { line: "rsp registrar -peer=10.1.0.2:9901", text: "a second registrar that multicast does not reach" },
    { line: "rsp registrar -cspserver=10.1.0.9 -cspinterval=500", text: "status reports to a monitor" },
    { line: "rsp registrar -loglevel=4 -json", text: "every action, as JSON" },
    { line: "rsp registrar -actionlogfile=actions.log.bz2", text: "every message in a packed file" },
  ],
  run,
});

async function run(context: Context<RegistrarOptionValues>): Promise<number> {
  const { options } = context;
  const channels = await registrarChannels(options), endpoints = await registrarEndpoints(options);
  const metrics = options.metrics && await resolveLocal(options.metrics);
  await machineOptions(options); // complains of wrong peers before anything is opened
  const plan = await statusPlan(options);
  const log = openLog(quietened(context));
  const files = new RegistrarFiles(options, (sentence) => log.error(sentence, { event: "file" }));
  try {
    const transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    try {
      using _naps = napBetweenMessages();
      const world = { transport, endpoints, channels, metrics, log, files };
      await inLives(
        options,
        { signal: context.signal, log },
        (signal) => live({ ...context, signal }, world, plan),
      );
    } finally {
      await transport.close();
    }
  } catch (error) {
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    await files.close();
  }
  log.note("terminated", { event: "terminated" });
  return 0;
}

/** One life: from the start until the signal. */
async function live(
  { options, signal, ready }: Context<RegistrarOptionValues>,
  world: RegistrarWorld & Pick<Observed, "metrics">,
  plan: StatusPlan | undefined,
): Promise<number> {
  const life = beginLife(await machineOptions(options), world);
  try {
    await using _observers = await observe({ ...life, metrics: world.metrics, log: world.log });
    await using _reports = plan && reportLife(life, world, plan);
    ready?.();
    await pause(Infinity, signal);
  } finally {
    await life.end();
  }
  return 0;
}

function reportLife(
  { registrar, registrarId, location }: RegistrarLife,
  { transport, log }: RegistrarWorld,
  plan: StatusPlan,
): AsyncDisposable {
  const sender = componentId(ComponentGroup.registrar, registrarId);
  const status = () => registrarStatus(registrar, registrarId, location);
  return reportStatus({ ...plan, sender, status, transport, log });
}
