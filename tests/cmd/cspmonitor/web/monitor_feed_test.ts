/** What the page of a monitor is told. */
import assert from "node:assert/strict";
import { MAX_LINKS, saysTheSame } from "../../../../cmd/cspmonitor/web/facts.ts";
import type { ComponentFact, MonitorChanges, MonitorSnapshot } from "../../../../cmd/cspmonitor/web/facts.ts";
import { MAX_PAGE_COMPONENTS, MonitorFeed } from "../../../../cmd/cspmonitor/web/monitor_feed.ts";
import { pagePlan } from "../../../../cmd/cspmonitor/web/page.ts";
import { ComponentGroup, componentId, MAX_KEPT_ASSOCIATIONS, Monitor } from "../../../../protocol/csp/mod.ts";
import type { ComponentId, ComponentReport } from "../../../../protocol/csp/mod.ts";
import { componentOf, datagramOf } from "../../../protocol/csp/components.ts";

const registrar = (object: number) => componentId(ComponentGroup.registrar, object);
const element = (object: number) => componentId(ComponentGroup.element, object);
const user = (object: number) => componentId(ComponentGroup.user, object);

/** A monitor with its feed, and a page that takes what it is told. */
class Scene {
  readonly monitor: Monitor = new Monitor({ purgeIntervalMs: 30_000 });
  readonly feed: MonitorFeed = new MonitorFeed({ at: "[::]:2960", updateIntervalMs: 1000, hint: ["none"] });
  now = 0;

  report(sender: ComponentId, changes: Partial<ComponentReport> = {}, address = "10.1.0.2"): void {
    const uptimeUs = BigInt(Math.round(1000 * this.now)) + 1n;
    this.monitor.handle(datagramOf({ sender, uptimeUs, ...changes }, address), this.now);
  }

  update(milliseconds = 500): MonitorChanges {
    this.now += milliseconds;
    this.monitor.tick(this.now);
    for (const { report } of this.monitor.drain()) this.feed.report(report, this.now);
    return this.feed.update(this.monitor, this.now, new Date(1e12 + this.now));
  }

  /** The snapshot, as it arrives. */
  snapshot(): MonitorSnapshot {
    return JSON.parse(JSON.stringify(this.feed.snapshot()));
  }
}

const link = (receiver: ComponentId, durationUs: bigint | undefined, ppid = 11) => ({
  receiver,
  durationUs,
  protocol: 132,
  ppid,
});

Deno.test("MonitorFeed tells of a component when it appears, when it changes, and when it leaves", () => {
  const scene = new Scene();
  scene.report(element(0xf1), {
    uptimeUs: 0n,
    status: "1 Session in EchoPool",
    workload: 0.25,
    associations: [link(registrar(7), 0n)],
  });
  const first = scene.update();
  assert.deepEqual(first.changed, [
    {
      id: "02000000000000f1",
      group: 2,
      label: "PE $000000f1",
      location: "pc2: 10.1.0.2:4711",
      status: "1 Session in EchoPool",
      startedAt: 0,
      intervalMs: 500,
      source: "10.1.0.2",
      load: 0.25,
      sessions: 1,
      owned: null,
      pool: "EchoPool",
      silentSince: null,
      links: [{ to: "0100000000000007", kind: "ASAP/SCTP", count: 1, since: 0 }],
      associationCount: 1,
    },
  ]);
  assert.deepEqual([first.left, first.counts, first.clock], [[], [0, 1, 0, 0], {
    now: 500,
    time: 1e12 + 500,
  }]);
  assert.deepEqual(first.totals, [0.25, 0.25, 1, 0, 1, 0]);
  // Times that go on are no news, nor are reports that come a little later than the last ones.
  scene.now += 30;
  const same = {
    status: "1 Session in EchoPool",
    workload: 0.25,
    associations: [link(registrar(7), 500_000n)],
  };
  scene.report(element(0xf1), { ...same, uptimeUs: 500_000n });
  assert.deepEqual(scene.update().changed, []);
  scene.report(element(0xf1), { ...same, workload: 0.5 });
  assert.deepEqual(scene.update().changed.map(({ load, startedAt }) => [load, startedAt]), [[0.5, 0]]);
  scene.report(element(0xf1), { isFinal: true });
  const last = scene.update();
  assert.deepEqual([last.changed, last.left, last.counts], [[], ["02000000000000f1"], [0, 0, 0, 0]]);
  const [appeared, ended] = scene.snapshot().events;
  assert.deepEqual([appeared?.type, ended?.type, ended?.component.location], [
    "appeared",
    "ended",
    "pc2: 10.1.0.2:4711",
  ]);
});

