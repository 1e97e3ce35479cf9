import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import {
  MAX_COMPONENTS,
  MAX_COMPONENTS_OF_ADDRESS,
  MAX_KEPT_ASSOCIATIONS,
  Monitor,
} from "../../../protocol/csp/monitor.ts";
import { writeComponentReport } from "../../../protocol/csp/report.ts";
import { datagramOf, reportOf } from "./components.ts";
import { fc } from "../../properties.ts";

const ELEMENT = componentId(ComponentGroup.element, 0xf1);

/** A monitor, and what it told since the last look. */
function makeMonitor(purgeIntervalMs = 30_000) {
  const monitor = new Monitor({ purgeIntervalMs });
  const told = () =>
    monitor.drain().map(({ report }) => report.type === "left" ? `left: ${report.reason}` : report.type);
  return { monitor, told };
}

Deno.test("Monitor shows a component from its first report to its final one", () => {
  const { monitor, told } = makeMonitor();
  monitor.handle(datagramOf(), 0);
  monitor.handle(datagramOf({ uptimeUs: 500_000n, status: "2 Sessions" }), 500);
  assert.deepEqual(told(), ["appeared"]);
  const component = monitor.components.get(ELEMENT);
  assert.deepEqual([component?.appearedAt, component?.reportedAt], [0, 500]);
  assert.equal(component?.report.status, "2 Sessions");
  monitor.handle(datagramOf({ isFinal: true, uptimeUs: 900_000n }), 900);
  assert.deepEqual(told(), ["left: ended"]);
  assert.equal(monitor.components.size, 0);
  assert.equal(monitor.nextTimeout(), undefined);
  monitor.handle(datagramOf({ isFinal: true, uptimeUs: 900_000n }), 901);
  assert.deepEqual(told(), []);
});

for (
  const [name, intervalMs, purgeIntervalMs, goneAt] of [
    ["ten of its intervals", 500, 30_000, 5000],
    ["the purge interval where that is less", 60_000, 30_000, 30_000],
    ["no less than a second", 20, 30_000, 1000],
    ["a second if it says that it has no interval", 0, 30_000, 1000],
  ] as const
) {
  Deno.test(`Monitor forgets a component after a silence of ${name}`, () => {
    const { monitor, told } = makeMonitor(purgeIntervalMs);
    monitor.handle(datagramOf({ intervalUs: 1000 * intervalMs }), 0);
    assert.equal(monitor.nextTimeout(), goneAt);
    monitor.tick(goneAt - 1);
    assert.equal(monitor.components.size, 1);
    monitor.tick(goneAt);
    assert.deepEqual(told(), ["appeared", "left: silent"]);
    assert.equal(monitor.components.size, 0);
  });
}

Deno.test("Monitor refuses reports from another host under a known ID, final ones too, and tells it once", () => {
  const { monitor, told } = makeMonitor();
  monitor.handle(datagramOf(), 0);
  monitor.handle(datagramOf({ uptimeUs: 1n, status: "spoofed" }, "10.66.0.1"), 100);
  monitor.handle(datagramOf({ uptimeUs: 1n, isFinal: true }, "10.66.0.1"), 200);
  assert.deepEqual(told(), ["appeared", "conflict"]);
  assert.equal(monitor.components.get(ELEMENT)?.report.status, "1 Session");
  assert.equal(monitor.statistics.conflicting, 2);
});

Deno.test("Monitor follows a component to another address when it is silent at the old one", () => {
  const { monitor, told } = makeMonitor();
  monitor.handle(datagramOf(), 0);
  monitor.handle(datagramOf({ uptimeUs: 1_499_000n }, "10.2.0.2"), 1499);
  assert.equal(monitor.components.get(ELEMENT)?.source.address, "10.1.0.2");
  monitor.handle(datagramOf({ uptimeUs: 1_500_000n }, "10.2.0.2"), 1500);
  assert.equal(monitor.components.get(ELEMENT)?.source.address, "10.2.0.2");
  assert.deepEqual(told(), ["appeared", "conflict"]);
});

Deno.test("Monitor leaves out a report that was overtaken, and knows a component that began anew", () => {
  const { monitor, told } = makeMonitor();
  monitor.handle(datagramOf({ uptimeUs: 10_000_000n, status: "new" }), 0);
  monitor.handle(datagramOf({ uptimeUs: 9_500_000n, status: "old" }), 1);
  assert.equal(monitor.components.get(ELEMENT)?.report.status, "new");
  assert.equal(monitor.statistics.overtaken, 1);
  monitor.handle(datagramOf({ uptimeUs: 0n, status: "reborn" }), 2);
  assert.equal(monitor.components.get(ELEMENT)?.report.status, "reborn");
  assert.deepEqual(told(), ["appeared", "restarted"]);
});

Deno.test("Monitor counts datagrams that are no reports, whatever they are", () => {
  const octets = writeComponentReport(reportOf());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(octets.length * 8 - 1), (junk, bit) => {
      const { monitor } = makeMonitor();
      const damaged = octets.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const source = { address: "10.66.0.1", port: 1 };
      for (const data of [junk, damaged]) monitor.handle({ type: "datagram", source, data }, 0);
      const { datagrams, taken, malformed } = monitor.statistics;
      assert.equal(datagrams, 2);
      assert.equal(taken + malformed, 2);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Monitor bounds the components of an address, and of all together", () => {
  const { monitor } = makeMonitor();
  const made = (from: number, count: number, address: string) => {
    for (let i = from; i < from + count; i++) {
      monitor.handle(datagramOf({ sender: componentId(ComponentGroup.user, i) }, address), 0);
    }
  };
  made(1, MAX_COMPONENTS_OF_ADDRESS + 3, "10.66.0.1");
  assert.equal(monitor.components.size, MAX_COMPONENTS_OF_ADDRESS);
  made(100_000, MAX_COMPONENTS, "10.66.0.2");
  made(200_000, 5, "10.66.0.3");
  assert.equal(monitor.components.size, MAX_COMPONENTS);
  assert.equal(monitor.statistics.overflowing, 3 + MAX_COMPONENTS - MAX_COMPONENTS_OF_ADDRESS + 5);
  monitor.tick(30_000); // all are silent: there is room again
  made(300_000, 5, "10.66.0.1");
  assert.equal(monitor.components.size, 5);
});

Deno.test("Monitor keeps a bounded number of associations, and their count", () => {
  const { monitor } = makeMonitor();
  const association = { receiver: ELEMENT, durationUs: undefined, protocol: 132, ppid: 11 };
  monitor.handle(datagramOf({ associations: Array.from({ length: 2000 }, () => association) }), 0);
  const component = monitor.components.get(ELEMENT);
  assert.equal(component?.associationCount, 2000);
  assert.equal(component?.report.associations.length, MAX_KEPT_ASSOCIATIONS);
});

Deno.test("Monitor takes a component that begins anew soon after its start for what it is", () => {
  const { monitor, told } = makeMonitor();
  monitor.handle(datagramOf({ uptimeUs: 500_000n }), 0);
  monitor.handle(datagramOf({ uptimeUs: 0n }), 1);
  assert.deepEqual(told(), ["appeared", "restarted"]);
});

Deno.test("Monitor counts the components of an address, not their reports", () => {
  const { monitor } = makeMonitor();
  for (let number = 0; number <= MAX_COMPONENTS_OF_ADDRESS; number++) {
    monitor.handle(datagramOf({ uptimeUs: BigInt(number) }), number);
  }
  monitor.handle(datagramOf({ sender: componentId(ComponentGroup.element, 0xf2) }), 5000);
  assert.equal(monitor.components.size, 2);
});
