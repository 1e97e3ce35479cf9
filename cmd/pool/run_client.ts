/** Runs the machine of a pool user until its work is done: the part that all clients have in common. */
import type { Context } from "../command.ts";
import { drive, stopMachine } from "../driver/drive.ts";
import type { Driver, DriverInput } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { randomIdentifier, randomObject } from "../driver/random.ts";
import { locationOf, reportStatus, statusPlan } from "../driver/status_reports.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError } from "../options.ts";
import { ComponentGroup, componentId } from "../../protocol/csp/mod.ts";
import type { UserStatus } from "../../protocol/csp/mod.ts";
import type { Machine } from "../../protocol/machine.ts";
import type { EndpointOptions, Instant, NetworkEffect, Transport } from "../../protocol/net.ts";
import { SessionClient, sessionClientEndpoints } from "../../protocol/session/mod.ts";
import type { SessionClientOptions } from "../../protocol/session/mod.ts";
import type { LifecycleInput, SessionReport } from "../../protocol/session/types.ts";
import type { ClientOptionValues } from "./client_options.ts";
import { announceChannels, registrarOptions } from "./hunt.ts";

/** A machine that wraps a session client. */
export type ClientMachine<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> = Machine<
  OwnInput | DriverInput | LifecycleInput,
  | OwnEffect
  | NetworkEffect
  | { readonly type: "report"; readonly report: OwnReport | SessionReport }
  | { readonly type: "stopped" }
>;

/** What {@linkcode runClient} needs to know of a client. */
export interface ClientPlan<OwnInput, OwnEffect extends { readonly type: string }, OwnReport> {
  /** Most sessions at the same time, at least 1. */
  readonly sessions: number;
  /** What its session client has different from the others'. */
  readonly clientOptions?: Partial<SessionClientOptions>;
  /** What the endpoints of its sessions have different from the others'. */
  readonly dataEndpoint?: EndpointOptions;
  /** What a monitor is told. The client feeds it the reports. */
  readonly status: UserStatus;
  readonly wrap: (client: SessionClient) => ClientMachine<OwnInput, OwnEffect, OwnReport>;
  /** Takes each effect of the client's own. */
  readonly onEffect: (effect: OwnEffect, driver: Driver<OwnInput>) => void;
  /** Takes each report, the session layer's, too. */
  readonly onReport: (report: OwnReport | SessionReport) => void;
  /**
   * Does the work, and resolves with the exit code when it is done or when the context's signal is aborted. The machine has
   * been started.
   */
  readonly work: (driver: Driver<OwnInput>) => Promise<number>;
}

/** Time for the sessions to end in order before their associations are left to SHUTDOWN. */
const STOP_LIMIT_MS = 3000;

/**
 * Opens the network, does the client's work, and ends its sessions in order.
 *
 * @returns the exit code
 * @throws {OptionError} when an option names what does not exist
 */
export async function runClient<OwnInput, OwnEffect extends { readonly type: string }, OwnReport>(
  { options }: Pick<Context<ClientOptionValues>, "options">,
  log: Log,
  plan: ClientPlan<OwnInput, OwnEffect, OwnReport>,
): Promise<number> {
  const channels = await announceChannels(options);
  const reporting = await statusPlan(options);
  const client = new SessionClient({
    seed: randomIdentifier(),
    ...await registrarOptions(options),
    ...plan.clientOptions,
  });
  let transport: Transport | undefined;
  let driver: Driver<OwnInput | LifecycleInput> | undefined;
  let reports: AsyncDisposable | undefined;
  try {
    transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    driver = drive(plan.wrap(client), {
      transport,
      endpoints: clientEndpoints(plan.sessions, plan.dataEndpoint),
      channels,
      onProblem: (sentence, channel) => log.once(channel, LogLevel.warning, sentence),
      onEffect: (effect) => {
        if (effect.type === "stopped") return;
        // The type parameters hide which member of the union it is.
        if (effect.type === "report") plan.onReport((effect as { readonly report: OwnReport }).report);
        else plan.onEffect(effect as unknown as OwnEffect, driver as Driver<OwnInput>);
      },
    });
    driver.input({ type: "start" });
    if (reporting !== undefined) {
      const sender = componentId(
        ComponentGroup.user,
        options.cspidentifier ?? options.identifier ?? randomObject(),
      );
      const location = locationOf(driver.endpoint("hunt"), false);
      const status = (now: Instant) => plan.status.status(location, now);
      reports = reportStatus({ ...reporting, sender, status, transport, log });
    }
    const exitCode = await plan.work(driver as Driver<OwnInput>);
    await stopMachine(driver, STOP_LIMIT_MS);
    return exitCode;
  } catch (error) {
    if (error instanceof OptionError) throw error;
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    await reports?.[Symbol.asyncDispose]();
    await driver?.close();
    await transport?.close();
  }
}

/** The endpoints of a session client, those of its sessions with what the client wants different. */
function clientEndpoints(
  sessions: number,
  dataEndpoint: EndpointOptions | undefined,
): Record<string, EndpointOptions> {
  const { hunt, ...data } = sessionClientEndpoints(sessions);
  const own = Object.entries(data).map(([name, options]) => [name, { ...options, ...dataEndpoint }] as const);
  return { hunt: { ...hunt }, ...Object.fromEntries(own) };
}
