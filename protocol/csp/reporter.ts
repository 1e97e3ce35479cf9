import { Outbox, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { ComponentId } from "./component_id.ts";
import { MAX_CSP_ASSOCIATIONS, writeComponentReport } from "./report.ts";
import type { ComponentAssociation, ComponentReport } from "./report.ts";

/** What there is to report of a component at a moment. */
export interface ComponentStatus {
  /** Host and addresses; see {@linkcode componentLocation}. */
  readonly location: string;
  /** In words. */
  readonly status: string;
  /** 0 to 1; undefined = the component has none. */
  readonly workload: number | undefined;
  /** Associations that last. */
  readonly associations: readonly ComponentAssociation[];
}

/** What a reporter takes. */
export type ReporterInput =
  | { readonly type: "start" }
  /** The answer to `statusWanted`. */
  | { readonly type: "status"; readonly status: ComponentStatus }
  | { readonly type: "stop" };

/** What a reporter asks for. `stopped` is its last effect. */
export type ReporterEffect =
  /** Asks how the component is; answered by `status`. */
  | { readonly type: "statusWanted" }
  /** A report leaves, on the channel `csp`. */
  | { readonly type: "datagram"; readonly channel: "csp"; readonly data: Uint8Array }
  | { readonly type: "stopped" };

/** Who reports, and how often. */
export interface ReporterOptions {
  readonly sender: ComponentId;
  readonly intervalMs: number;
}

/** What is left of a component that ends. */
const ENDED: ComponentStatus = { location: "", status: "", workload: 0, associations: [] };

/**
 * Tells a monitor how a component is (reference/rsplib.md §5.1): at once, then at every interval, and at last that it
 * ends.
 *
 *     new --start--> reporting --stop--> stopped
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const reporter = new Reporter({ sender: 0x01000000c2818128n, intervalMs: 500 });
 * reporter.handle({ type: "start" }, 0);
 * assert.deepEqual(reporter.drain(), [{ type: "statusWanted" }]);
 * const status = { location: "pc1: 10.1.0.1:3863", status: "0[0] PEs in 0 Pools, 0 Peers", workload: undefined, associations: [] };
 * reporter.handle({ type: "status", status }, 0);
 * const [report] = reporter.drain();
 * assert.ok(report?.type === "datagram" && report.data.length === 288);
 * assert.equal(reporter.nextTimeout(), 500);
 * ```
 */
export class Reporter implements Machine<ReporterInput, ReporterEffect> {
  readonly #options: ReporterOptions;
  readonly #outbox = new Outbox<ReporterEffect>();
  readonly #timers = new TimerQueue<"report">();
  #state: "new" | "reporting" | "stopped" = "new";
  /** When the first report left; its time stamp is 0. */
  #startedAt: Instant | undefined;

  /** @param options who reports, and how often */
  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  handle(input: ReporterInput, now: Instant): void {
    switch (input.type) {
      case "start":
        if (this.#state !== "new") return;
        this.#state = "reporting";
        return this.#ask(now);
      case "status":
        if (this.#state === "reporting") this.#report(input.status, false, now);
        return;
      case "stop":
        return this.#stop(now);
    }
  }

  tick(now: Instant): void {
    if (this.#timers.takeDue(now) !== undefined) this.#ask(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  drain(): ReporterEffect[] {
    return this.#outbox.drain();
  }

  #ask(now: Instant): void {
    this.#timers.set("report", now + this.#options.intervalMs);
    this.#outbox.push({ type: "statusWanted" });
  }

  #stop(now: Instant): void {
    if (this.#state === "stopped") return;
    // Who never reported has nothing to take back.
    if (this.#startedAt !== undefined) this.#report(ENDED, true, now);
    this.#state = "stopped";
    this.#timers.clear("report");
    this.#outbox.push({ type: "stopped" });
  }

  #report(status: ComponentStatus, isFinal: boolean, now: Instant): void {
    this.#startedAt ??= now;
    const report: ComponentReport = {
      ...status,
      associations: status.associations.slice(0, MAX_CSP_ASSOCIATIONS),
      sender: this.#options.sender,
      isFinal,
      uptimeUs: microseconds(now - this.#startedAt),
      intervalUs: 1000 * this.#options.intervalMs,
    };
    this.#outbox.push({ type: "datagram", channel: "csp", data: writeComponentReport(report) });
  }
}

/** Milliseconds in microseconds. */
export function microseconds(milliseconds: number): bigint {
  return BigInt(Math.round(1000 * milliseconds));
}