Deno.test("a snapshot is what a page would have that was told everything", () => {
  const scene = new Scene(), known = new Map<string, ComponentFact>();
  for (let round = 0; round < 40; round++) {
    for (let object = 1; object <= 9; object++) {
      if ((object * 7 + round) % 11 < 3) continue;
      scene.report(element(object), {
        workload: (object * round % 10) / 10,
        isFinal: (object + round) % 13 === 0,
      });
      scene.report(user(object), { associations: [link(element(1 + (object + round) % 9), undefined, 32)] });
    }
    const { changed, left } = scene.update();
    for (const id of left) known.delete(id);
    for (const fact of changed) known.set(fact.id, JSON.parse(JSON.stringify(fact)));
    const facts = scene.snapshot().components;
    assert.deepEqual(new Map(facts.map((fact) => [fact.id, fact])), known);
  }
  assert.ok(known.size > 5);
});

Deno.test("MonitorFeed tells who is silent, since when, and that it speaks again", () => {
  const scene = new Scene();
  scene.report(element(1));
  scene.update();
  assert.deepEqual(scene.update(1000).changed, []);
  assert.deepEqual(scene.update(1000).changed.map(({ silentSince }) => silentSince), [0]);
  scene.report(element(1));
  assert.deepEqual(scene.update().changed.map(({ silentSince }) => silentSince), [null]);
});

Deno.test("MonitorFeed knows the pool that an element says, or what users speak with it", () => {
  const scene = new Scene();
  scene.report(element(1), { status: "0 Sessions in EchoPool" });
  for (const object of [2, 3, 4]) scene.report(element(object), { status: "0 Sessions" });
  const links = [
    link(registrar(1), undefined),
    link(element(1), undefined, 32),
    link(element(2), undefined, 33),
  ];
  scene.report(user(1), { associations: [...links, link(element(3), undefined, 0)] });
  scene.report(registrar(1), { workload: undefined });
  scene.update();
  const pools = () => Object.fromEntries(scene.snapshot().components.map(({ label, pool }) => [label, pool]));
  const expected = {
    "PE $00000001": "EchoPool",
    "PE $00000002": "PingPong service",
    "PE $00000003": null,
    "PE $00000004": null,
    "PU $00000000000001": null,
    "PR $00000001": null,
  };
  assert.deepEqual(pools(), expected);
  // An element that says something else for a while is in its pool all the same.
  scene.report(element(1), { status: "computes" });
  scene.report(user(1), { associations: [] });
  scene.update();
  assert.deepEqual(pools(), expected);
});

Deno.test("MonitorFeed joins the associations of a pair, and tells of a bounded number of others", () => {
  const scene = new Scene();
  const many = Array.from({ length: 100 }, (_, index) => link(element(10 + index), undefined, 32));
  scene.now = 10_000;
  const pair = [1_000_000n, 4_000_000n, undefined].map((duration) => link(element(1), duration, 32));
  scene.report(user(1), { associations: [...pair, link(element(1), 0n, 33), ...many] });
  const [fact] = scene.update().changed;
  assert.equal(fact?.links.length, MAX_LINKS);
  assert.deepEqual(fact?.links.slice(0, 2).map(({ kind, count, since }) => [kind, count, since]), [
    ["FractGen/SCTP", 3, 6000],
    ["PingPong/SCTP", 1, 10_000],
  ]);
  assert.equal(fact?.associationCount, 104);
});

