/** Runs the machine of a service until it is to end: the part that all services have in common. */
import type { Context } from "../command.ts";
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, Driver, DriverInput } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { resolveHosts } from "../driver/host_names.ts";
import { ASAP_ANNOUNCE_GROUP, groupOf } from "../driver/groups.ts";
import { randomIdentifier } from "../driver/random.ts";
import { locationOf, reportStatus, statusPlan } from "../driver/status_reports.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError } from "../options.ts";
import type { RegistrarHuntOptions } from "../common_options.ts";
import type { OptionValues } from "../options.ts";
import { ComponentGroup, componentId, elementStatus, RegistrarContact } from "../../protocol/csp/mod.ts";
import type { Machine } from "../../protocol/machine.ts";
import { formatTransportAddress, transportAddresses } from "../../protocol/net.ts";
import type { Endpoint, EndpointOptions, Instant, NetworkEffect, Transport } from "../../protocol/net.ts";
import type { LifecycleInput, ServiceHostReport } from "../../protocol/session/types.ts";
import { ServiceHost, serviceHostEndpoints } from "../../protocol/session/mod.ts";
import type { HuntOptions } from "../../protocol/user/hunt.ts";
import type { RequestOptions } from "../../protocol/user/registrar_link.ts";
import { MAX_POOL_HANDLE_LENGTH } from "../../protocol/param/pool_handle.ts";
import { encodeText } from "../../protocol/wire/text.ts";
import { describeReport, showId } from "./describe_reports.ts";
import type { LogLine } from "./describe_reports.ts";
import type { ServerOptionValues } from "./options.ts";

/** A machine that wraps a service host. */
export type ServiceMachine<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> = Machine<
  OwnInput | DriverInput | LifecycleInput,
  | OwnEffect
  | NetworkEffect
  | { readonly type: "report"; readonly report: OwnReport | ServiceHostReport }
  | { readonly type: "stopped" }
>;

/** What {@linkcode runService} needs to know of a service. */
export interface ServiceDefinition<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> {
  /** In words, such as `Fractal generator`. */
  readonly title: string;
  readonly defaultPoolHandle: string;
  /** What the endpoint of the sessions has different from the others'. */
  readonly dataEndpoint?: EndpointOptions;
  readonly wrap: (host: ServiceHost) => ServiceMachine<OwnInput, OwnEffect, OwnReport>;
  readonly onEffect: (effect: OwnEffect, driver: Driver<OwnInput>) => void;
  /** A line for a report of the service's own; undefined for one of its host. */
  readonly describe: (report: OwnReport | ServiceHostReport) => LogLine | undefined;
}

/** Time for the machine to end in order before its associations are left to SHUTDOWN. */
const STOP_LIMIT_MS = 5000;

/**
 * Opens the network, registers, serves until the context's signal, the end of `-runtime` or a refused registration with
 * `-giveup`, deregisters and ends.
 *
 * @returns the exit code: 0 = ended as asked for, 1 = the registration was refused
 */
