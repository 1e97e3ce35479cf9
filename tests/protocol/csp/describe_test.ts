import assert from "node:assert/strict";
import { arrangeComponents } from "../../../protocol/csp/arrangement.ts";
import type { ArrangementOptions } from "../../../protocol/csp/arrangement.ts";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import {
  componentLabel,
  componentObject,
  describeAssociation,
  describeComponent,
  shortLocation,
  showUptime,
} from "../../../protocol/csp/describe.ts";
import { componentOf } from "./components.ts";

const HOUR_US = 3_600_000_000n;

Deno.test("describeComponent() writes a component as RSPLIB's monitor does", () => {
  const component = componentOf({ uptimeUs: 62_000_000n }, 1000);
  const columns = { label: 11, location: 20 };
  assert.equal(
    describeComponent(component, 1400, columns),
    'PE $000000f1 [pc2: 10.1.0.2:4711]   U=00:01:02 l=0.4s A=0 L= 50% "1 Session"',
  );
  assert.equal(
    describeComponent(componentOf({ workload: undefined }), 0, { label: 0, location: 8 }),
    'PE $000000f1 [pc2: ...] U=00:00:00 l=0.0s A=0 "1 Session"',
  );
});

Deno.test("componentLabel() knows registrars, elements and users, and calls others by their number", () => {
  assert.deepEqual(
    [1, 2, 3, 200].map((group) => componentLabel(componentId(group as ComponentGroup, 0xabc))),
    ["PR $00000abc", "PE $00000abc", "PU $00000000000abc", "ID $00000000000abc"],
  );
});

Deno.test("showUptime() has eight characters for every time", () => {
  const samples: [bigint, string][] = [
    [0n, "00:00:00"],
    [HOUR_US - 1n, "00:59:59"],
    [100n * HOUR_US - 1n, "99:59:59"],
    [101n * HOUR_US, "  4d 05h"],
    [24_000n * HOUR_US, "??:??:??"],
    [0xffff_ffff_ffff_ffffn, "??:??:??"],
  ];
  for (const [uptime, text] of samples) assert.equal(showUptime(uptime), text);
});

Deno.test("shortLocation() never makes a location longer", () => {
  for (let length = 0; length < 12; length++) {
    assert.ok(shortLocation("pc2: 10.1.0.2", length).length <= length);
  }
  assert.equal(shortLocation("pc2", 3), "pc2");
});

Deno.test("describeAssociation() names what is known, and numbers what is not", () => {
  const receiver = componentId(ComponentGroup.element, 0xf1);
  assert.equal(
    describeAssociation({ receiver, durationUs: 1_000_000n, protocol: 132, ppid: 32 }),
    "PE $000000f1 FractGen/SCTP    duration=0:00:01",
  );
  assert.equal(
    describeAssociation({ receiver, durationUs: undefined, protocol: 99, ppid: 0x29097601 }),
    "PE $000000f1 $29097601/$0063",
  );
});

Deno.test("componentObject() is JSON, with times in seconds", () => {
  const associations = [{ receiver: componentId(1, 0x22), durationUs: 1_500_000n, protocol: 132, ppid: 11 }];
  const object = componentObject(componentOf({ uptimeUs: 2_500_000n, associations }, 1000), 1250);
  assert.deepEqual(JSON.parse(JSON.stringify(object)), {
    id: "0x02000000000000f1",
    group: "PE",
    object: "0x000000f1",
    location: "pc2: 10.1.0.2:4711",
    status: "1 Session",
    uptime: 2.5,
    age: 0.25,
    interval: 0.5,
    workload: 0.5,
    source: "10.1.0.2:40000",
    associationCount: 1,
    associations: [{
      receiver: "0x0100000000000022",
      group: "PR",
      object: "0x00000022",
      protocol: "SCTP",
      ppid: 11,
      duration: 1.5,
    }],
  });
});

const ALL: ArrangementOptions = { order: "location", isReversed: false, filter: "", limits: new Map() };
const SCENE = [
  componentOf({ sender: componentId(3, 7), location: "a", workload: undefined }),
  componentOf({ sender: componentId(2, 3), location: "b", workload: 0.1, status: "2 Sessions" }),
  componentOf({ sender: componentId(2, 2), location: "c", workload: 0.9 }),
  componentOf({ sender: componentId(2, 1), location: "b", workload: 0.5 }),
];

/** The objects of the components that are shown. */
function shown(changes: Partial<ArrangementOptions>): string[] {
  const { groups } = arrangeComponents(SCENE, { ...ALL, ...changes });
  return groups.flatMap((group) => group.shown.map(({ id }) => componentLabel(id).replace(/\$0*/, "")));
}

Deno.test("arrangeComponents() orders by group, by what is wanted, and by ID", () => {
  assert.deepEqual(shown({}), ["PE 1", "PE 3", "PE 2", "PU 7"]);
  assert.deepEqual(shown({ order: "id" }), ["PE 1", "PE 2", "PE 3", "PU 7"]);
  assert.deepEqual(shown({ order: "load" }), ["PE 2", "PE 1", "PE 3", "PU 7"]);
  assert.deepEqual(shown({ order: "status", isReversed: true }), ["PE 3", "PE 2", "PE 1", "PU 7"]);
});

Deno.test("arrangeComponents() hides what is beyond a limit, and what a filter does not want", () => {
  const limited = arrangeComponents(SCENE, { ...ALL, limits: new Map([[2, 1]]) });
  assert.deepEqual(limited.groups.map(({ group, hidden }) => [group, hidden]), [[2, 2], [3, 0]]);
  assert.deepEqual(shown({ filter: "2 sess" }), ["PE 3"]);
  assert.deepEqual(shown({ filter: "PU $" }), ["PU 7"]);
  assert.equal(arrangeComponents(SCENE, { ...ALL, filter: "nobody" }).filtered, 4);
});
