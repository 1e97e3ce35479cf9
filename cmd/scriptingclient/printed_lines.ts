/** What a job prints, line by line, as it may be shown. */
import { printable } from "../driver/printable.ts";

/** Longest line that is waited for, in characters; a longer one is shown in pieces. */
const MAX_LINE = 4096;

/** Puts the pieces that a stream comes in together to lines. */
export class PrintedLines {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  /** @param onLine takes each line, without its end, and without what could move the cursor of a terminal */
  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes a piece. */
  push(octets: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(octets, { stream: true })).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(shown(line));
    while (this.#rest.length > MAX_LINE) {
      this.#onLine(shown(this.#rest.slice(0, MAX_LINE)));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
  }

  /** Nothing more comes. */
  end(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (rest !== "") this.#onLine(shown(rest));
  }
}

function shown(line: string): string {
  return printable(line.replaceAll("\t", "    "));
}
