/**
 * The prompt on a terminal: line editing, history and completion by `node:readline`, and everything that is shown in the
 * meantime above it.
 */
import * as readline from "node:readline";
import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import type { Readable } from "node:stream";
import type { Output } from "../command.ts";
import { MAX_HISTORY } from "./history.ts";

/** What a prompt needs. */
export interface PromptOptions {
  readonly input: Readable;
  readonly output: Output;
  /** Oldest first. */
  readonly history: readonly string[];
  readonly complete: (line: string) => [candidates: string[], part: string];
  /** Takes a line; those that come while a command runs wait in the caller's queue. */
  readonly onLine: (line: string) => void;
  /** Ctrl+C: the terminal does not make a signal of it while lines are edited. */
  readonly onInterrupt: () => void;
  /** Ctrl+D on an empty line, or the terminal is gone. */
  readonly onEnd: () => void;
}

/** A prompt, from the beginning on the screen. */
export class Prompt {
  readonly #output: Output;
  readonly #screen: Screen;
  readonly #interface: readline.Interface;
  #history: string[];
  #text = "";
  #isShown = false;
  #isClosed = false;

  constructor({ input, output, history, complete, onLine, onInterrupt, onEnd }: PromptOptions) {
    this.#output = output;
    this.#screen = new Screen(output);
    this.#history = [...history];
    this.#interface = readline.createInterface({
      input,
      output: this.#screen,
      terminal: true,
      history: [...history].reverse(),
      historySize: MAX_HISTORY,
      removeHistoryDuplicates: true,
      completer: complete,
      tabSize: 4,
    });
    this.#interface.on("line", (line: string) => {
      this.#isShown = false;
      if (line.trim() !== "" && line !== this.#history.at(-1)) this.#history.push(line);
      onLine(line);
    });
    this.#interface.on("SIGINT", onInterrupt);
    this.#interface.on("close", () => {
      this.#isClosed = true;
      onEnd();
    });
  }

  /** The lines that were typed, with those of earlier sessions; oldest first. */
  get history(): readonly string[] {
    return this.#history;
  }

  /** Draws the prompt, with whatever is typed behind it. */
  show(text: string): void {
    if (this.#isClosed || (this.#isShown && text === this.#text)) return;
    if (this.#isShown) this.#clear();
    this.#text = text;
    this.#isShown = true;
    this.#interface.setPrompt(text);
    this.#interface.prompt(true);
  }

  /** Prints lines above the prompt. */
  print(text: string): void {
    const wasShown = this.#isShown && !this.#isClosed;
    if (wasShown) this.#clear();
    this.#output.write(text);
    if (wasShown) this.#interface.prompt(true);
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#isShown) this.#output.write("\n");
    this.#isShown = false;
    this.#interface.close();
  }

  /** Takes the prompt and what is typed off the screen; `prompt(true)` draws both again. */
  #clear(): void {
    const { rows } = this.#interface.getCursorPos();
    readline.moveCursor(this.#screen, 0, -rows);
    readline.cursorTo(this.#screen, 0);
    readline.clearScreenDown(this.#screen);
    // Readline believes that its cursor is still where it was, and would clear so many rows above.
    Object.assign(this.#interface, { prevRows: 0 });
  }
}

/** The terminal as a stream. It writes at once: nothing may lie in a buffer when the process ends. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly #output: Output;

  constructor(output: Output) {
    super({ decodeStrings: false });
    this.#output = output;
  }

  get columns(): number {
    return this.#output.size().columns;
  }

  get rows(): number {
    return this.#output.size().rows;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.#output.write(typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString());
    done();
  }
}
