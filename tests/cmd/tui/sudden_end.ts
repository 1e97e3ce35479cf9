/** A program with a window that ends as the key says: x throws, r rejects, e exits. */
import { KeyWindow } from "../../../cmd/tui/key_window.ts";
import { OWN_TERMINAL } from "./own_terminal.ts";

const window = new KeyWindow({
  ...OWN_TERMINAL,
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
