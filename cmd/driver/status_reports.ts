/** Reports of a component's status to a monitor, as `-cspserver` and `-cspinterval` ask for them. */
import { hostname } from "node:os";
import { componentLocation, CSP_PORT, Reporter } from "../../protocol/csp/mod.ts";
import type { ComponentId, ComponentStatus, ReporterEffect, ReporterInput } from "../../protocol/csp/mod.ts";
import type { Endpoint, Instant, Transport, TransportAddress } from "../../protocol/net.ts";
import { DEFAULT_STATUS_INTERVAL_MS } from "../common_options.ts";
import type { StatusOptions } from "../common_options.ts";
import { OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { drive, stopMachine } from "./drive.ts";
import type { Driver } from "./drive.ts";
import { resolveHosts } from "./host_names.ts";
import type { Lookup } from "./host_names.ts";
import { LogLevel } from "./log.ts";
import type { Log } from "./log.ts";

/** Where reports go, and how often. */
export interface StatusPlan {
  readonly server: TransportAddress;
  readonly intervalMs: number;
}

/**
 * What the options ask for; undefined = no reports. One of the two is enough, as with RSPLIB's registrar.
 *
 * @param ask finds the monitor's address if it is named; the system's resolver unless a test has its own
 * @throws {OptionError} when the monitor has no address
 */
export async function statusPlan(
  options: OptionValues<StatusOptions>,
  ask?: Lookup,
): Promise<StatusPlan | undefined> {
  const { cspserver, cspinterval } = options;
  if (cspserver === undefined && cspinterval === undefined) return undefined;
  const intervalMs = cspinterval ?? DEFAULT_STATUS_INTERVAL_MS;
  const [socket] = await resolveHosts([cspserver ?? { hosts: ["127.0.0.1"], port: CSP_PORT }], ask);
  const [address] = socket?.addresses ?? [];
  if (socket === undefined || address === undefined || socket.port === 0) {
    throw new OptionError("option -cspserver must be the address of a monitor, such as 10.1.0.1:2960");
  }
  return { server: { address, port: socket.port }, intervalMs };
}

/** What to report, and by what. */
export interface StatusReportOptions extends StatusPlan {
  readonly sender: ComponentId;
  /** How the component is at this moment of the driver's clock. */
  readonly status: (now: Instant) => ComponentStatus;
  readonly transport: Transport;
  /** Takes each way in which reports fail, once. */
  readonly log: Pick<Log, "once">;
}

/** Begins to report; disposing sends the final report. */
export function reportStatus(options: StatusReportOptions): AsyncDisposable {
  const { server, intervalMs, sender, status, transport, log } = options;
  const driver: Driver<ReporterInput> = drive<ReporterInput, ReporterEffect>(
    new Reporter({ sender, intervalMs }),
    {
      transport,
      endpoints: {},
      channels: { csp: { to: server } },
      onEffect: (effect) => {
        if (effect.type === "statusWanted") {
          driver.input({ type: "status", status: status(performance.now()) });
        }
      },
      onProblem: (sentence) =>
        log.once("csp", LogLevel.warning, `status report: ${sentence}`, { event: "csp" }),
    },
  );
  driver.input({ type: "start" });
  return {
    async [Symbol.asyncDispose]() {
      await stopMachine(driver, 0);
      await driver.close();
    },
  };
}

/** Where a component is, in the words of reports: the addresses of its endpoint, with the port if others come to it. */
export function locationOf(
  { addresses, port }: Pick<Endpoint, "addresses" | "port">,
  comeToIt = true,
): string {
  return componentLocation(hostname(), addresses, comeToIt ? port : undefined);
}