Deno.test("MonitorFeed tells of a bounded number of components, whoever makes them up: those that were first", () => {
  const scene = new Scene();
  scene.report(element(1), { status: "0 Sessions in EchoPool" });
  scene.update();
  for (let object = 2; object <= MAX_PAGE_COMPONENTS + 10; object++) {
    scene.report(user(object), {
      location: "\u0001".repeat(127),
      status: "\u0002".repeat(127),
      associations: everybody,
    });
  }
  const { changed, counts } = scene.update();
  assert.equal(changed.length, MAX_PAGE_COMPONENTS - 1);
  assert.deepEqual(counts, [0, 1, MAX_PAGE_COMPONENTS + 9, 0]);
  const snapshot = scene.snapshot();
  assert.deepEqual([snapshot.components[0]?.label, snapshot.components.length], [
    "PE $00000001",
    MAX_PAGE_COMPONENTS,
  ]);
  // What may wait for a page that reads slowly is 4 MiB: the worst that strangers can do to it fits.
  assert.ok(JSON.stringify(snapshot).length < 4 * 1024 * 1024);
  // As some leave, others have room.
  scene.report(user(2), { isFinal: true });
  const { changed: added, left } = scene.update();
  assert.deepEqual([added.length, left], [1, ["0300000000000002"]]);
});

/** As many as a monitor keeps of one component. */
const everybody = Array.from(
  { length: MAX_KEPT_ASSOCIATIONS },
  (_, index) => link(element(index), 0n, index),
);

Deno.test("the page's files are there, and history is asked for by component", () => {
  const scene = new Scene(), { assets, live } = pagePlan(scene.feed);
  scene.report(element(0xf1), { workload: 0.5 });
  scene.update();
  scene.update();
  const history = (name: string) => {
    const body = live?.get(`/history/${name}.json`)?.()?.body;
    return typeof body === "string" ? JSON.parse(body) : undefined;
  };
  assert.deepEqual(history("02000000000000f1"), { times: [500, 1000], columns: [[0.5, 0.5], [1, 1]] });
  assert.equal(history("totals").columns.length, 6);
  for (const name of ["02000000000000f2", "f1", "02000000000000F1", "totals.json", "../totals", ""]) {
    assert.equal(history(name), undefined, name);
  }
  const page = `${assets.get("/")?.body}`,
    scripts = [...assets.values()].filter(({ type }) => type.startsWith("text/javascript"));
  const names = [...page.matchAll(/(?:href|src)="(\/[^"]*)"/g), ...page.matchAll(/: "(\/lib\/[^"]+)"/g)];
  for (const { body } of scripts) {
    for (const [, name] of `${body}`.matchAll(/from "\.\/([\w.]+)"/g)) {
      assert.ok(assets.has(`/${name}`), name);
    }
  }
  assert.ok(names.length >= 8);
  for (const [, name] of names) assert.ok(assets.has(name!), name);
});

Deno.test("saysTheSame() is false when anything but a time that goes on is another", () => {
  const before = componentOf({ uptimeUs: 0n, associations: [link(registrar(7), 1_000_000n)] }, 0);
  const later = (changes: Partial<ComponentReport> = {}) =>
    componentOf({ uptimeUs: 5_000_000n, associations: [link(registrar(7), 6_000_000n)], ...changes }, 5000);
  assert.equal(saysTheSame(before, later()), true);
  assert.equal(saysTheSame(before, later({ uptimeUs: 5_100_000n })), true);
  for (
    const changes of [
      { location: "elsewhere" },
      { status: "2 Sessions" },
      { workload: undefined },
      { workload: 0.75 },
      { intervalUs: 1 },
      { uptimeUs: 0n },
      { associations: [] },
      { associations: [link(registrar(8), 6_000_000n)] },
      { associations: [link(registrar(7), 6_000_000n, 12)] },
      { associations: [link(registrar(7), 0n)] },
      { associations: [link(registrar(7), undefined)] },
      { associations: [{ ...link(registrar(7), 6_000_000n), protocol: 6 }] },
    ]
  ) assert.equal(saysTheSame(before, later(changes)), false, Object.keys(changes).join());
  const moved = { ...later(), source: { address: "10.1.0.3", port: 40_000 } };
  assert.equal(saysTheSame(before, moved), false);
  assert.equal(saysTheSame(before, { ...later(), source: { address: "10.1.0.2", port: 1 } }), true);
});
