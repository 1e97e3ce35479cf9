/** The part of a terminal that is drawn again and again. The only module that moves the cursor. */
import type { Output } from "../command.ts";

const CLEAR_TO_END_OF_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/**
 * A block of lines at the bottom of a terminal's text. What is printed above it scrolls away; what was drawn last stays
 * when the program ends. The cursor rests below and stays visible, so that a program that is killed leaves the terminal as
 * it should be.
 */
export class LiveBlock {
  readonly #output: Output;
  #lines: readonly string[] = [];

  /** @param output a terminal */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Draws lines in the place of those drawn before; lines that have not changed are left alone. */
  draw(lines: readonly string[]): void {
    const before = this.#lines;
    let text = before.length === 0 ? "" : `\x1b[${before.length}A`;
    if (before.length === lines.length) {
      for (const [index, line] of lines.entries()) {
        text += line === before[index] ? "\n" : `\r${line}${CLEAR_TO_END_OF_LINE}\n`;
      }
    } else {
      text += `\r${CLEAR_BELOW}` + lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join("");
    }
    this.#output.write(text);
    this.#lines = lines;
  }

  /** Prints a text, which ends with a line feed, above the block. */
  print(text: string): void {
    if (this.#lines.length === 0) {
      this.#output.write(text);
      return;
    }
    const drawn = this.#lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join("");
    this.#output.write(`\x1b[${this.#lines.length}A\r${CLEAR_BELOW}${text}${drawn}`);
  }

  /** Leaves what is drawn where it is; the next drawing starts below it. */
  finish(): void {
    this.#lines = [];
  }
}

const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[2J", LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l";

/**
 * The whole window, on the terminal's second screen: what was there before comes back in the end. Who uses it leaves it,
 * whatever happens: a program that is killed would leave the cursor hidden.
 */
export class FullScreen implements Disposable {
  readonly #output: Output;
  #lines: readonly string[] | undefined;
  #size = "";

  /** @param output a terminal */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Draws the lines of the window; those that have not changed are left alone. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.#output.size(), size = `${columns} x ${rows}`;
    let text = this.#lines === undefined ? ENTER_SCREEN : "";
    // A terminal of another size has moved or cut what was drawn.
    const before = size === this.#size ? this.#lines ?? [] : [];
    if (size !== this.#size && text === "") text = "\x1b[2J";
    for (let row = 0; row < Math.max(lines.length, before.length); row++) {
      const line = lines[row] ?? "";
      // Cleared first: behind a line as wide as the window the cursor still stands on its last character.
      if (line !== before[row]) text += `\x1b[${row + 1};1H${CLEAR_TO_END_OF_LINE}${line}`;
    }
    this.#output.write(text);
    this.#lines = lines;
    this.#size = size;
  }

  /** Gives the window back for a while: the next drawing takes it again, and draws everything. */
  leave(): void {
    if (this.#lines === undefined) return;
    this.#lines = undefined;
    this.#size = "";
    this.#output.write(LEAVE_SCREEN);
  }

  /** Gives the window back, and leaves there what was drawn last. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#lines === undefined) return;
    const last = this.#lines.map((line) => `${line}\n`).join("");
    this.leave();
    this.#output.write(last);
  }
}
