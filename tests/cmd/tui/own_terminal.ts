/** The terminal in which a test's program runs, as a window takes it. */
import process from "node:process";
import type { KeyWindowOptions } from "../../../cmd/tui/key_window.ts";

const encoder = new TextEncoder();

/** Its output and its input. */
export const OWN_TERMINAL: Pick<KeyWindowOptions, "output" | "input"> = {
  output: {
    isTerminal: true,
    write: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    size: () => Deno.consoleSize(),
  },
  input: { isTerminal: true, open: () => process.stdin },
};
