import type { Instant } from "../net.ts";
import { ComponentGroup, componentGroupOf } from "./component_id.ts";
import type { ComponentId } from "./component_id.ts";
import { EventLog, MAX_EVENTS } from "./component_event.ts";
import type { NewEvent } from "./component_event.ts";
import { RecentCurve, WholeCurve } from "./curve.ts";
import { isLate } from "./lateness.ts";
import { MAX_COMPONENTS } from "./monitor.ts";
import type { Component, MonitorReport } from "./monitor.ts";
import { Movements } from "./movement.ts";
import type { Movement } from "./movement.ts";
import { handlespaceCountsOf, sessionCountOf } from "./status_text.ts";

/** Columns of the curve of a component: its workload from 0 to 1; its sessions, or the elements a registrar is the home of. */
export const COMPONENT_COLUMNS = ["load", "sessions"] as const;

/**
 * Columns of the curve of all: mean and highest workload of elements, sessions that elements have, and how many there are
 * of each kind.
 */
export const TOTAL_COLUMNS = [
  "meanLoad",
  "highestLoad",
  "sessions",
  "registrars",
  "elements",
  "users",
] as const;

/** Components that left lately, to know whom a session or an element had to leave. */
const MAX_LEFT = MAX_COMPONENTS;

/** Whoever left a component so shortly before it began anew did so because of that. */
const RESTART_MS = 5000;

/** Movements of one look that are told: as many as the log of events remembers. */
const MAX_MOVEMENTS = MAX_EVENTS;

/**
 * What became of the components that a monitor knows: load and sessions over time, of each and of all, and what happened.
 * Bounded: a curve has a limit, a curve goes with its component, old events go first.
 *
 * It is told what the monitor tells ({@linkcode MonitorHistory.report}), and looks at all components now and then
 * ({@linkcode MonitorHistory.sample}).
 */
export class MonitorHistory {
  /** What happened. */
  readonly events: EventLog = new EventLog();
  /** Of all, see {@linkcode TOTAL_COLUMNS}: the last minutes, and the whole time. */
  readonly recentTotals: RecentCurve = new RecentCurve(TOTAL_COLUMNS.length);
  readonly wholeTotals: WholeCurve = new WholeCurve(TOTAL_COLUMNS.length);
  readonly #curves = new Map<ComponentId, RecentCurve>();
  readonly #movements = new Movements();
  readonly #left = new Set<ComponentId>();
  /** When components began anew. */
  readonly #restarted = new Map<ComponentId, Instant>();

  /** Load and sessions of a component, see {@linkcode COMPONENT_COLUMNS}; undefined = it is not there. */
  curveOf(id: ComponentId): RecentCurve | undefined {
    return this.#curves.get(id);
  }

  /** Takes what the monitor tells. */
  report(report: MonitorReport, now: Instant): void {
    switch (report.type) {
      case "appeared":
        this.#left.delete(report.component.id);
        return this.#add({ type: "appeared", component: report.component.id }, now);
      case "restarted": {
        const { id } = report.component;
        this.#restarted.set(id, now);
        this.#add({ type: "restarted", component: id }, now);
        return this.#force(id, now - RESTART_MS);
      }
      case "left":
        return this.#leave(report.component, report.reason, now);
      case "conflict":
        return this.#add({ type: "conflict", component: report.component.id }, now);
      case "malformed":
      case "overflow":
        return; // no component
    }
  }

  /**
   * Looks at all components: a sample of each curve, and who went from whom to whom.
   *
   * @returns the sample of all, see {@linkcode TOTAL_COLUMNS}
   */
  sample(components: ReadonlyMap<ComponentId, Component>, now: Instant): readonly number[] {
    const isGone = (id: ComponentId, since: Instant) => this.#isGone(components.get(id), id, since, now);
    const totals = new Totals(), atUsers = sessionsAtUsers(components, now);
    let told = 0;
    for (const component of components.values()) {
      for (const movement of this.#movements.observe(component, now, isGone)) {
        if (told++ < MAX_MOVEMENTS) this.#tell(movement, now);
      }
      const { workload = Number.NaN } = component.report;
      const sessions = sessionCountOf(component.report) ?? handlespaceCountsOf(component.report)?.ownElements;
      this.#curve(component.id).add(now, [workload, sessions ?? Number.NaN]);
      totals.add(component, sessions ?? atUsers.get(component.id), isLate(component, now));
    }
    const row = totals.row();
    this.recentTotals.add(now, row);
    this.wholeTotals.add(now, row);
    return row;
  }

