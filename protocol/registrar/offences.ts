import { formatTransportAddresses, Ppid, transportAddresses } from "../net.ts";
import type { Instant } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import type { RegistrarReport } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** What offences need of the registrar around them. */
export interface OffenceContext {
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  readonly abort: (record: AssociationRecord, reason: string) => void;
}

/** What associations do that they should not: it is counted, told once, and may cost them the association. */
export class Offences {
  readonly #context: OffenceContext;

  /** @param context the registrar around it */
  constructor(context: OffenceContext) {
    this.#context = context;
  }

  /** A message came that cannot be read, or does not belong here. Who sends nothing else is expelled. */
  badMessage(record: AssociationRecord, reason: string, now: Instant): void {
    const { statistics, report } = this.#context;
    statistics.badMessages++;
    if (record.offends("bad message")) {
      report({ type: "offence", source: `association ${record.association}`, reason });
    }
    if (!record.toleratesBadMessage(now)) this.expel(record, "it sends nothing but bad messages");
  }

  /**
   * A message came of a protocol that is not served at its endpoint. One registrar protocol at the other's endpoint is a
   * mistake that will not mend itself (RSPLIB aborts it too); other protocols are ignored.
   */
  wrongProtocol(record: AssociationRecord, ppid: Ppid): void {
    const { statistics, report, abort } = this.#context;
    statistics.badMessages++;
    if (record.offends("PPID")) {
      const peer = formatTransportAddresses(transportAddresses(record.peerAddresses, record.peerPort));
      const source = `association ${record.association} of ${peer}`;
      report({ type: "offence", source, reason: `payload protocol ${ppid} is not served here` });
    }
    if (ppid === Ppid.asap || ppid === Ppid.enrp) abort(record, "the wrong one of ASAP and ENRP");
  }

  /** An association met a limit. */
  limit(record: AssociationRecord, reason: string): void {
    this.#context.statistics.limitsMet++;
    this.tellLimit(record, reason);
  }

  /** An association met a limit, which is counted elsewhere. */
  tellLimit(record: AssociationRecord, reason: string): void {
    if (!record.offends("limit")) return;
    this.#context.report({ type: "limit", source: `association ${record.association}`, reason });
  }

  /** An association is not worth having any more. */
  expel(record: AssociationRecord, reason: string): void {
    this.limit(record, reason);
    this.#context.abort(record, reason);
  }
}
