/** What the page of a monitor is told: all at first, and then what changes. */
import { ComponentGroup, componentGroupOf, isLate, MonitorHistory } from "../../../protocol/csp/mod.ts";
import type { Component, ComponentId, Monitor, MonitorReport } from "../../../protocol/csp/mod.ts";
import type { Instant } from "../../../protocol/net.ts";
import { componentFact, curveFact, eventFact, idText, saysTheSame, shortNumber } from "./facts.ts";
import type {
  ClockFact,
  ComponentFact,
  CurveFact,
  EventFact,
  MonitorChanges,
  MonitorSnapshot,
} from "./facts.ts";
import { PoolNames } from "./pool_names.ts";

/**
 * Components that the page is told of: twice as many as a big lab has, and no more than a browser draws. Those that were
 * there first are; the others are counted.
 */
export const MAX_PAGE_COMPONENTS = 1024;

/** Events that a new page is told of. */
const SNAPSHOT_EVENTS = 300;

/** Locations of components that left, for what happened to them. */
const MAX_LOCATIONS = 4096;

/** What stays the same. */
export interface FeedPlan {
  /** Where reports are awaited. */
  readonly at: string;
  readonly updateIntervalMs: number;
  /** How components are made to report. */
  readonly hint: readonly string[];
}

interface Told {
  /** What said so. */
  readonly component: Component;
  readonly fact: ComponentFact;
  readonly text: string;
}

/** Follows a monitor for its page. */
export class MonitorFeed {
  readonly #plan: FeedPlan;
  readonly #history = new MonitorHistory();
  readonly #pools = new PoolNames();
  readonly #told = new Map<ComponentId, Told>();
  readonly #locations = new Map<ComponentId, string>();
  #clock: ClockFact = { now: 0, time: 0 };
  #counts: readonly number[] = [0, 0, 0, 0];
  #statistics: Monitor["statistics"] | undefined;

  constructor(plan: FeedPlan) {
    this.#plan = plan;
  }

  /** Takes what the monitor tells. */
  report(report: MonitorReport, now: Instant): void {
    if ("component" in report) this.#locate(report.component);
    this.#history.report(report, now);
  }

  /**
   * Looks at the monitor: time for a sample, and for what has changed.
   *
   * @param time the moment for people
   */
  update(monitor: Pick<Monitor, "components" | "statistics">, now: Instant, time: Date): MonitorChanges {
    const { components, statistics } = monitor;
    const sample = this.#history.sample(components, now);
    this.#pools.update(components);
    this.#clock = { now: Math.round(now), time: time.getTime() };
    this.#counts = countGroups(components.keys());
    this.#statistics = statistics;
    const left = this.#takeLeft(components), changed = this.#takeChanged(components, now);
    return {
      clock: this.#clock,
      changed,
      left,
      events: this.#history.events.takeChanged().map((event) => this.#eventFact(event)),
      totals: sample.map(shortNumber),
      counts: this.#counts,
      statistics,
    };
  }

  /** All as it was told until now. */
  snapshot(): MonitorSnapshot {
    const none = { datagrams: 0, taken: 0, malformed: 0, conflicting: 0, overtaken: 0, overflowing: 0 };
    return {
      ...this.#plan,
      clock: this.#clock,
      components: [...this.#told.values()].map(({ fact }) => fact),
      events: this.#history.events.all().slice(-SNAPSHOT_EVENTS).map((event) => this.#eventFact(event)),
      totals: curveFact(this.#history.recentTotals.points()),
      counts: this.#counts,
      statistics: this.#statistics ?? none,
    };
  }

  /**
   * Load and sessions over time.
   *
   * @param id of a component, in 16 hexadecimal digits, for its last minutes; or `totals` for the whole time of all
   * @returns undefined = it is not there
   */
  history(id: string): CurveFact | undefined {
    if (id === "totals") return curveFact(this.#history.wholeTotals.points());
    const curve = /^[0-9a-f]{16}$/.test(id) ? this.#history.curveOf(BigInt(`0x${id}`)) : undefined;
    return curve && curveFact(curve.points());
  }

  #takeLeft(components: ReadonlyMap<ComponentId, Component>): string[] {
    const left = [...this.#told.keys()].filter((id) => !components.has(id));
    for (const id of left) this.#told.delete(id);
    return left.map(idText);
  }

  #takeChanged(components: ReadonlyMap<ComponentId, Component>, now: Instant): ComponentFact[] {
    const changed: ComponentFact[] = [];
    for (const component of components.values()) {
      const before = this.#told.get(component.id);
      if (before === undefined && this.#told.size >= MAX_PAGE_COMPONENTS) continue;
      const pool = this.#pools.of(component.id);
      // Nearly all reports say what was said before: silence is all that there may be to tell.
      const isSame = before !== undefined && before.fact.pool === (pool ?? null) &&
        (before.fact.silentSince !== null) === isLate(component, now) &&
        saysTheSame(before.component, component);
      if (isSame) continue;
      const fact = componentFact(component, now, pool, before?.fact), text = JSON.stringify(fact);
      if (text === before?.text) continue;
      this.#told.set(component.id, { component, fact, text });
      this.#locate(component);
      changed.push(fact);
    }
    return changed;
  }

  #locate({ id, report: { location } }: Component): void {
    if (location === "") return; // its last report has none
    this.#locations.delete(id);
    this.#locations.set(id, location);
    const [oldest] = this.#locations.keys();
    if (this.#locations.size > MAX_LOCATIONS && oldest !== undefined) this.#locations.delete(oldest);
  }

  #eventFact(event: Parameters<typeof eventFact>[0]): EventFact {
    return eventFact(event, (id) => this.#locations.get(id) ?? "");
  }
}

/** Registrars, elements, users, and others. */
function countGroups(ids: Iterable<ComponentId>): number[] {
  const counts = [0, 0, 0, 0];
  const { registrar, element, user } = ComponentGroup;
  for (const id of ids) {
    const place = [registrar, element, user].findIndex((group) => group === componentGroupOf(id));
    counts[place < 0 ? 3 : place]!++;
  }
  return counts;
}
