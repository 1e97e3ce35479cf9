import assert from "node:assert/strict";
import { MAX_EVENTS } from "../../../protocol/csp/component_event.ts";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import type { ComponentId } from "../../../protocol/csp/component_id.ts";
import { componentLabel } from "../../../protocol/csp/describe.ts";
import { MonitorHistory, TOTAL_COLUMNS } from "../../../protocol/csp/history.ts";
import { MAX_COMPONENTS_OF_ADDRESS, Monitor } from "../../../protocol/csp/monitor.ts";
import type { ComponentReport } from "../../../protocol/csp/report.ts";
import { datagramOf } from "./components.ts";

const registrar = (object: number) => componentId(ComponentGroup.registrar, object);
const element = (object: number) => componentId(ComponentGroup.element, object);
const user = (object: number) => componentId(ComponentGroup.user, object);

/** A monitor with its history; the components report when they are told to. */
class Scene {
  readonly monitor: Monitor = new Monitor({ purgeIntervalMs: 30_000 });
  readonly history: MonitorHistory = new MonitorHistory();
  now = 0;

  /** Somebody reports what it is connected with. */
  report(sender: ComponentId, to: readonly ComponentId[] = [], changes: Partial<ComponentReport> = {}): void {
    const associations = to.map((receiver) => ({ receiver, durationUs: undefined, protocol: 132, ppid: 32 }));
    const uptimeUs = BigInt(1000 * this.now) + 1n;
    this.monitor.handle(datagramOf({ sender, uptimeUs, associations, ...changes }), this.now);
  }

  /** Time goes on, and the monitor looks at everybody. */
  look(milliseconds = 500): void {
    this.now += milliseconds;
    this.tell();
    this.history.sample(this.monitor.components, this.now);
  }

  tell(): void {
    this.monitor.tick(this.now);
    for (const { report } of this.monitor.drain()) this.history.report(report, this.now);
  }

  /** What is new, in words. */
  told(): string[] {
    return this.history.events.takeChanged().map(({ type, component, from, to, count }) => {
      const [who, former, present] = [component, from, to].map((id) =>
        id === undefined ? "" : componentLabel(id)
      );
      return `${type} ${who}` + (former === "" ? "" : ` ${former} -> ${present}, ${count}`);
    });
  }
}

Deno.test("MonitorHistory tells who appears, begins anew, ends, and falls silent", () => {
  const scene = new Scene();
  scene.report(element(1));
  scene.report(element(2));
  scene.look();
  assert.deepEqual(scene.told(), ["appeared PE $00000001", "appeared PE $00000002"]);
  scene.report(element(1), [], { uptimeUs: 0n });
  scene.report(element(2), [], { isFinal: true });
  scene.look();
  assert.deepEqual(scene.told(), ["restarted PE $00000001", "ended PE $00000002"]);
  scene.look(5000);
  assert.deepEqual(scene.told(), ["silent PE $00000001"]);
  scene.look();
  assert.deepEqual(scene.told(), []);
});

Deno.test("MonitorHistory sees that elements have another registrar: a takeover, if the former one is gone", () => {
  const scene = new Scene();
  const all = (home: number, alive: readonly number[]) => {
    for (const object of alive) scene.report(registrar(object));
    for (const object of [1, 2, 3]) scene.report(element(object), [registrar(home)]);
    scene.look();
  };
  all(7, [7, 8]);
  scene.told();
  for (let round = 0; round < 4; round++) all(7, [8]); // 7 is late
  assert.deepEqual(scene.told(), []);
  all(8, [8]);
  assert.deepEqual(scene.told(), ["takeover PE $00000001 PR $00000007 -> PR $00000008, 3"]);
  for (let round = 0; round < 12; round++) all(8, [8]);
  assert.deepEqual(scene.told(), ["silent PR $00000007"]);
  all(8, [7, 8]);
  all(7, [7, 8]);
  assert.deepEqual(scene.told(), [
    "appeared PR $00000007",
    "rehomed PE $00000001 PR $00000008 -> PR $00000007, 3",
  ]);
});

