import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { pressKey } from "../../../cmd/cspmonitor/settings.ts";
import type { ViewSettings } from "../../../cmd/cspmonitor/settings.ts";
import type { Key } from "../../../cmd/tui/key_window.ts";
import { renderMonitor, scrollRange } from "../../../cmd/cspmonitor/view.ts";
import type { MonitorView } from "../../../cmd/cspmonitor/view.ts";
import { arrangeComponents, componentGroupOf, componentId } from "../../../protocol/csp/mod.ts";
import type { Component } from "../../../protocol/csp/mod.ts";
import { componentOf } from "../../protocol/csp/components.ts";

const SETTINGS: ViewSettings = {
  order: "location",
  isReversed: false,
  filter: "",
  limits: new Map([[1, 6], [2, 42], [3, 24]]),
  isLimited: true,
  maxLocation: 72,
  hasAssociations: false,
  isTyping: false,
  isPaused: false,
  offset: 0,
};
const NOTHING = { datagrams: 0, taken: 0, malformed: 0, conflicting: 0, overtaken: 0, overflowing: 0 };

function viewOf(components: readonly Component[], changes: Partial<ViewSettings> = {}): MonitorView {
  const settings = { ...SETTINGS, ...changes };
  return {
    arrangement: arrangeComponents(components, settings),
    totals: new Map(
      Map.groupBy(components, ({ id }) => componentGroupOf(id)).entries().map(([group, members]) =>
        [group, members.length] as const
      ),
    ),
    settings,
    statistics: NOTHING,
    now: 1000,
    time: new Date(2026, 0, 2, 3, 4, 5),
    notice: "",
    hint: ["Nothing has reported yet."],
    hasKeys: true,
    color: false,
  };
}

/** A thousand components of all groups, some with associations. */
const THOUSAND = Array.from({ length: 1000 }, (_, index) =>
  componentOf({
    sender: componentId(([1, 2, 3] as const)[index % 3]!, index + 1),
    location: `pc${index}: 10.1.${index >> 8}.${index & 255}:3863, fd01::${index}, fd02::${index}`,
    associations: Array.from(
      { length: index % 4 },
      (_, number) => ({ receiver: componentId(2, number), durationUs: 1n, protocol: 132, ppid: 32 }),
    ),
  }));

Deno.test("renderMonitor() shows who is there", () => {
  const registrar = componentOf({
    sender: componentId(1, 0x1111),
    location: "pc1",
    status: "1[1] PEs in 1 Pool, 0 Peers",
    workload: undefined,
  });
  const lines = renderMonitor(viewOf([registrar, componentOf({}, 600)]), { columns: 100, rows: 8 });
  assert.deepEqual(
    lines.slice(0, 4),
    [
      "2026-01-02 03:04:05: Current Component Status -- 1 PR, 1 PE",
      "COMPONENT     LOCATION              UPTIME     AGE  ASSOC  LOAD  STATUS",
      "PR $00001111  pc1                 00:00:00    1.0s      0        1[1] PEs in 1 Pool, 0 Peers",
      "PE $000000f1  pc2: 10.1.0.2:4711  00:00:00    0.4s      0   50%  1 Session",
    ],
  );
  assert.equal(lines.length, 8);
  assert.match(lines[7]!, /^q quit {2}s sort/);
});

Deno.test("renderMonitor() fits every window, with a thousand components, with and without colours", () => {
  for (const columns of [1, 5, 20, 40, 60, 80, 133, 300]) {
    for (const rows of [1, 2, 3, 4, 24, 70]) {
      for (const hasAssociations of [false, true]) {
        const view = viewOf(THOUSAND, { hasAssociations, limits: new Map(), offset: 1e6 });
        for (const color of [false, true]) {
          const lines = renderMonitor({ ...view, color }, { columns, rows }).map((line) =>
            stripVTControlCharacters(line)
          );
          assert.equal(lines.length, rows, `${columns} x ${rows}`);
          for (const line of lines) assert.ok(line.length <= columns, `${columns} x ${rows}: ${line}`);
        }
      }
    }
  }
});