  #curve(id: ComponentId): RecentCurve {
    let curve = this.#curves.get(id);
    if (curve === undefined) this.#curves.set(id, curve = new RecentCurve(COMPONENT_COLUMNS.length));
    return curve;
  }

  #add(event: NewEvent, now: Instant): void {
    this.events.add(event, now);
  }

  #tell({ kind, component, from, to, count, isForced }: Movement, now: Instant): void {
    const isElement = componentGroupOf(component) === ComponentGroup.element;
    if (kind === "session") {
      const event: NewEvent = { type: isForced ? "failover" : "moved", component, from, to, count };
      return this.events.merge(event, now, (other) => other.component === component);
    }
    const event: NewEvent = {
      type: isForced && isElement ? "takeover" : "rehomed",
      component,
      from,
      to,
      count,
    };
    this.events.merge(
      event,
      now,
      (other) => componentGroupOf(other.component) === componentGroupOf(component),
    );
  }

  #leave({ id, reportedAt }: Component, reason: "ended" | "silent", now: Instant): void {
    this.#curves.delete(id);
    this.#movements.forget(id);
    this.#restarted.delete(id);
    this.#left.add(id);
    const [oldest] = this.#left;
    if (this.#left.size > MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
    this.#add({ type: reason, component: id }, now);
    this.#force(id, reportedAt);
  }

  /** Who left a component after its last report did so because it was gone, which is known only now. */
  #force(id: ComponentId, since: Instant): void {
    this.events.revise((event) => {
      if (event.from !== id || event.at < since) return undefined;
      const { type, component } = event;
      if (type === "moved") return { ...event, type: "failover" };
      const isElement = componentGroupOf(component) === ComponentGroup.element;
      return type === "rehomed" && isElement ? { ...event, type: "takeover" } : undefined;
    });
  }

  /** Whether somebody who left a component since an instant had to. What never reported may be there, or not. */
  #isGone(component: Component | undefined, id: ComponentId, since: Instant, now: Instant): boolean {
    if (component === undefined) return this.#left.has(id);
    return isLate(component, now) || (this.#restarted.get(id) ?? -Infinity) >= since - RESTART_MS;
  }
}

/**
 * Sessions that users have with others: an element does not say how many it has while it looks for a registrar, which is just
 * when one wants to see them go on.
 */
function sessionsAtUsers(
  components: ReadonlyMap<ComponentId, Component>,
  now: Instant,
): ReadonlyMap<ComponentId, number> {
  const counts = new Map<ComponentId, number>();
  for (const component of components.values()) {
    if (componentGroupOf(component.id) !== ComponentGroup.user || isLate(component, now)) continue;
    for (const { receiver } of component.report.associations) {
      if (components.has(receiver)) counts.set(receiver, (counts.get(receiver) ?? 0) + 1);
    }
  }
  return counts;
}

/** A sample of the curve of all, while it is added up. */
class Totals {
  readonly #counts = new Map<number, number>();
  #loads = 0;
  #loadSum = 0;
  #highestLoad = Number.NaN;
  #sessions = 0;

  add({ id, report: { workload } }: Component, sessions: number | undefined, isSilent: boolean): void {
    const group = componentGroupOf(id);
    this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1);
    // What an element had before it fell silent has gone elsewhere by now, and would count twice.
    if (group !== ComponentGroup.element || isSilent) return;
    this.#sessions += sessions ?? 0;
    if (workload === undefined) return;
    this.#loads++;
    this.#loadSum += workload;
    this.#highestLoad = Math.max(workload, this.#loads === 1 ? 0 : this.#highestLoad);
  }

  /** In the order of {@linkcode TOTAL_COLUMNS}. */
  row(): number[] {
    const { registrar, element, user } = ComponentGroup;
    const counts = [registrar, element, user].map((group) => this.#counts.get(group) ?? 0);
    const mean = this.#loads === 0 ? Number.NaN : this.#loadSum / this.#loads;
    return [mean, this.#highestLoad, this.#sessions, ...counts];
  }
}
