/** What the page is told: plain JSON values. Identifiers are texts of 16 hexadecimal digits, times are the monitor's in ms. */
import {
  associationKind,
  componentGroupOf,
  componentLabel,
  handlespaceCountsOf,
  isLate,
  sessionCountOf,
} from "../../../protocol/csp/mod.ts";
import type {
  Component,
  ComponentEvent,
  ComponentEventType,
  ComponentId,
  CurvePoints,
  MonitorStatistics,
} from "../../../protocol/csp/mod.ts";
import type { Instant } from "../../../protocol/net.ts";

/** Receivers that the page is told of a component: a stranger could make up more than a picture has room for. */
export const MAX_LINKS = 24;

/** Reports are late by different times: beginnings that are computed from them are the same within this time. */
const JITTER_MS = 1500;

/** Associations of a component with another one that speak the same. */
export interface LinkFact {
  readonly to: string;
  /** `FractGen/SCTP` */
  readonly kind: string;
  readonly count: number;
  /** Since when the oldest lasts; null = not known. */
  readonly since: number | null;
}

/** How a component is. */
export interface ComponentFact {
  readonly id: string;
  readonly group: number;
  /** `PE $000000f1` */
  readonly label: string;
  readonly location: string;
  readonly status: string;
  /** When it began to report, by its own clock. */
  readonly startedAt: number;
  readonly intervalMs: number;
  /** Where reports come from; each may come from another port. */
  readonly source: string;
  /** 0 to 1; null = it has none. */
  readonly load: number | null;
  /** Of elements and users; null = not known. */
  readonly sessions: number | null;
  /** Of registrars: elements that they are the home of. */
  readonly owned: number | null;
  /** Of elements: their pool, or what users speak with them. */
  readonly pool: string | null;
  /** It should have reported long ago; then since when it is silent. */
  readonly silentSince: number | null;
  readonly links: readonly LinkFact[];
  readonly associationCount: number;
}

/** Whom an event is about: where it was remains known when it is gone. */
export interface EventParty {
  readonly id: string;
  readonly label: string;
  readonly location: string;
}

/** Something that happened. */
export interface EventFact {
  readonly number: number;
  readonly at: number;
  readonly type: ComponentEventType;
  readonly component: EventParty;
  readonly from: EventParty | null;
  readonly to: EventParty | null;
  readonly count: number;
}

/** The clock of the monitor, and what it shows to people at that moment. */
export interface ClockFact {
  readonly now: number;
  readonly time: number;
}

