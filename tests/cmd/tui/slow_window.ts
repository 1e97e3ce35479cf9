/** A program with a window that takes long to draw, as on a busy machine; it ends by the key e. */
import process from "node:process";
import { KeyWindow } from "../../../cmd/tui/key_window.ts";

/** Longer than what may come together takes to come. */
const DRAWING_MS = 300;

const encoder = new TextEncoder();
let drawings = 0;
const window = new KeyWindow({
  output: {
    isTerminal: true,
    write: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    size: () => Deno.consoleSize(),
  },
  input: { isTerminal: true, open: () => process.stdin },
  onResize: () => draw(),
  onKey: ({ name }) => {
    if (name !== "e") return;
    window[Symbol.dispose]();
    Deno.exit(5);
  },
});

function draw(): void {
  for (const end = performance.now() + DRAWING_MS; performance.now() < end;);
  window.draw([`drawing ${++drawings}`]);
}

draw();
