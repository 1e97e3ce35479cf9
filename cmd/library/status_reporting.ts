/** Status reports of what the library opens, to a monitor such as `rsp cspmonitor`. */
import {
  DEFAULT_STATUS_INTERVAL_MS,
  MAX_STATUS_INTERVAL_MS,
  MIN_STATUS_INTERVAL_MS,
} from "../common_options.ts";
import { resolveHosts } from "../driver/host_names.ts";
import { reportStatus } from "../driver/status_reports.ts";
import type { StatusPlan, StatusReportOptions } from "../driver/status_reports.ts";
import { readHostSocket } from "../options.ts";
import { CSP_PORT } from "../../protocol/csp/mod.ts";
import { PoolError } from "./pool_error.ts";
import { optionError } from "./pool_options.ts";
import type { PoolOptions } from "./pool_options.ts";

/** The options that say where reports go. */
export type StatusReporting = Pick<PoolOptions, "cspServer" | "cspIntervalMs" | "log">;

/**
 * What the options ask for; undefined = no reports.
 *
 * @throws {PoolError} when the monitor has no address, or the interval is none
 */
export async function reportingOf(
  { cspServer, cspIntervalMs = DEFAULT_STATUS_INTERVAL_MS }: StatusReporting,
): Promise<StatusPlan | undefined> {
  if (cspServer === undefined) return undefined;
  if (!(cspIntervalMs >= MIN_STATUS_INTERVAL_MS && cspIntervalMs <= MAX_STATUS_INTERVAL_MS)) {
    throw new PoolError(
      "option",
      `Cannot use option cspIntervalMs: it must be from ${MIN_STATUS_INTERVAL_MS} to ${MAX_STATUS_INTERVAL_MS}, ` +
        `not ${cspIntervalMs}`,
    );
  }
  try {
    const [socket] = await resolveHosts([readHostSocket(cspServer, CSP_PORT)]);
    const [address] = socket?.addresses ?? [];
    if (socket !== undefined && address !== undefined && socket.port !== 0) {
      return { server: { address, port: socket.port }, intervalMs: Math.round(cspIntervalMs) };
    }
  } catch (error) {
    throw optionError("cspServer", error);
  }
  throw new PoolError(
    "option",
    `Cannot use option cspServer: it must be the address of a monitor, such as 10.1.0.1:2960`,
  );
}

/** Begins to report, if that is asked for; disposing sends the final report. */
export function beginReports(
  plan: StatusPlan | undefined,
  { log }: StatusReporting,
  component: Pick<StatusReportOptions, "sender" | "status" | "transport">,
): AsyncDisposable | undefined {
  if (plan === undefined) return undefined;
  let isSaid = false;
  const once = (_: string, level: number, text: string) => {
    if (!isSaid) log?.({ level, text });
    isSaid = true;
  };
  return reportStatus({ ...plan, ...component, log: { once } });
}
