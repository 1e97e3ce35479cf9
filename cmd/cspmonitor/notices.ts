/** The log of a program that fills the window of a terminal. */
import type { Output } from "../command.ts";

/**
 * Where the log goes: lines between the drawn ones would spoil the window, which has a place for the last of them. Before the
 * window is opened, and after it is closed, lines go where they go without one: what ends the program is said then.
 */
export class Notices implements Output {
  /** Colours would spoil the window, too. */
  readonly isTerminal = false;
  /** The last line, for the window. */
  last = "";
  readonly #output: Output;
  #isWindowOpen = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** The window is open from now on. */
  opened(): void {
    this.#isWindowOpen = true;
  }

  /** The window is being closed. */
  closed(): void {
    this.#isWindowOpen = false;
  }

  write(line: string): void {
    this.last = line.trim();
    if (!this.#isWindowOpen) this.#output.write(line);
  }

  size(): { readonly columns: number; readonly rows: number } {
    return this.#output.size();
  }
}
