/** What the page knows, as far as it needs no browser. */
import assert from "node:assert/strict";
import { MonitorFeed } from "../../../../cmd/cspmonitor/web/monitor_feed.ts";
import { poolFigures, Scene } from "../../../../cmd/cspmonitor/web/page/scene.js";
import { ComponentGroup, componentId, Monitor } from "../../../../protocol/csp/mod.ts";
import type { ComponentId } from "../../../../protocol/csp/mod.ts";
import { datagramOf } from "../../../protocol/csp/components.ts";

const element = (object: number) => componentId(ComponentGroup.element, object);
const user = (object: number) => componentId(ComponentGroup.user, object);

Deno.test("poolFigures() counts what users say where an element does not say how many sessions it has", () => {
  const monitor = new Monitor({ purgeIntervalMs: 30_000 });
  const feed = new MonitorFeed({ at: "[::]:2960", updateIntervalMs: 1000, hint: [] });
  const report = (sender: ComponentId, status: string, to: readonly ComponentId[]) => {
    const associations = to.map((receiver) => ({ receiver, durationUs: undefined, protocol: 132, ppid: 32 }));
    monitor.handle(datagramOf({ sender, status, associations }), 0);
  };
  report(element(1), "Looking for Registrar ...", []);
  report(element(2), "3 Sessions", []);
  report(user(1), "2 Sessions", [element(1), element(1)]);
  report(user(2), "2 Sessions", [element(1), element(2)]);
  feed.update(monitor, 0, new Date(0));
  const scene = new Scene();
  scene.reset(feed.snapshot());
  const [pool, ...others] = scene.pools;
  assert.deepEqual([pool.name, others.length], ["FractGen service", 0]);
  assert.equal(poolFigures(pool).sessions, 6);
});
