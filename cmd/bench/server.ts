/** The side of `rsp bench` that listens: takes part in runs, and counts what any other program sends. */
import type { AssociationId, Endpoint, TransportEvent } from "../../protocol/net.ts";
import type { ConnectTask } from "./connect.ts";
import { openBenchEndpoint } from "./endpoint.ts";
import { sumProgress, watchProgress } from "./intervals.ts";
import { Party, type RunResult } from "./party.ts";
import type { ReportLine } from "./report.ts";

/** Tells of everything that happens at the side that listens. */
export interface ServerReports {
  listening(endpoint: Endpoint): void;
  line(line: ReportLine): void;
}

/** Listens until the signal comes or, with -once, until the first peers have left. */
export async function serve(
  { transport, options, local, signal }: Omit<ConnectTask, "peer">,
  reports: ServerReports,
): Promise<void> {
  const parties = new Map<AssociationId, Party>();
  const over = Promise.withResolvers<void>();
  let past = sumProgress([]);
  const handle = (event: TransportEvent, now: number) => {
    if (event.type === "up") {
      parties.set(
        event.association,
        new Party(endpoint, event, {
          onRun: (result) => tellResult(result, reports),
          onForeign: (figures) => {
            const result = { sent: figures, received: figures, retransmissions: undefined };
            reports.line({ type: "result", size: 0, direction: "received", associations: 1, result });
          },
        }),
      );
      return;
    }
    const party = parties.get(event.association);
    party?.handle(event, now);
    if (event.type !== "down" || party === undefined) return;
    parties.delete(event.association);
    past = sumProgress([past, party.progress()]);
    if (options.once && parties.size === 0) over.resolve();
  };
  const endpoint = openBenchEndpoint(
    transport,
    options,
    { port: options.port, listen: true, addresses: local },
    (events) => {
      const now = performance.now();
      for (const event of events) handle(event, now);
    },
  );
  reports.listening(endpoint);
  using _watch = watchProgress(
    options.interval,
    0,
    () => sumProgress([past, ...[...parties.values()].map((party) => party.progress())]),
    (line) => reports.line(line),
  );
  if (signal.aborted) over.resolve();
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  await over.promise;
  await endpoint.close();
}

function tellResult({ plan, outbound, inbound }: RunResult, reports: ServerReports): void {
  const facts = { type: "result", size: plan.size, associations: 1 } as const;
  if (outbound !== undefined) reports.line({ ...facts, direction: "sent", result: outbound });
  if (inbound !== undefined) reports.line({ ...facts, direction: "received", result: inbound });
}
