import assert from "node:assert/strict";
import { Display, fitted } from "../../../cmd/hsdump/display.ts";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { recordOutput } from "../world.ts";

const STATE = { registrarId: 0x1234, peers: [], handlespace: new Handlespace(new Prng(1)) } as const;
const TIME = new Date("2026-01-02T03:04:05.006Z");

Deno.test("Display writes one dump as text", () => {
  const output = recordOutput();
  new Display(output, { json: false, repeats: false }).show(STATE, TIME);
  assert.match(output.text(), /^PeerList of \$00001234 \(0 peers\)\n.*-- Ownership:\n$/s);
});

Deno.test("Display writes one object a line as JSON", () => {
  const output = recordOutput();
  const display = new Display(output, { json: true, repeats: true });
  display.show(STATE, TIME);
  display.show(STATE, TIME);
  const lines = output.text().trimEnd().split("\n");
  assert.equal(lines.length, 2);
  const { time, registrarId, pools } = JSON.parse(lines[1]!);
  assert.deepEqual({ time, registrarId, pools }, {
    time: "2026-01-02T03:04:05.006Z",
    registrarId: "0x00001234",
    pools: [],
  });
});

Deno.test("Display puts the time above each of several dumps", () => {
  const output = recordOutput();
  const display = new Display(output, { json: false, repeats: true });
  display.show(STATE, TIME);
  display.show(STATE, TIME);
  assert.equal(output.text().match(/^\*+ 2026-01-02T03:04:05.006Z \*+$/gm)?.length, 2);
  assert.equal(output.text().includes("\x1b"), false);
});

Deno.test("Display draws over the dump before in a terminal", () => {
  const output = { ...recordOutput(), isTerminal: true };
  const display = new Display(output, { json: false, repeats: true });
  display.show(STATE, TIME);
  display.show(STATE, TIME);
  assert.ok(output.text().includes("\x1b[9A"));
});

Deno.test("fitted() cuts what a terminal cannot show", () => {
  const lines = Array.from({ length: 30 }, (_, index) => `${index} ${"x".repeat(100)}`);
  const shown = fitted(lines, { columns: 10, rows: 8 });
  assert.equal(shown.length, 7);
  assert.equal(shown[0], "0 xxxxxxxx");
  assert.equal(fitted(lines, { columns: 40, rows: 8 }).at(-1), "(24 further lines)");
});
