/** A program that has the whole window of a terminal to itself, with its keys. */
import { emitKeypressEvents } from "node:readline";
import type { Readable } from "node:stream";
import type { Input, Output } from "../command.ts";
import { FullScreen } from "./screen.ts";

/** A key, as `node:readline` tells it. */
export interface Key {
  /** Such as `up` or `a`; undefined for many signs. */
  readonly name?: string | undefined;
  /** What the terminal sent. */
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
}

/** What a window needs. */
export interface KeyWindowOptions {
  readonly output: Output;
  /** Where keys come from, if they do. */
  readonly input: Input | undefined;
  /** Takes keys, but for Ctrl+Z. */
  readonly onKey: (key: Key) => void;
  /** The window is another one, or the program has it again: time to draw. */
  readonly onResize: () => void;
}

/** How often the window's size is looked at: the way that every system has. */
const SIZE_LOOK_MS = 200;

/**
 * The signal that this program sends to its job comes to itself, too. It is heard as soon as it goes on, and must not count: for so
 * long behind the drawing, which takes as long as it takes.
 */
const ECHO_MS = 100;

/** Ways in which a program ends without that anybody disposes of its window. */
const SUDDEN_ENDS = ["unload", "error", "unhandledrejection"] as const;

/** Signals of job control, where there is any. */
const HAS_JOB_CONTROL = Deno.build.os !== "windows";

/**
 * Draws on the terminal's second screen, and reads keys one by one. The terminal is given back as it was, whatever happens:
 * at the end, at the second Ctrl+C, when something throws that nobody caught, and as long as the program is stopped (Ctrl+Z,
 * or `kill -TSTP`). Only `kill -9` and `kill -STOP` leave no time for it.
 */
export class KeyWindow implements Disposable {
  readonly #options: KeyWindowOptions;
  readonly #screen: FullScreen;
  readonly #keys: Readable | undefined;
  readonly #sizeTimer: ReturnType<typeof setInterval>;
  readonly #onKey = (_: unknown, key: Key): void => this.#press(key);
  readonly #onStop = (): void => {
    if (this.#echoTimer === undefined) this.#stop("alone");
  };
  readonly #onContinue = (): void => this.#continue();
  readonly #onSuddenEnd = (): void => this.#screen.leave();
  #size = "";
  #isStopped = false;
  #echoTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the keys; the screen with the first drawing. */
  constructor(options: KeyWindowOptions) {
    this.#options = options;
    this.#screen = new FullScreen(options.output);
    this.#keys = options.input?.isTerminal ? options.input.open() : undefined;
    if (this.#keys !== undefined) {
      emitKeypressEvents(this.#keys);
      this.#keys.on("keypress", this.#onKey);
      this.#takeKeys();
    }
    if (HAS_JOB_CONTROL) {
      Deno.addSignalListener("SIGTSTP", this.#onStop);
      Deno.addSignalListener("SIGCONT", this.#onContinue);
    }
    for (const event of SUDDEN_ENDS) globalThis.addEventListener(event, this.#onSuddenEnd);
    this.#sizeTimer = setInterval(() => {
      if (this.#sizeText() !== this.#size) options.onResize();
    }, SIZE_LOOK_MS);
  }

  /** Whether there are keys. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  /** Draws the lines of the window. */
  draw(lines: readonly string[]): void {
    if (this.#isStopped) return;
    this.#size = this.#sizeText();
    this.#screen.draw(lines);
  }

  /** Gives the terminal back, and leaves there what was drawn last. Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#sizeTimer);
    clearTimeout(this.#echoTimer);
    for (const event of SUDDEN_ENDS) globalThis.removeEventListener(event, this.#onSuddenEnd);
    if (HAS_JOB_CONTROL) {
      Deno.removeSignalListener("SIGTSTP", this.#onStop);
      Deno.removeSignalListener("SIGCONT", this.#onContinue);
    }
    this.#keys?.off("keypress", this.#onKey);
    this.#leaveKeys();
    this.#screen[Symbol.dispose]();
  }

  #press(key: Key): void {
    if (HAS_JOB_CONTROL && key.ctrl === true && key.name === "z") this.#stop("with its job");
    else this.#options.onKey(key);
  }

  /** Stands still until somebody wants it to go on: `fg` in the shell, or `kill -CONT`. */
  #stop(who: "alone" | "with its job"): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#leaveKeys();
    this.#screen.leave();
    // Where keys are read one by one the terminal sends no signal: what would get one then gets it here, such as `sudo`.
    if (who === "with its job") Deno.kill(0, "SIGTSTP");
    Deno.kill(Deno.pid, "SIGSTOP");
  }

  #continue(): void {
    this.#isStopped = false;
    this.#awaitEcho();
    this.#takeKeys();
    this.#screen.leave(); // who was stopped by force has left nothing: the shell has written there
    this.#options.onResize();
    this.#awaitEcho();
  }

  #awaitEcho(): void {
    clearTimeout(this.#echoTimer);
    this.#echoTimer = setTimeout(() => this.#echoTimer = undefined, ECHO_MS);
    Deno.unrefTimer(this.#echoTimer);
  }

  #takeKeys(): void {
    if (this.#keys === undefined) return;
    setRaw(this.#keys, true);
    this.#keys.resume();
  }

  #leaveKeys(): void {
    if (this.#keys === undefined) return;
    setRaw(this.#keys, false);
    this.#keys.pause();
  }

  #sizeText(): string {
    const { columns, rows } = this.#options.output.size();
    return `${columns} x ${rows}`;
  }
}

/** A terminal hands keys over as they are pressed, or lines as they are ended; other streams know neither. */
function setRaw(input: Readable, isRaw: boolean): void {
  if ("setRawMode" in input && typeof input.setRawMode === "function") input.setRawMode(isRaw);
}
