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
