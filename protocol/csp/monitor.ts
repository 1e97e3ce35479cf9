import { Outbox, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import type { Instant, IpAddress, TransportAddress } from "../net.ts";
import { DecodeError } from "../wire/mod.ts";
import type { ComponentId } from "./component_id.ts";
import { readComponentReport } from "./report.ts";
import type { ComponentReport } from "./report.ts";

/** Components that a monitor knows at most: more than any pool has, and less than a flood of made-up ones would fill. */
export const MAX_COMPONENTS = 4096;

/** Components of one address: whoever makes them up leaves room for those of others. */
export const MAX_COMPONENTS_OF_ADDRESS: number = MAX_COMPONENTS / 2;

/** Associations of a component that are kept, so that few big reports do not fill the memory. The others are counted. */
export const MAX_KEPT_ASSOCIATIONS = 128;

/** A component is gone after so many intervals without a report, as for RSPLIB's monitor. */
const SILENT_INTERVALS = 10;

/** But not sooner: a busy host may well be late by more than ten times 10 ms. */
const MIN_SILENCE_MS = 1000;

/** An ID belongs to the address that it reports from until nothing has come from there for so many intervals. */
const OWNER_INTERVALS = 3;

/** A time stamp that is behind the last one by no more than so many intervals was overtaken on its way. */
const OVERTAKEN_INTERVALS = 2;

/** What a monitor knows of a component. */
export interface Component {
  readonly id: ComponentId;
  /** Where the last report came from. */
  readonly source: TransportAddress;
  /** The last report, with at most {@linkcode MAX_KEPT_ASSOCIATIONS} associations. */
  readonly report: ComponentReport;
  /** How many associations it has. */
  readonly associationCount: number;
  /** When its first report came. */
  readonly appearedAt: Instant;
  /** When its last report came. */
  readonly reportedAt: Instant;
}

/** What a monitor takes. */
export interface MonitorInput {
  readonly type: "datagram";
  readonly source: TransportAddress;
  readonly data: Uint8Array;
}

/** What happened, for people and programs. */
export type MonitorReport =
  | { readonly type: "appeared"; readonly component: Component }
  /** It began anew, under the same ID. */
  | { readonly type: "restarted"; readonly component: Component }
  /** It has said that it ends, or has said nothing for long. */
  | { readonly type: "left"; readonly component: Component; readonly reason: "ended" | "silent" }
  /** Two hosts report under one ID: the component that was there first is shown. */
  | { readonly type: "conflict"; readonly component: Component; readonly source: TransportAddress }
  /** It is no report. */
  | { readonly type: "malformed"; readonly source: TransportAddress; readonly reason: string }
  /** There are too many components: of this address, or at all. */
  | { readonly type: "overflow"; readonly id: ComponentId; readonly source: TransportAddress };

/** What a monitor asks for: nothing. It tells. */
export interface MonitorEffect {
  readonly type: "report";
  readonly report: MonitorReport;
}

/** What came in, by what became of it. */
export interface MonitorStatistics {
  readonly datagrams: number;
  /** They tell how a component is, or that it ends. */
  readonly taken: number;
  readonly malformed: number;
  readonly conflicting: number;
  /** A newer one had come before. */
  readonly overtaken: number;
  readonly overflowing: number;
}

/** What a monitor can be told. */
export interface MonitorOptions {
  /** A component is gone after so long a silence, or after ten of its intervals. */
  readonly purgeIntervalMs: number;
}

/**
 * What a monitor knows of all components that report to it (reference/rsplib.md §5.1, §6.1).
 *
 *     unknown --report--> shown --final report, or silence--> unknown
 *
 * Nothing is signed, so nothing is certain: who can send from a component's address can say anything in its name. Reports
 * from elsewhere under a known ID are refused, though, so that neither a mistyped `-identifier` nor a stranger makes a
 * component leave the screen.
 *
 * @example
 * ```ts
 * import { writeComponentReport } from "./report.ts";
 * import assert from "node:assert/strict";
 *
 * const monitor = new Monitor({ purgeIntervalMs: 30_000 });
 * const report = {
 *   sender: 0x0200000011223344n, isFinal: false, uptimeUs: 0n, intervalUs: 500_000,
 *   location: "pc1: 10.1.0.1", status: "0 Sessions", workload: 0.5, associations: [],
 * };
 * const source = { address: "10.1.0.1", port: 4711 };
 * monitor.handle({ type: "datagram", source, data: writeComponentReport(report) }, 0);
 * assert.equal(monitor.components.get(report.sender)?.report.status, "0 Sessions");
 * monitor.tick(5000); // ten intervals of silence
 * assert.equal(monitor.components.size, 0);
 * ```
 */
export class Monitor implements Machine<MonitorInput, MonitorEffect> {
  readonly #options: MonitorOptions;
  readonly #outbox = new Outbox<MonitorEffect>();
  readonly #silence = new TimerQueue<ComponentId>();
  readonly #components = new Map<ComponentId, Component>();
  readonly #perAddress = new Map<IpAddress, number>();
  /** Components whose ID others use: told once each. */
  readonly #contested = new Set<ComponentId>();
  readonly #statistics = {
    datagrams: 0,
    taken: 0,
    malformed: 0,
    conflicting: 0,
    overtaken: 0,
    overflowing: 0,
  };

  /** @param options when components are gone */
  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** The components that there are, in the order of their appearance. */
  get components(): ReadonlyMap<ComponentId, Component> {
    return this.#components;
  }

  /** What came in so far. */
  get statistics(): MonitorStatistics {
    return { ...this.#statistics };
  }

  handle({ source, data }: MonitorInput, now: Instant): void {
    this.#statistics.datagrams++;
    let report;
    try {
      report = readComponentReport(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#statistics.malformed++;
      return this.#tell({ type: "malformed", source, reason: error.message });
    }
    const component = this.#components.get(report.sender);
    if (component === undefined) this.#meet(report, source, now);
    else this.#update(component, report, source, now);
  }

  tick(now: Instant): void {
    for (let id = this.#silence.takeDue(now); id !== undefined; id = this.#silence.takeDue(now)) {
      this.#forget(id, "silent");
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#silence.next();
  }

  drain(): MonitorEffect[] {
    return this.#outbox.drain();
  }

  /** Takes the first report of a component. */
  #meet(report: ComponentReport, source: TransportAddress, now: Instant): void {
    if (report.isFinal) {
      this.#statistics.taken++;
      return; // it was not here, or has left already
    }
    const { address } = source, count = this.#perAddress.get(address) ?? 0;
    if (this.#components.size >= MAX_COMPONENTS || count >= MAX_COMPONENTS_OF_ADDRESS) {
      this.#statistics.overflowing++;
      return this.#tell({ type: "overflow", id: report.sender, source });
    }
    this.#tell({ type: "appeared", component: this.#keep(report, source, now, now) });
  }

  #update(component: Component, report: ComponentReport, source: TransportAddress, now: Instant): void {
    const intervalMs = component.report.intervalUs / 1000;
    if (
      source.address !== component.source.address &&
      now - component.reportedAt < this.#patience(OWNER_INTERVALS * intervalMs)
    ) return this.#refuse(component, source);
    if (report.isFinal) {
      this.#statistics.taken++;
      return this.#forget(component.id, "ended");
    }
    const backUs = component.report.uptimeUs - report.uptimeUs;
    if (report.uptimeUs > 0n && backUs > 0n && Number(backUs) <= OVERTAKEN_INTERVALS * report.intervalUs) {
      this.#statistics.overtaken++;
      return;
    }
    this.#release(component.source.address);
    const present = this.#keep(report, source, component.appearedAt, now);
    if (backUs > 0n) this.#tell({ type: "restarted", component: present });
  }

  #refuse(component: Component, source: TransportAddress): void {
    this.#statistics.conflicting++;
    if (this.#contested.has(component.id)) return;
    this.#contested.add(component.id);
    this.#tell({ type: "conflict", component, source });
  }

  #keep(report: ComponentReport, source: TransportAddress, appearedAt: Instant, now: Instant): Component {
    const { associations, sender: id } = report;
    const component: Component = {
      id,
      source,
      report: { ...report, associations: associations.slice(0, MAX_KEPT_ASSOCIATIONS) },
      associationCount: associations.length,
      appearedAt,
      reportedAt: now,
    };
    this.#statistics.taken++;
    this.#components.set(id, component);
    this.#perAddress.set(source.address, (this.#perAddress.get(source.address) ?? 0) + 1);
    this.#silence.set(id, now + this.#patience(SILENT_INTERVALS * report.intervalUs / 1000));
    return component;
  }

  #forget(id: ComponentId, reason: "ended" | "silent"): void {
    const component = this.#components.get(id);
    if (component === undefined) return;
    this.#components.delete(id);
    this.#contested.delete(id);
    this.#silence.clear(id);
    this.#release(component.source.address);
    this.#tell({ type: "left", component, reason });
  }

  #release(address: IpAddress): void {
    const count = this.#perAddress.get(address) ?? 0;
    if (count > 1) this.#perAddress.set(address, count - 1);
    else this.#perAddress.delete(address);
  }

  /** A time of waiting, no shorter than a busy host needs, and no longer than the user wants. */
  #patience(milliseconds: number): number {
    return Math.min(this.#options.purgeIntervalMs, Math.max(MIN_SILENCE_MS, milliseconds));
  }

  #tell(report: MonitorReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