export async function runService<OwnInput, OwnEffect extends { readonly type: string }, OwnReport>(
  context: Context<ServerOptionValues>,
  log: Log,
  definition: ServiceDefinition<OwnInput, OwnEffect, OwnReport>,
): Promise<number> {
  const { options, signal } = context;
  const poolName = options.poolhandle ?? definition.defaultPoolHandle;
  const elementId = options.identifier ?? randomIdentifier();
  const channels = announceChannels(options);
  const plan = await statusPlan(options);
  const contact = new RegistrarContact();
  const host = new ServiceHost({
    elementId,
    poolHandle: poolHandleOption(poolName),
    policy: options.policy,
    seed: randomIdentifier(),
    reregistrationIntervalMs: options.rereginterval,
    retryRefused: !options.giveup,
    ...await registrarOptions(options),
  });
  const endpoints = serviceHostEndpoints();
  const ending = Promise.withResolvers<number>();
  const endInOrder = () => ending.resolve(0);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let driver: Driver<OwnInput | LifecycleInput> | undefined;
  let transport: Transport | undefined;
  let reports: AsyncDisposable | undefined;
  try {
    transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    driver = drive(definition.wrap(host), {
      transport,
      endpoints: {
        hunt: endpoints.hunt,
        data: { ...endpoints.data, ...definition.dataEndpoint, ...localOptions(options.local) },
      },
      channels,
      onProblem: (sentence, channel) => log.once(channel, LogLevel.warning, sentence),
      onEffect: (effect) => {
        if (effect.type === "stopped") {
          ending.resolve(1); // unasked: the registration was refused for good
        } else if (effect.type === "report") {
          // The type parameter hides that this is the member with a report.
          const { report } = effect as { readonly report: OwnReport | ServiceHostReport };
          contact.report(report as ServiceHostReport, performance.now());
          const known = definition.describe(report) ?? describeReport(report as ServiceHostReport);
          log.write(known.level, known.text, known.fields);
        } else {
          definition.onEffect(effect as unknown as OwnEffect, driver as Driver<OwnInput>);
        }
      },
    });
    tellPlace(log, definition.title, elementId, poolName, driver.endpoint("data"));
    driver.input({ type: "start" });
    if (plan !== undefined) {
      const sender = componentId(ComponentGroup.element, elementId),
        location = locationOf(driver.endpoint("data"));
      const status = (now: Instant) => elementStatus(host, contact, location, now);
      reports = reportStatus({ ...plan, sender, status, transport, log });
    }
    context.ready?.();
    signal.addEventListener("abort", endInOrder);
    if (signal.aborted) endInOrder();
    if (options.runtime > 0) timer = setTimeout(endInOrder, options.runtime);
    const exitCode = await ending.promise;
    log.note("ending: the registration is taken back, sessions are shut down", { event: "ending" });
    await stopMachine(driver, STOP_LIMIT_MS);
    log.note("terminated", { event: "terminated" });
    return exitCode;
  } catch (error) {
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", endInOrder);
    await reports?.[Symbol.asyncDispose]();
    await driver?.close();
    await transport?.close();
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

/**
 * How registrars are found and asked, as the options say it.
 *
 * @throws {OptionError} when a registrar's host name has no address, or when no way to find one is left
 */
export async function registrarOptions(
  options: OptionValues<RegistrarHuntOptions>,
): Promise<RequestOptions & { readonly hunt: HuntOptions }> {
  const { asapannounce } = options;
  if ((asapannounce === "off" || asapannounce === "none") && options.registrar.length === 0) {
    throw new OptionError(`-asapannounce=${asapannounce} needs -registrar=host:port`);
  }
  const registrars = await resolveHosts(options.registrar);
  return {
    requestTimeoutMs: options.registrarrequesttimeout,
    responseTimeoutMs: options.registrarresponsetimeout,
    maxTrials: options.registrarrequestmaxtrials,
    hunt: {
      registrars: registrars.map(({ addresses, port }) => transportAddresses(addresses, port)),
      announceLifeMs: options.registrarannouncetimeout,
      connectTimeoutMs: options.registrarconnecttimeout,
      connectMaxTrials: options.registrarconnectmaxtrials,
    },
  };
}

/** The group to hear announces in; none when they are off. */
export function announceChannels(
  options: Pick<OptionValues<RegistrarHuntOptions>, "asapannounce">,
): Record<string, ChannelOptions> {
  const group = groupOf("asapannounce", options.asapannounce, ASAP_ANNOUNCE_GROUP);
  return group === undefined ? {} : { "asap-announce": { group, hear: true } };
}

/**
 * A pool handle as a user writes it.
 *
 * @throws {OptionError} when it is longer than every implementation takes
 */
export function poolHandleOption(name: string): Uint8Array {
  const octets = encodeText(name);
  if (octets.length <= MAX_POOL_HANDLE_LENGTH) return octets;
  throw new OptionError(
    `option -poolhandle must have 1 to ${MAX_POOL_HANDLE_LENGTH} octets, but ${
      JSON.stringify(name)
    } has ${octets.length}`,
  );
}

function localOptions(local: ServerOptionValues["local"]): EndpointOptions {
  return typeof local === "object" ? { port: local.port, addresses: local.addresses } : {};
}
