/** Where everything that a session shows goes: lines for people, or JSON objects for programs, each written at once. */
import type { Output } from "../command.ts";
import { shown } from "./render/shown.ts";
import type { Shown, ShownFields } from "./render/shown.ts";

/** How things are shown. */
export interface DisplaySettings {
  readonly json: boolean;
  readonly timestamps: boolean;
  /** Leaves out everything but errors and what commands were asked for. */
  readonly quiet: boolean;
  /** Wall clock. */
  readonly now: () => Date;
}

/** Shows things, above the prompt where there is one. */
export class Display {
  readonly #stdout: Output;
  readonly #stderr: Output;
  /** Takes lines in the place of standard output as long as a prompt is on the screen. */
  printer: ((text: string) => void) | undefined;
  timestamps: boolean;
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #now: () => Date;

  constructor(stdout: Output, stderr: Output, settings: DisplaySettings) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = settings.json;
    this.timestamps = settings.timestamps;
    this.#quiet = settings.quiet;
    this.#now = settings.now;
  }

  /** Shows what has happened. */
  event(thing: Shown): void {
    if (!this.#quiet) this.show(thing);
  }

  /** Shows what was asked for. */
  show({ lines, fields }: Shown): void {
    if (this.json) {
      this.#write(JSON.stringify({ time: this.#now().toISOString(), ...fields }) + "\n");
    } else if (lines.length > 0) {
      this.#write(this.#stamped(lines));
    }
  }

  /** Shows an answer of one line. */
  say(line: string, fields: ShownFields): void {
    this.show(shown(line, fields));
  }

  /** Says that something does not work: below a prompt where it was typed, otherwise to standard error. */
  error(text: string, fields: Omit<ShownFields, "event"> = {}): void {
    if (this.json || this.printer !== undefined) {
      this.show(shown(`error: ${text}`, { event: "error", text, ...fields }));
    } else {
      this.#stderr.write(this.#stamped([`error: ${text}`]));
    }
  }

  #stamped(lines: readonly string[]): string {
    if (!this.timestamps) return lines.join("\n") + "\n";
    const stamp = clockTime(this.#now());
    return lines.map((line) => `${stamp} ${line}\n`).join("");
  }

  #write(text: string): void {
    if (this.printer === undefined) this.#stdout.write(text);
    else this.printer(text);
  }
}

/** Local time of day with milliseconds. */
export function clockTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}