Deno.test("renderMonitor() shows every row once when it is scrolled page by page", () => {
  const size = { columns: 100, rows: 24 };
  const { rows, page } = scrollRange(viewOf(THOUSAND, { hasAssociations: true, limits: new Map() }), size);
  assert.equal(rows, 1000 + 1500);
  const labels = new Set<string>();
  let arrows = 0;
  for (let offset = 0; offset < rows; offset += page) {
    const view = viewOf(THOUSAND, { hasAssociations: true, limits: new Map(), offset });
    const skipped = Math.max(0, offset - (rows - page)); // the last page is full
    for (const line of renderMonitor(view, size).slice(2 + skipped, -1)) {
      if (line.startsWith("   -> ")) arrows++;
      else labels.add(line.slice(0, 18));
    }
  }
  assert.deepEqual([labels.size, arrows], [1000, 1500]);
});

Deno.test("renderMonitor() counts what the limits hide, and says what a filter leaves out", () => {
  const size = { columns: 120, rows: 100 };
  const lines = renderMonitor(viewOf(THOUSAND), size);
  assert.ok(lines.includes("(328 further PRs have been hidden)"));
  assert.ok(lines.includes("(291 further PEs have been hidden)"));
  const filtered = renderMonitor(viewOf(THOUSAND, { filter: "pc999:" }), size);
  assert.match(filtered.at(-1)!, /^filter "pc999:" leaves out 999 \| /);
  assert.ok(renderMonitor(viewOf([]), size).includes("Nothing has reported yet."));
});

Deno.test("renderMonitor() wraps its hint in a narrow window, but not the commands in it", () => {
  const command = "  rsp server -cspserver=10.1.0.9:2960";
  const view = { ...viewOf([]), hint: ["Nothing has reported yet.", "", command] };
  const lines = renderMonitor(view, { columns: 16, rows: 12 });
  assert.deepEqual(lines.slice(3, 7), ["Nothing has", "reported yet.", "", `${command.slice(0, 15)}…`]);
});

Deno.test("renderMonitor() lets no status text reach the terminal's controls", () => {
  const component = componentOf({ status: "\\x1b[2J<script>alert(1)</script>" }); // as the codec gives it
  for (const line of renderMonitor(viewOf([component]), { columns: 120, rows: 10 })) {
    assert.doesNotMatch(line, /[\p{Cc}]/u);
  }
});

/** The settings after some keys. */
function after(keys: readonly (string | Key)[], settings = SETTINGS): ViewSettings | undefined {
  let now: ViewSettings | undefined = settings;
  for (const key of keys) {
    const pressed = typeof key === "string" ? { name: key, sequence: key } : key;
    now = now && pressKey(now, pressed, { page: 10, rows: 95 });
  }
  return now;
}

Deno.test("pressKey() sorts, reverses, opens associations, lifts limits and pauses", () => {
  assert.equal(after(["s"])?.order, "id");
  assert.equal(after(Array(7).fill("s"))?.order, "location");
  const all = after(["r", "a", "m", "p"]);
  assert.deepEqual([all?.isReversed, all?.hasAssociations, all?.isLimited, all?.isPaused], [
    true,
    true,
    false,
    true,
  ]);
});

Deno.test("pressKey() scrolls within what there is", () => {
  assert.equal(after(["down", "j", "pagedown"])?.offset, 12);
  assert.equal(after(["end"])?.offset, 85);
  assert.equal(after(["end", "down", "space"])?.offset, 85);
  assert.equal(after(["pagedown", "pageup", "up", "k"])?.offset, 0);
  assert.equal(after(["end", "home"])?.offset, 0);
});

Deno.test("pressKey() takes letters for the filter until Enter, and Escape takes the filter back", () => {
  const typed = after([{ sequence: "/" }, "q", "s", "x", { name: "backspace", sequence: "\x7f" }]);
  assert.deepEqual([typed?.filter, typed?.isTyping], ["qs", true]);
  const done = after([{ name: "return", sequence: "\r" }], typed);
  assert.deepEqual([done?.filter, done?.isTyping], ["qs", false]);
  assert.equal(after([{ name: "escape", sequence: "\x1b" }], done)?.filter, "");
  assert.equal(after([{ sequence: "/" }, { sequence: "\x1b[31~" }, { sequence: "é" }])?.filter, "");
  assert.equal(after([{ sequence: "/" }, ...Array(100).fill("x")])?.filter.length, 64);
});

Deno.test("pressKey() ends by q and by Ctrl+C, but q may stand in a filter", () => {
  assert.equal(after(["q"]), undefined);
  assert.equal(after([{ sequence: "/" }, { name: "c", ctrl: true, sequence: "\x03" }]), undefined);
  assert.equal(after([{ sequence: "/" }, "q"])?.filter, "q");
});
