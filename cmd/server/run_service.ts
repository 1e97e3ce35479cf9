/** Runs the machine of a service until it is to end: the part that all services have in common. */
import { drive, stopMachine } from "../driver/drive.ts";
import type { Driver, DriverInput } from "../driver/drive.ts";
import { resolveLocal } from "../driver/host_names.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { locationOf, reportStatus, statusPlan } from "../driver/status_reports.ts";
import { transportFailure } from "../driver/transport.ts";
import { ComponentGroup, componentId, elementStatus, RegistrarContact } from "../../protocol/csp/mod.ts";
import type { Machine } from "../../protocol/machine.ts";
import { formatTransportAddress, transportAddresses } from "../../protocol/net.ts";
import type { Endpoint, EndpointOptions, Instant, NetworkEffect } from "../../protocol/net.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { LifecycleInput, ServiceHostReport, SessionReport } from "../../protocol/session/types.ts";
import type { ServiceHostOptions } from "../../protocol/session/mod.ts";
import { ServiceHost, serviceHostEndpoints } from "../../protocol/session/mod.ts";
import { announceChannels, poolHandleOption, registrarOptions } from "../pool/hunt.ts";
import { describeReport } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { ServerOptionValues } from "./options.ts";
import type { ServiceContext } from "./service.ts";

/** A machine that wraps a service host. */
export type ServiceMachine<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> = Machine<
  OwnInput | DriverInput | LifecycleInput,
  | OwnEffect
  | NetworkEffect
  | { readonly type: "report"; readonly report: OwnReport | SessionReport }
  | { readonly type: "stopped" }
>;

/** What {@linkcode runService} needs to know of a service. */
export interface ServicePlan<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> {
  /** In words, such as `Fractal generator`. */
  readonly title: string;
  readonly defaultPoolHandle: string;
  /** What its host has different from the others'. */
  readonly hostOptions?: Partial<ServiceHostOptions>;
  /** What the endpoint of the sessions has different from the others'. */
  readonly dataEndpoint?: EndpointOptions;
  readonly wrap: (host: ServiceHost) => ServiceMachine<OwnInput, OwnEffect, OwnReport>;
  readonly onEffect: (effect: OwnEffect, driver: Driver<OwnInput>) => void;
  /** A line for a report of the service's own; undefined for one of its host. */
  readonly describe: (report: OwnReport | SessionReport) => LogLine | undefined;
}

/** Time for the machine to end in order before its associations are left to SHUTDOWN. */
const STOP_LIMIT_MS = 5000;

/**
 * Opens its endpoints, registers, serves until the context's signal or a refused registration with `-giveup`, deregisters
 * and ends.
 *
 * @returns the exit code: 0 = ended as asked for, 1 = the registration was refused
 */
export async function runService<OwnInput, OwnEffect extends { readonly type: string }, OwnReport>(
  context: ServiceContext<ServerOptionValues>,
  plan: ServicePlan<OwnInput, OwnEffect, OwnReport>,
): Promise<number> {
  const { options, signal, log, transport } = context;
  const poolName = options.poolhandle ?? plan.defaultPoolHandle;
  const elementId = options.identifier ?? randomIdentifier();
  const channels = await announceChannels(options), local = await localOptions(options.local);
  const reporting = await statusPlan(options);
  const contact = new RegistrarContact();
  const host = new ServiceHost({
    elementId,
    poolHandle: poolHandleOption(poolName),
    policy: options.policy,
    seed: randomIdentifier(),
    reregistrationIntervalMs: options.rereginterval,
    retryRefused: !options.giveup,
    businessCards: options.businesscards,
    ...await registrarOptions(options),
    ...plan.hostOptions,
  });
  const endpoints = serviceHostEndpoints();
  const ending = Promise.withResolvers<number>();
  const endInOrder = () => ending.resolve(0);
  let driver: Driver<OwnInput | LifecycleInput> | undefined;
  let reports: AsyncDisposable | undefined;
  try {
    driver = drive(plan.wrap(host), {
      transport,
      endpoints: {
        hunt: endpoints.hunt,
        data: { ...endpoints.data, ...plan.dataEndpoint, ...local },
      },
      channels,
      onProblem: (sentence, channel) => log.once(channel, LogLevel.warning, sentence),
      onEffect: (effect) => {
        if (effect.type === "stopped") {
          ending.resolve(1); // unasked: the registration was refused for good
        } else if (effect.type === "report") {
          // The type parameter hides that this is the member with a report.
          const { report } = effect as { readonly report: OwnReport | SessionReport };
          contact.report(report as ServiceHostReport, performance.now());
          const known = plan.describe(report) ?? describeReport(report as SessionReport);
          log.write(known.level, known.text, known.fields);
        } else {
          plan.onEffect(effect as unknown as OwnEffect, driver as Driver<OwnInput>);
        }
      },
    });
    tellPlace(log, plan.title, elementId, poolName, driver.endpoint("data"));
    driver.input({ type: "start" });
    if (reporting !== undefined) {
      const sender = componentId(ComponentGroup.element, options.cspidentifier ?? elementId),
        location = locationOf(driver.endpoint("data"));
      const status = (now: Instant) => elementStatus(host, contact, location, now);
      reports = reportStatus({ ...reporting, sender, status, transport, log });
    }
    context.ready?.();
    signal.addEventListener("abort", endInOrder);
    if (signal.aborted) endInOrder();
    const exitCode = await ending.promise;
    log.note("ending: the registration is taken back, sessions are shut down", { event: "ending" });
    await stopMachine(driver, STOP_LIMIT_MS);
    log.note("terminated", { event: "terminated" });
    return exitCode;
  } catch (error) {
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    signal.removeEventListener("abort", endInOrder);
    await reports?.[Symbol.asyncDispose]();
    await driver?.close();
  }
}

function tellPlace(log: Log, title: string, elementId: number, pool: string, endpoint: Endpoint): void {
  const addresses = transportAddresses(endpoint.addresses, endpoint.port).map(formatTransportAddress);
  const element = showId(elementId);
  log.note(`${title} ${element} for pool ${pool} at ${addresses.join(", ") || "no address yet"}`, {
    event: "place",
    element,
    pool,
    addresses,
  });
}

async function localOptions(local: ServerOptionValues["local"]): Promise<EndpointOptions> {
  return typeof local === "object" ? await resolveLocal(local) : {};
}
