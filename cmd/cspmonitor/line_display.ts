/** Components for a pipe or a file: what changes as lines or JSON objects, or all of them at each update. */
import {
  arrangeComponents,
  componentLabel,
  componentObject,
  describeAssociation,
  describeComponent,
} from "../../protocol/csp/mod.ts";
import type { Component, ComponentId, Monitor, MonitorReport } from "../../protocol/csp/mod.ts";
import type { Instant } from "../../protocol/net.ts";
import type { Output } from "../command.ts";
import type { ViewSettings } from "./settings.ts";
import { dateText, hiddenText } from "./view.ts";

/** How to show it. */
export interface LineDisplayOptions {
  readonly output: Output;
  readonly settings: ViewSettings;
  readonly json: boolean;
  /** All components at each update, instead of what changes. */
  readonly snapshots: boolean;
}

/** What the display is told of what happened: the others are the log's. */
export type ShownReport = Extract<MonitorReport, { readonly type: "appeared" | "restarted" | "left" }>;

/** Writes lines. */
export class LineDisplay implements Disposable {
  readonly #options: LineDisplayOptions;
  /** What was said last of each component. */
  readonly #said = new Map<ComponentId, string>();

  constructor(options: LineDisplayOptions) {
    this.#options = options;
  }

  /** Something happened to a component. */
  report(report: ShownReport, now: Instant, time: Date): void {
    const { component, type } = report;
    if (type === "left") this.#said.delete(component.id);
    else this.#said.set(component.id, contentOf(component));
    if (this.#options.snapshots || !this.#wants(component)) return;
    if (type !== "left") return this.#say(type, component, now, time);
    const { output, json } = this.#options, { reason } = report;
    if (json) return this.#object(time, { event: type, reason, ...componentObject(component, now) });
    const why = reason === "ended"
      ? "it ends"
      : `silent for ${((now - component.reportedAt) / 1000).toFixed(1)} s`;
    output.write(`${dateText(time)} left      ${componentLabel(component.id)} (${why})\n`);
  }

  /** Time for what has changed, or for all that there is. */
  update({ components, statistics }: Monitor, now: Instant, time: Date): void {
    if (this.#options.snapshots) {
      if (this.#options.json) {
        const all = [...components.values()].filter((component) => this.#wants(component));
        const objects = all.map((component) => componentObject(component, now));
        this.#object(time, { event: "snapshot", components: objects, statistics });
      } else this.#writeAll(components, now, time);
      return;
    }
    for (const component of components.values()) {
      const content = contentOf(component);
      if (this.#said.get(component.id) === content) continue;
      this.#said.set(component.id, content);
      if (this.#wants(component)) this.#say("changed", component, now, time);
    }
  }

  [Symbol.dispose](): void {} // every line is written

  #wants(component: Component): boolean {
    const { filter } = this.#options.settings;
    return filter === "" || arrangeComponents([component], this.#options.settings).filtered === 0;
  }

  #say(event: string, component: Component, now: Instant, time: Date): void {
    const { output, json, settings } = this.#options;
    if (json) return this.#object(time, { event, ...componentObject(component, now) });
    const columns = { label: 0, location: Math.min(settings.maxLocation, component.report.location.length) };
    const line = `${dateText(time)} ${event.padEnd(9)} ${describeComponent(component, now, columns)}`;
    output.write([line, ...this.#associations(component)].map((one) => `${one}\n`).join(""));
  }

  /** The picture of RSPLIB's monitor, without its colours. */
  #writeAll(components: Monitor["components"], now: Instant, time: Date): void {
    const { output, settings } = this.#options;
    const { groups } = arrangeComponents(components.values(), settings);
    const all = groups.flatMap(({ shown }) => shown);
    const widest = (lengthOf: (component: Component) => number) => Math.max(0, ...all.map(lengthOf));
    const columns = {
      label: widest(({ id }) => componentLabel(id).length),
      location: Math.min(settings.maxLocation, widest(({ report }) => report.location.length)),
    };
    const counts = [1, 2, 3].map((group) => {
      const found = groups.find((one) => one.group === group);
      return (found?.shown.length ?? 0) + (found?.hidden ?? 0);
    });
    const lines = [
      `${dateText(time)}: Current Component Status -- ${counts[0]} PRs, ${counts[1]} PEs, ${counts[2]} PUs`,
      "",
    ];
    for (const { group, shown, hidden } of groups) {
      for (const component of shown) {
        lines.push(describeComponent(component, now, columns), ...this.#associations(component));
      }
      if (hidden > 0) lines.push(hiddenText(group, hidden));
    }
    output.write([...lines, ""].map((line) => `${line}\n`).join(""));
  }

  #associations({ report }: Component): string[] {
    if (!this.#options.settings.hasAssociations) return [];
    return report.associations.map((association) => `   -> ${describeAssociation(association)}`);
  }

  #object(time: Date, fields: Readonly<Record<string, unknown>>): void {
    this.#options.output.write(`${JSON.stringify({ time: time.toISOString(), ...fields })}\n`);
  }
}

/** What is worth a line when it is another: not the times, which always are. */
function contentOf({ report, associationCount }: Component): string {
  const { location, status, workload, associations } = report;
  const peers = associations.map(({ receiver, protocol, ppid }) => `${receiver}/${protocol}/${ppid}`);
  return JSON.stringify([
    location,
    status,
    workload === undefined ? null : Math.round(100 * workload),
    associationCount,
    ...peers,
  ]);
}