Deno.test("MonitorHistory knows no registrar as long as it has no name, and no takeover of a user", () => {
  const scene = new Scene();
  for (
    const homes of [[registrar(0)], [], [registrar(1)], [], [registrar(0)], [registrar(1)], [registrar(2)]]
  ) {
    scene.report(element(1), homes);
    scene.report(user(1), homes);
    scene.look();
  }
  assert.deepEqual(scene.told().slice(2), [
    "rehomed PE $00000001 PR $00000001 -> PR $00000002, 1",
    "rehomed PU $00000000000001 PR $00000001 -> PR $00000002, 1",
  ]);
});

Deno.test("MonitorHistory sees a session move: a failover, once its element turns out to be gone", () => {
  const scene = new Scene();
  scene.report(element(1));
  scene.report(user(1), [element(1), element(1), element(2)]);
  scene.look();
  scene.told();
  scene.report(user(1), [element(2), element(2), element(3)]);
  scene.look();
  assert.deepEqual(scene.told(), [
    "moved PU $00000000000001 PE $00000001 -> PE $00000002, 1",
    "moved PU $00000000000001 PE $00000001 -> PE $00000003, 1",
  ]);
  for (let round = 0; round < 10; round++) {
    scene.report(user(1), [element(2), element(2), element(3)]);
    scene.look();
  }
  assert.deepEqual(scene.told(), [
    "failover PU $00000000000001 PE $00000001 -> PE $00000002, 1",
    "failover PU $00000000000001 PE $00000001 -> PE $00000003, 1",
    "silent PE $00000001",
  ]);
});

Deno.test("MonitorHistory takes sessions that begin long after others for new ones, unless those had lost their element", () => {
  for (
    const [isGone, expected] of [[false, []], [true, [
      "failover PU $00000000000001 PE $00000001 -> PE $00000002, 1",
    ]]] as const
  ) {
    const scene = new Scene();
    const round = (to: readonly ComponentId[]) => {
      if (!isGone) scene.report(element(1));
      scene.report(user(1), to);
      scene.look();
    };
    scene.report(element(1));
    round([element(1)]);
    for (let wait = 0; wait < 20; wait++) round([]);
    scene.told();
    round([element(2)]);
    assert.deepEqual(scene.told(), expected);
  }
});

Deno.test("MonitorHistory sees no movement when a session comes back to its element", () => {
  const scene = new Scene();
  for (
    const to of [[element(1)], [], [element(1)], [element(1), element(2)], [element(2)], [
      element(1),
      element(2),
    ]]
  ) {
    scene.report(user(1), to);
    scene.look();
  }
  assert.deepEqual(scene.told(), ["appeared PU $00000000000001"]);
});

Deno.test("MonitorHistory has load and sessions over time, of each and of all", () => {
  const scene = new Scene();
  scene.report(element(1), [], { workload: 0.25, status: "2 Sessions" });
  scene.report(element(2), [], { workload: 0.75, status: "1 Session in EchoPool" });
  scene.report(element(3), [], { workload: undefined, status: "?" });
  scene.report(registrar(1), [], { workload: undefined, status: "3[2] PEs in 1 Pool, 0 Peers" });
  scene.report(user(1), [element(1)], { workload: undefined });
  scene.look(1000);
  const { times, columns } = scene.history.recentTotals.points();
  assert.deepEqual(times, [1000]);
  const totals = Object.fromEntries(TOTAL_COLUMNS.map((name, index) => [name, columns[index]?.[0]]));
  const rounded = {
    ...totals,
    meanLoad: totals["meanLoad"]?.toFixed(2),
    highestLoad: totals["highestLoad"]?.toFixed(2),
  };
  assert.deepEqual(rounded, {
    meanLoad: "0.50",
    highestLoad: "0.75",
    sessions: 3,
    registrars: 1,
    elements: 3,
    users: 1,
  });
  const curve = (id: ComponentId) => scene.history.curveOf(id)?.points().columns.map(([value]) => value);
  assert.deepEqual(curve(element(3)), [Number.NaN, Number.NaN]);
  assert.deepEqual(curve(registrar(1)), [Number.NaN, 2]);
  assert.deepEqual(curve(user(1)), [Number.NaN, 1]);
  scene.report(user(1), [], { isFinal: true });
  scene.look();
  assert.equal(curve(user(1)), undefined);
});

