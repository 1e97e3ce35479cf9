/** A monitor for tests of what programs report. */
import dgram from "node:dgram";
import { componentGroupOf, readComponentReport } from "../../protocol/csp/mod.ts";
import type { ComponentGroup, ComponentReport } from "../../protocol/csp/mod.ts";
import { jitter } from "../jitter.ts";

const DEADLINE_MS = 30_000;

/** A monitor: keeps the reports, and waits for those one wants to see. */
export class StatusMonitor implements AsyncDisposable {
  readonly #socket = dgram.createSocket("udp4");
  readonly #reports: ComponentReport[] = [];
  #wake: (() => void) | undefined;

  static async open(): Promise<StatusMonitor> {
    const monitor = new StatusMonitor(), socket = monitor.#socket;
    socket.on("message", (data) => {
      monitor.#reports.push(readComponentReport(data));
      monitor.#wake?.();
    });
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return monitor;
  }

  /** Where it is, as options want it. */
  get server(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** What makes a command report to it. */
  get options(): [string, string] {
    return [`-cspserver=${this.server}`, "-cspinterval=20"];
  }

  /** The first report, of those that came and those that come, that is as wanted. */
  async report(wanted: (report: ComponentReport) => boolean): Promise<ComponentReport> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = this.#reports.find(wanted);
      if (found !== undefined) {
        await jitter();
        return found;
      }
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`no such report among ${this.#reports.length}: ${wanted}`));
      });
    }
  }

  /** The same of a kind of component. */
  reportOf(
    group: ComponentGroup,
    wanted: (report: ComponentReport) => boolean = () => true,
  ): Promise<ComponentReport> {
    return this.report((report) => componentGroupOf(report.sender) === group && wanted(report));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
