/** A program with a window that takes long to draw, as on a busy machine; it ends by the key e. */
import { KeyWindow } from "../../../cmd/tui/key_window.ts";
import { OWN_TERMINAL } from "./own_terminal.ts";

/** Longer than what may come together takes to come. */
const DRAWING_MS = 300;

let drawings = 0;
const window = new KeyWindow({
  ...OWN_TERMINAL,
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