Deno.test("MonitorHistory remembers a bounded number of events, whatever a stranger makes up", () => {
  const scene = new Scene();
  for (let round = 0; round < 3; round++) {
    for (let object = 1; object <= MAX_COMPONENTS_OF_ADDRESS; object++) {
      const targets = Array.from({ length: 4 }, (_, index) => element(round * 4 + index));
      scene.report(user(object), targets, { intervalUs: 60_000_000 });
    }
    scene.look();
  }
  const events = scene.history.events.all();
  assert.equal(events.length, MAX_EVENTS);
  assert.deepEqual(
    events.map(({ number }) => number),
    Array.from({ length: MAX_EVENTS }, (_, index) => events[0]!.number + index),
  );
  assert.equal(scene.told().length, MAX_EVENTS);
});

Deno.test("MonitorHistory calls nobody's way forced because somebody else is gone, and no user's way a takeover", () => {
  const scene = new Scene();
  const all = (home: number, to: number, registrars: readonly number[]) => {
    for (const object of registrars) scene.report(registrar(object));
    for (const object of [1, 2]) scene.report(element(object));
    scene.report(user(1), [registrar(home), element(to)]);
    scene.look();
  };
  all(7, 1, [7, 8]);
  scene.told();
  all(7, 2, [7, 8]); // a session that moves between two that live
  for (let round = 0; round < 4; round++) all(7, 2, [8]); // the registrar is late
  all(8, 2, [8]);
  for (let round = 0; round < 12; round++) all(8, 2, [8]);
  assert.deepEqual(scene.told(), [
    "moved PU $00000000000001 PE $00000001 -> PE $00000002, 1",
    "rehomed PU $00000000000001 PR $00000007 -> PR $00000008, 1",
    "silent PR $00000007",
  ]);
});

Deno.test("MonitorHistory counts the sessions and the load of a silent element no more: they are elsewhere", () => {
  const scene = new Scene();
  scene.report(element(1), [], { status: "2 Sessions", workload: 1 });
  scene.look();
  for (let round = 0; round < 5; round++) {
    scene.report(element(2), [], { status: "2 Sessions", workload: 0.5 });
    scene.look();
  }
  const { columns } = scene.history.recentTotals.points();
  const column = (name: typeof TOTAL_COLUMNS[number]) => columns[TOTAL_COLUMNS.indexOf(name)];
  assert.deepEqual(column("sessions"), [2, 4, 4, 2, 2, 2]);
  assert.deepEqual(column("highestLoad")?.map((load) => load.toFixed(1)), [
    "1.0",
    "1.0",
    "1.0",
    "0.5",
    "0.5",
    "0.5",
  ]);
  assert.deepEqual(column("elements"), [1, 2, 2, 2, 2, 2]);
});

Deno.test("MonitorHistory counts what users say where an element does not say how many sessions it has", () => {
  const scene = new Scene();
  for (let round = 0; round < 5; round++) {
    scene.report(element(1), [], { status: "Looking for Registrar ..." });
    scene.report(element(2), [], { status: "1 Session" });
    scene.report(user(1), [registrar(1), element(1), element(1), element(2)]);
    if (round === 0) scene.report(user(2), [element(1)]); // and falls silent
    scene.look();
  }
  const { columns } = scene.history.recentTotals.points();
  assert.deepEqual(columns[TOTAL_COLUMNS.indexOf("sessions")], [4, 4, 4, 3, 3]);
});

Deno.test("MonitorHistory begins a new event when those of the same kind are long past", () => {
  const scene = new Scene();
  const all = (homes: readonly number[]) => {
    for (const object of [7, 8]) scene.report(registrar(object));
    homes.forEach((home, index) => scene.report(element(index + 1), [registrar(home)]));
    scene.look();
  };
  all([7, 7, 7]);
  scene.told();
  all([8, 7, 7]);
  all([8, 8, 7]);
  for (let round = 0; round < 12; round++) all([8, 8, 7]);
  all([8, 8, 8]);
  assert.deepEqual(scene.told(), [
    "rehomed PE $00000001 PR $00000007 -> PR $00000008, 2",
    "rehomed PE $00000003 PR $00000007 -> PR $00000008, 1",
  ]);
});
