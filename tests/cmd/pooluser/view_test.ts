import assert from "node:assert/strict";
import { renderImage } from "../../../cmd/pooluser/view.ts";
import { hasTrueColour, LineDisplay } from "../../../cmd/pooluser/display.ts";
import { Picture } from "../../../cmd/pooluser/picture.ts";
import { Log } from "../../../cmd/driver/log.ts";
import { recordOutput } from "../world.ts";

const AREA = { left: 0, top: 0, width: 64, height: 64 };

Deno.test("renderImage() fits picture and text into the terminal", () => {
  const picture = new Picture(64, 64);
  picture.paint({ area: AREA, x: 0, y: 0, values: new Uint32Array(2048) });
  const model = {
    image: 3,
    picture,
    missing: 2048,
    elapsedMs: 1234,
    status: "a status that is longer than the terminal is wide, and is cut therefore",
    elements: [{ elementId: 0x1a, points: 1024 }, { elementId: 0xcafe0001, points: 1024 }],
  };
  const lines = renderImage(model, { columns: 60, rows: 24 });
  assert.equal(lines.length, 23);
  assert.equal(lines[0]!.split("▀").length - 1, 40, "the height decides");
  assert.deepEqual(lines.slice(-3), [
    "Image 3: 64 x 64, 50 %, 1.2 s",
    "PEs: 0x0000001a 25 %, 0xcafe0001 25 %",
    "a status that is longer than the terminal is wide, and is c…",
  ]);
});

Deno.test("LineDisplay writes a line every ten percent, and what came of it", () => {
  const output = recordOutput();
  const log = new Log({ level: 9, color: false, json: false, write: () => {}, now: () => new Date(0) });
  const display = new LineDisplay(output, log, false);
  const parameter = {
    type: "parameter",
    width: 64,
    height: 64,
    maxIterations: 1,
    algorithm: 1,
    c1Real: 0,
    c1Imag: 0,
    c2Real: 0,
    c2Imag: 0,
    n: 2,
  } as const;
  const progress = {
    image: 1,
    parameter,
    picture: new Picture(64, 64),
    startedAt: 0,
    missing: 4096,
    elements: new Map([[0xa, 1]]),
    elementNumbers: new Map(),
  };
  display.started(progress);
  for (let missing = 4095; missing >= 0; missing--) {
    const points = {
      type: "points",
      part: 0,
      area: AREA,
      x: 0,
      y: 0,
      values: new Uint32Array(1),
      elementId: 0xa,
      peChanges: 0,
      missing,
    } as const;
    display.grown(progress, points);
  }
  const elements = [{ elementId: 0xa, messages: 13, points: 4096, repeated: 0 }];
  display.completed(
    progress,
    { durationMs: 2500, failovers: 1, repairs: 0, invalid: 0, elements },
    "out.png",
  );
  const lines = output.text().trimEnd().split("\n");
  assert.equal(lines.length, 13);
  assert.equal(lines[1], "image 1: 10 % (PEs: 0x0000000a)");
  assert.deepEqual(lines.slice(-2), [
    "image 1: complete in 2.5 s, 1 failover, written to out.png",
    "image 1: 0x0000000a gave 4096 points in 13 messages, 0 of them again",
  ]);
});

Deno.test("hasTrueColour() believes COLORTERM in a terminal, and NO_COLOR anywhere", () => {
  const terminal = { ...recordOutput(), isTerminal: true };
  const variables = (values: Record<string, string>) => (name: string) => values[name];
  assert.equal(hasTrueColour(terminal, variables({ COLORTERM: "truecolor" })), true);
  assert.equal(hasTrueColour(terminal, variables({ TERM: "xterm-kitty" })), true);
  assert.equal(hasTrueColour(terminal, variables({ TERM: "xterm-256color" })), false);
  assert.equal(hasTrueColour(terminal, variables({ COLORTERM: "truecolor", NO_COLOR: "1" })), false);
  assert.equal(hasTrueColour(recordOutput(), variables({ COLORTERM: "truecolor" })), false);
});
