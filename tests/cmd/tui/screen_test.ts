import assert from "node:assert/strict";
import { FullScreen, LiveBlock } from "../../../cmd/tui/screen.ts";
import { recordOutput } from "../world.ts";

/** What a terminal shows after these octets: enough of one for the block. */
function terminal(text: string): string[] {
  const lines: string[] = [""];
  let row = 0, column = 0;
  for (
    const [token, count, command] of text.replaceAll("\x1b", "<ESC>").matchAll(/<ESC>\[(\d*)([A-Z])|[^]/g)
  ) {
    if (token === "\n") {
      row++;
      column = 0;
      lines[row] ??= "";
    } else if (token === "\r") {
      column = 0;
    } else if (command === undefined) {
      lines[row] = lines[row]!.slice(0, column) + token + lines[row]!.slice(column + 1);
      column++;
    } else if (command === "A") {
      row -= Number(count);
    } else {
      lines[row] = lines[row]!.slice(0, column);
      if (command === "J") lines.length = row + 1;
    }
  }
  return lines;
}

Deno.test("LiveBlock draws in the same place, and leaves unchanged lines alone", () => {
  const output = recordOutput();
  const block = new LiveBlock(output);
  block.draw(["one", "two", "three"]);
  const before = output.text().length;
  block.draw(["one", "2", "three"]);
  assert.deepEqual(terminal(output.text()), ["one", "2", "three", ""]);
  assert.ok(!output.text().slice(before).includes("three"));
  block.draw(["a", "b"]);
  assert.deepEqual(terminal(output.text()), ["a", "b", ""]);
  block.draw(["a", "b", "c", "d"]);
  assert.deepEqual(terminal(output.text()), ["a", "b", "c", "d", ""]);
});

Deno.test("LiveBlock prints above itself", () => {
  const output = recordOutput();
  const block = new LiveBlock(output);
  block.print("before\n");
  block.draw(["x", "y"]);
  block.print("log line\n");
  block.draw(["x", "z"]);
  assert.deepEqual(terminal(output.text()), ["before", "log line", "x", "z", ""]);
});

Deno.test("LiveBlock leaves what was drawn when it is finished", () => {
  const output = recordOutput();
  const block = new LiveBlock(output);
  block.draw(["first"]);
  block.finish();
  block.finish();
  block.draw(["second"]);
  assert.deepEqual(terminal(output.text()), ["first", "second", ""]);
});

Deno.test("FullScreen draws what has changed, all of it in a window of another size, and gives the window back", () => {
  const recorded = recordOutput(), size = { columns: 80, rows: 24 };
  const output = { ...recorded, isTerminal: true, size: () => ({ ...size }) };
  let seen = 0;
  const news = () => {
    const text = recorded.text().slice(seen);
    seen += text.length;
    return text;
  };
  const screen = new FullScreen(output);
  screen.draw(["one", "two"]);
  assert.equal(news(), "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[1;1H\x1b[Kone\x1b[2;1H\x1b[Ktwo");
  screen.draw(["one", "2"]);
  assert.equal(news(), "\x1b[2;1H\x1b[K2");
  size.rows = 10;
  screen.draw(["one", "2"]);
  assert.equal(news(), "\x1b[2J\x1b[1;1H\x1b[Kone\x1b[2;1H\x1b[K2");
  screen[Symbol.dispose]();
  assert.equal(news(), "\x1b[?25h\x1b[?1049lone\n2\n");
  screen[Symbol.dispose]();
  assert.equal(news(), "");
});
