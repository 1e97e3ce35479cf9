/** A program with a window that ends as the key says: x throws, r rejects, e exits. */
import process from "node:process";
import { KeyWindow } from "../../../cmd/tui/key_window.ts";

const encoder = new TextEncoder();
const window = new KeyWindow({
  output: {
    isTerminal: true,
    write: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    size: () => Deno.consoleSize(),
  },
  input: { isTerminal: true, open: () => process.stdin },
  onResize: () => draw(),
  onKey: ({ name }) => {
    if (name === "x") {
      setTimeout(() => {
        throw new Error("thrown");
      });
    } else if (name === "r") void Promise.reject(new Error("rejected"));
    else if (name === "e") Deno.exit(5);
  },
});

function draw(): void {
  window.draw(["a window"]);
}

draw();
