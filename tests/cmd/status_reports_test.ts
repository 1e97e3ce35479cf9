/** Status reports of the commands, as a monitor gets them. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { statusPlan } from "../../cmd/driver/status_reports.ts";
import { statusOptions } from "../../cmd/common_options.ts";
import { OptionError, parseOptions } from "../../cmd/options.ts";
import type { OptionValues } from "../../cmd/options.ts";
import { command as poolUser } from "../../cmd/pooluser/command.ts";
import { command as server } from "../../cmd/server/command.ts";
import {
  ComponentGroup,
  componentGroupOf,
  componentId,
  readComponentReport,
} from "../../protocol/csp/mod.ts";
import type { ComponentReport } from "../../protocol/csp/mod.ts";
import { Program, startRegistrar } from "./program.ts";

const DEADLINE_MS = 30_000;

/** A monitor: keeps the reports, and waits for those one wants to see. */
class Monitor {
  readonly #socket = dgram.createSocket("udp4");
  readonly #reports: ComponentReport[] = [];
  #wake: (() => void) | undefined;

  static async open(): Promise<Monitor> {
    const monitor = new Monitor();
    const socket = monitor.#socket;
    socket.on("message", (data) => {
      monitor.#reports.push(readComponentReport(data));
      monitor.#wake?.();
    });
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return monitor;
  }

  get options(): [string, string] {
    return [`-cspserver=127.0.0.1:${this.#socket.address().port}`, "-cspinterval=20"];
  }

  /** The first report, of those that came and those that come, that is as wanted. */
  async report(wanted: (report: ComponentReport) => boolean): Promise<ComponentReport> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = this.#reports.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`no such report among ${this.#reports.length}: ${wanted}`));
      });
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

Deno.test("registrar, element and user report what they are and with whom they are, and at last that they end", async () => {
  const folder = await Deno.makeTempDir(), monitor = await Monitor.open();
  const of = (group: number) => (report: ComponentReport) => componentGroupOf(report.sender) === group;
  const { program: pr, option } = await startRegistrar(
    "-identifier=0x1111",
    "-endpointkeepalivetransmissioninterval=300", // by which the element learns whose registrar it is
    ...monitor.options,
  );
  const registrarId = componentId(ComponentGroup.registrar, 0x1111);
  const element = ["-fractal", option, "-identifier=0x22", "-policy=LeastUsed", "-fgpmaxrate=4000"];
  const pe = new Program(server, ...element, ...monitor.options);
  const image = ["-width=64", "-height=64", `-output=${folder}/out.png`, "-identifier=0x33"];
  const user = new Program(poolUser, option, ...image, ...monitor.options);
  try {
    await monitor.report((report) => of(1)(report) && report.status === "1[1] PEs in 1 Pool, 0 Peers");
    const busy = await monitor.report((report) =>
      of(2)(report) && (report.workload ?? 0) > 0 && report.associations[0]?.receiver === registrarId
    );
    assert.equal(busy.status, "1 Session");
    assert.equal(busy.sender, componentId(ComponentGroup.element, 0x22));
    assert.deepEqual(busy.associations.map(({ receiver, ppid, protocol }) => [receiver, ppid, protocol]), [
      [registrarId, 11, 132],
    ]);
    const working = await monitor.report((report) =>
      of(3)(report) && /^Processed packet/.test(report.status)
    );
    assert.match(working.status, /^Processed packet #\d+ of PE \$00000022$/);
    assert.deepEqual(working.associations.map(({ receiver, ppid }) => [receiver, ppid]), [
      [componentId(ComponentGroup.registrar, 0), 11], // nobody tells a user who an unannounced registrar is
      [componentId(ComponentGroup.element, 0x22), 32],
    ]);
    assert.equal(await user.ended, 0);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    for (const group of [1, 2, 3]) await monitor.report((report) => of(group)(report) && report.isFinal);
    await monitor.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("statusPlan() takes one of the two options for both, and finds the monitor by its name", async () => {
  const plan = (line: string[], variables: Record<string, string> = {}) =>
    statusPlan(
      parseOptions(statusOptions, line, (name) => variables[name]).values as OptionValues<
        typeof statusOptions
      >,
      (name) => Promise.resolve(name === "monitor" ? ["10.1.0.9"] : []),
    );
  assert.equal(await plan([]), undefined);
  assert.deepEqual(await plan(["-cspserver=monitor"]), {
    server: { address: "10.1.0.9", port: 2960 },
    intervalMs: 250,
  });
  assert.deepEqual(await plan(["-cspinterval=500"]), {
    server: { address: "127.0.0.1", port: 2960 },
    intervalMs: 500,
  });
  assert.deepEqual(await plan([], { CSP_SERVER: "10.1.0.8:3000", CSP_INTERVAL: "700" }), {
    server: { address: "10.1.0.8", port: 3000 },
    intervalMs: 700,
  });
  await assert.rejects(plan(["-cspserver=nobody"]), OptionError);
});