/** A curve; JSON has no NaN. */
export interface CurveFact {
  readonly times: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** All that a page needs to know at first. */
export interface MonitorSnapshot {
  readonly clock: ClockFact;
  /** Where reports are awaited. */
  readonly at: string;
  readonly updateIntervalMs: number;
  /** How components are made to report. */
  readonly hint: readonly string[];
  readonly components: readonly ComponentFact[];
  readonly events: readonly EventFact[];
  readonly totals: CurveFact;
  readonly counts: readonly number[];
  readonly statistics: MonitorStatistics;
}

/** What has changed since the last telling. */
export interface MonitorChanges {
  readonly clock: ClockFact;
  readonly changed: readonly ComponentFact[];
  readonly left: readonly string[];
  readonly events: readonly EventFact[];
  /** Values of the last sample of all. */
  readonly totals: readonly (number | null)[];
  /** Components by group, whether the page is told of them or not: registrars, elements, users, others. */
  readonly counts: readonly number[];
  readonly statistics: MonitorStatistics;
}

/** An identifier for JSON, which has no such numbers. */
export function idText(id: ComponentId): string {
  return id.toString(16).padStart(16, "0");
}

/**
 * How a component is.
 *
 * @param pool undefined = not known
 * @param before what was told of it before: what differs by the lateness of reports only stays as it was
 */
export function componentFact(
  component: Component,
  now: Instant,
  pool: string | undefined,
  before: ComponentFact | undefined,
): ComponentFact {
  const { id, report, source, reportedAt, associationCount } = component;
  const { workload } = report;
  return {
    id: idText(id),
    group: componentGroupOf(id),
    label: componentLabel(id),
    location: report.location,
    status: report.status,
    startedAt: steady(reportedAt - Number(report.uptimeUs) / 1000, before?.startedAt),
    intervalMs: Math.round(report.intervalUs / 1000),
    source: source.address,
    load: workload === undefined ? null : Math.round(1000 * workload) / 1000,
    sessions: sessionCountOf(report) ?? null,
    owned: handlespaceCountsOf(report)?.ownElements ?? null,
    pool: pool ?? null,
    silentSince: isLate(component, now) ? Math.round(reportedAt) : null,
    links: linkFacts(component, before?.links ?? []),
    associationCount,
  };
}

/**
 * Whether a report says of a component what another one has said, but for times that go on. A false "no" does no harm.
 *
 * @param before a report of the same component
 */
export function saysTheSame(before: Component, after: Component): boolean {
  const { report: x } = before, { report: y } = after, elapsedMs = after.reportedAt - before.reportedAt;
  const goesOn = (from: bigint | undefined, to: bigint | undefined) =>
    from === undefined || to === undefined ? from === to : isNear(Number(to - from) / 1000 - elapsedMs);
  return x.location === y.location && x.status === y.status && x.workload === y.workload &&
    x.intervalUs === y.intervalUs && before.source.address === after.source.address &&
    before.associationCount === after.associationCount && goesOn(x.uptimeUs, y.uptimeUs) &&
    x.associations.every((one, index) => {
      const other = y.associations[index];
      return other !== undefined && one.receiver === other.receiver && one.ppid === other.ppid &&
        one.protocol === other.protocol && goesOn(one.durationUs, other.durationUs);
    });
}

/** Reports that are late by less than this say the same of beginnings. */
function isNear(milliseconds: number): boolean {
  return Math.abs(milliseconds) < JITTER_MS;
}

function linkFacts({ report, reportedAt }: Component, before: readonly LinkFact[]): LinkFact[] {
  const found = new Map<string, LinkFact>();
  for (const association of report.associations) {
    const { receiver, durationUs } = association, to = idText(receiver), kind = associationKind(association);
    const key = `${to} ${kind}`, known = found.get(key);
    const since = durationUs === undefined ? null : reportedAt - Number(durationUs) / 1000;
    if (known !== undefined) {
      const oldest = since === null || known.since === null
        ? known.since ?? since
        : Math.min(since, known.since);
      found.set(key, { ...known, count: known.count + 1, since: oldest });
    } else if (found.size < MAX_LINKS) {
      found.set(key, { to, kind, count: 1, since });
    }
  }
  return [...found.values()].map((link) => {
    const same = before.find(({ to, kind }) => to === link.to && kind === link.kind);
    return link.since === null ? link : { ...link, since: steady(link.since, same?.since ?? undefined) };
  });
}

function steady(instant: Instant, before: Instant | undefined): number {
  return before !== undefined && Math.abs(instant - before) < JITTER_MS ? before : Math.round(instant);
}

/** A curve for JSON, whose numbers are short: nobody sees a tenth of a per cent. */
export function curveFact({ times, columns }: CurvePoints): CurveFact {
  return { times: times.map(Math.round), columns: columns.map((column) => column.map(shortNumber)) };
}

/** A number for JSON. */
export function shortNumber(value: number): number | null {
  return Number.isFinite(value) ? Math.round(1000 * value) / 1000 : null;
}

/**
 * Something that happened.
 *
 * @param locationOf where a component is, or was
 */
export function eventFact(event: ComponentEvent, locationOf: (id: ComponentId) => string): EventFact {
  const party = (id: ComponentId): EventParty => ({
    id: idText(id),
    label: componentLabel(id),
    location: locationOf(id),
  });
  const { number, at, type, component, from, to, count } = event;
  return {
    number,
    at: Math.round(at),
    type,
    component: party(component),
    from: from === undefined ? null : party(from),
    to: to === undefined ? null : party(to),
    count,
  };
}
