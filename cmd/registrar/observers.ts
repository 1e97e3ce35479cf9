/** How a running registrar is looked into: metrics over HTTP, and a dump of its state on SIGUSR1. */
import { renderState, stateObject } from "../../protocol/dump/mod.ts";
import type { RegistrarState } from "../../protocol/dump/mod.ts";
import { formatTransportAddress } from "../../protocol/net.ts";
import type { Instant } from "../../protocol/net.ts";
import type { Registrar } from "../../protocol/registrar/mod.ts";
import type { Log } from "../driver/log.ts";
import type { Socket } from "../options.ts";
import { VERSION } from "../version.ts";
import { serveMetrics } from "./metrics.ts";
import { metricsText } from "./metrics_text.ts";

/** What is observed, and how. */
export interface Observed {
  readonly registrar: Pick<
    Registrar,
    "statistics" | "handlespace" | "peers" | "associationCount" | "unreachableReports"
  >;
  readonly registrarId: number;
  /** Where metrics are served; undefined = nowhere. */
  readonly metrics: Socket | undefined;
  readonly log: Log;
}

/**
 * Begins to observe a registrar; disposing ends it.
 *
 * @throws {MetricsError} when the address of the metrics cannot be had
 */
export async function observe(
  { registrar, registrarId, metrics, log }: Observed,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const process = { registrarId, version: VERSION, startedAt: new Date() };
  for (const address of metrics?.addresses ?? []) {
    const server = serveMetrics({ address, port: metrics?.port ?? 0 }, () => metricsText(registrar, process));
    stack.use(server);
    const where = `http://${formatTransportAddress(server.address)}/metrics`;
    log.note(`metrics are at ${where}`, { event: "metrics", where });
  }
  stack.use(onUserSignal(() => {
    const state = registrarState(registrar, registrarId, performance.now());
    log.block("state", renderState(state), { ...stateObject(state) });
  }));
  return stack.move();
}

/** What a registrar knows, at an instant of its driver's clock. */
export function registrarState(
  registrar: Observed["registrar"],
  registrarId: number,
  now: Instant,
): RegistrarState {
  return {
    registrarId,
    handlespace: registrar.handlespace,
    unreachableReports: (entry) => registrar.unreachableReports(entry, now),
    peers: [...registrar.peers].map(({ registrarId, addresses, port, isStatic, lastHeardAt }) => ({
      registrarId,
      addresses,
      port,
      isStatic,
      silentMs: lastHeardAt === undefined ? undefined : now - lastHeardAt,
    })),
  };
}

function onUserSignal(listener: () => void): Disposable {
  // Windows has no such signal.
  if (Deno.build.os === "windows") return { [Symbol.dispose]: () => {} };
  Deno.addSignalListener("SIGUSR1", listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGUSR1", listener) };
}
