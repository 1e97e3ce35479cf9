/** The page's words, as far as they need no browser. */
import assert from "node:assert/strict";
import { convexHull, pointOn } from "../../../../cmd/cspmonitor/web/page/shapes.js";
import {
  countOf,
  eventLines,
  eventText,
  hostOf,
  labelOf,
  partyText,
  spanText,
} from "../../../../cmd/cspmonitor/web/page/words.js";
import { componentLabel } from "../../../../protocol/csp/mod.ts";
import type { EventFact } from "../../../../cmd/cspmonitor/web/facts.ts";

const party = (id: string, host: string) => ({
  id,
  label: `${["", "PR", "PE", "PU"][Number(id[1])]} $${id.slice(8)}`,
  location: `${host}: 10.1.0.1`,
});
const PE1 = party("0200000000000001", "pc1"),
  PE2 = party("0200000000000002", "pc2"),
  PE3 = party("0200000000000003", "pc3");
const PR = party("0100000000000007", "reg"), PU = party("0300000000000009", "student");

const textOf = ({ text }: { readonly text: string }): string => text;

let last = 0;
const event = (changes: Partial<EventFact>): EventFact => ({
  number: ++last,
  at: 0,
  type: "appeared",
  component: PE1,
  from: null,
  to: null,
  count: 1,
  ...changes,
});

for (
  const [changes, text] of [
    [{}, "PE pc1 $1 appeared"],
    [{ type: "restarted" }, "PE pc1 $1 began anew"],
    [{ type: "silent" }, "PE pc1 $1 fell silent"],
    [
      { type: "takeover", from: PR, to: party("0100000000000008", "other"), count: 3 },
      "PR other $8 took over 3 elements of PR reg $7",
    ],
    [
      { type: "rehomed", from: PR, to: PR, count: 2 },
      "PE pc1 $1 and 1 other went from PR reg $7 to PR reg $7",
    ],
    [
      { type: "failover", component: PU, from: PE1, to: PE2 },
      "PU student $9 failed over from PE pc1 $1 to PE pc2 $2",
    ],
    [
      { type: "failover", component: PU, from: PE1, to: PE2, count: 4 },
      "PU student $9 failed over 4 sessions from PE pc1 $1 to PE pc2 $2",
    ],
    [{ type: "conflict" }, "somebody else reports as PE pc1 $1, and is refused"],
  ] as const
) {
  Deno.test(`eventText() says ${JSON.stringify(text)}`, () => assert.equal(eventText(event(changes)), text));
}

Deno.test("eventLines() makes one line of components that do the same at once, newest first", () => {
  const events = [
    event({ at: 0, component: PE1 }),
    event({ at: 1500, component: PE2 }),
    event({ at: 1600, component: PU }),
    event({ at: 4000, component: PE3 }),
    event({ at: 4000, component: PE2, type: "ended" }),
  ];
  const lines = eventLines(events, 10).map(textOf);
  assert.deepEqual(lines, [
    "PE pc2 $2 ended",
    "PE pc3 $3 appeared",
    "PU student $9 appeared",
    "2 elements appeared: PE pc2 $2, PE pc1 $1",
  ]);
  assert.deepEqual(eventLines(events, 2).map(textOf), lines.slice(0, 2));
});

Deno.test("hostOf() is the name before the addresses, or the first address", () => {
  assert.deepEqual(["pc1: 10.1.0.1:3863, fd01::1", "10.1.0.1:4711, fd01::1", "pc1", "", ": x"].map(hostOf), [
    "pc1",
    "10.1.0.1:4711",
    "pc1",
    "",
    ": x",
  ]);
  assert.equal(partyText({ label: "PE $00000000", location: "x".repeat(40) }), `PE ${"x".repeat(31)}… $0`);
});

Deno.test("labelOf() says who has an identifier as the program does", () => {
  for (
    const id of [
      0x0100000000001111n,
      0x02000000000000f1n,
      0x02123456789abcden,
      0x0300000000000001n,
      0x0900000000000001n,
    ]
  ) {
    assert.equal(labelOf(id.toString(16).padStart(16, "0")), componentLabel(id));
  }
});

Deno.test("spanText() is short for every time", () => {
  assert.deepEqual([-1, 0, 61_000, 3_600_000 * 99, 3_600_000 * 101, 1e16].map(spanText), [
    "00:00:00",
    "00:00:00",
    "00:01:01",
    "99:00:00",
    "4 d 05 h",
    "ages",
  ]);
  assert.deepEqual([countOf(1, 1), countOf(2, 0), countOf(9, 2)], ["1 registrar", "0 elements", "2 others"]);
});

Deno.test("convexHull() has the outer places, whatever lies within", () => {
  const square = [[0, 0], [4, 0], [4, 4], [0, 4]] as const;
  const hull = convexHull([...square, [2, 2], [1, 3], [2, 0], [4, 4]]);
  assert.deepEqual(new Set(hull.map(String)), new Set(square.map(String)));
  assert.deepEqual(convexHull([[1, 1]]), [[1, 1]]);
});

Deno.test("pointOn() goes from the beginning of a way to its end", () => {
  const way = [[0, 0], [0, 5], [10, 5], [10, 10]] as const;
  assert.deepEqual([pointOn(way, 0), pointOn(way, 0.5), pointOn(way, 1)], [[0, 0], [5, 5], [10, 10]]);
});
