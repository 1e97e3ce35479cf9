import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import { readComponentReport } from "../../../protocol/csp/report.ts";
import { Reporter } from "../../../protocol/csp/reporter.ts";
import type { ComponentStatus } from "../../../protocol/csp/reporter.ts";

const STATUS: ComponentStatus = {
  location: "pc1: 10.1.0.1:3863",
  status: "fine",
  workload: 0.5,
  associations: [],
};

function newReporter(): Reporter {
  return new Reporter({ sender: componentId(ComponentGroup.registrar, 7), intervalMs: 500 });
}

/** Answers its question, and gives the reports that leave. */
function pump(reporter: Reporter, now: number) {
  const reports = [];
  for (let effects = reporter.drain(); effects.length > 0; effects = reporter.drain()) {
    for (const effect of effects) {
      if (effect.type === "statusWanted") reporter.handle({ type: "status", status: STATUS }, now);
      if (effect.type === "datagram") reports.push(readComponentReport(effect.data));
    }
  }
  return reports;
}

Deno.test("Reporter reports at once, and then at every interval", () => {
  const reporter = newReporter();
  reporter.handle({ type: "start" }, 1000);
  const [first] = pump(reporter, 1000);
  assert.deepEqual([first?.uptimeUs, first?.status, first?.isFinal, first?.intervalUs], [
    0n,
    "fine",
    false,
    500_000,
  ]);
  assert.equal(reporter.nextTimeout(), 1500);
  reporter.tick(1499);
  assert.deepEqual(pump(reporter, 1499), []);
  reporter.tick(1500.25);
  const [second] = pump(reporter, 1500.25);
  assert.equal(second?.uptimeUs, 500_250n);
});

Deno.test("Reporter says at last that the component ends, and then nothing", () => {
  const reporter = newReporter();
  reporter.handle({ type: "start" }, 0);
  pump(reporter, 0);
  reporter.handle({ type: "stop" }, 200);
  const effects = reporter.drain();
  assert.deepEqual(effects.map(({ type }) => type), ["datagram", "stopped"]);
  const [last] = effects;
  assert.ok(last?.type === "datagram");
  const { isFinal, status, location, workload, uptimeUs } = readComponentReport(last.data);
  assert.deepEqual([isFinal, status, location, workload, uptimeUs], [true, "", "", 0, 200_000n]);
  assert.equal(reporter.nextTimeout(), undefined);
  reporter.handle({ type: "status", status: STATUS }, 300);
  reporter.handle({ type: "stop" }, 300);
  assert.deepEqual(reporter.drain(), []);
});

Deno.test("Reporter that never reported has nothing to take back", () => {
  const reporter = newReporter();
  reporter.handle({ type: "stop" }, 0);
  assert.deepEqual(reporter.drain(), [{ type: "stopped" }]);
});
