import type { EndpointUnreachable } from "../asap/mod.ts";
import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import type { Instant } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import type { BadReports } from "./bad_reports.ts";
import type { Offences } from "./offences.ts";
import { PoolRates } from "./pool_rates.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** What unreachable reports need of the registrar around them. */
export interface UnreachableReportContext {
  readonly handlespace: Handlespace;
  readonly statistics: RegistrarStatistics;
  readonly badReports: BadReports;
  /** Reports a second that one association may send about one pool; absent = no limit. */
  readonly maxUnreachableRate?: number;
  readonly offences: Offences;
  readonly report: (report: RegistrarReport) => void;
  /** Asks an element for a sign of life, whoever its home is, unless that was done just now. */
  readonly suspect: (entry: ElementEntry, now: Instant) => void;
  /** Removes an element, whoever its home is. */
  readonly remove: (entry: ElementEntry, reason: RemovalReason) => void;
}

/** Takes what users and elements report about elements that they do not reach (RFC 5352 §3.5). */
export class UnreachableReports {
  readonly #context: UnreachableReportContext;

  /** @param context the registrar around it */
  constructor(context: UnreachableReportContext) {
    this.#context = context;
  }

  /** Takes an ASAP_ENDPOINT_UNREACHABLE. */
  take(record: AssociationRecord, { poolHandle, elementId }: EndpointUnreachable, now: Instant): void {
    const { handlespace, statistics, report, badReports, maxUnreachableRate, offences, suspect, remove } =
      this.#context;
    statistics.unreachableReports++;
    if (maxUnreachableRate !== undefined) {
      record.unreachables ??= new PoolRates(maxUnreachableRate);
      if (!record.unreachables.admits(poolHandle, now)) {
        return offences.limit(record, "it reports too often");
      }
    }
    const entry = handlespace.find(poolHandle, elementId);
    if (entry === undefined) return; // gone already
    const { limit } = badReports;
    const count = badReports.add(entry, record.host, now);
    report({ type: "unreachable", poolHandle, elementId, association: record.association, count, limit });
    if (count >= limit) remove(entry, "reported unreachable");
    else suspect(entry, now); // one report may be a path's fault
  }
}
