/**
 * The log of a command: lines for people, or JSON objects for programs. Every line is written at once, so that a pipe or
 * a file shows what happened up to the last moment.
 */
import { openSync, writeFileSync } from "node:fs";
import { styleText } from "node:util";
import type { Context, Output } from "../command.ts";
import type { logOptions } from "../common_options.ts";
import { OptionError } from "../options.ts";
import type { OptionValues } from "../options.ts";
import { wantsColour } from "./colour.ts";
import { fileProblem } from "./file_problem.ts";
import { printable } from "./printable.ts";

/** How much a line matters: the smaller, the more. */
export const LogLevel = { none: 0, error: 1, warning: 2, note: 3, action: 4, verbose: 5, all: 9 } as const;

/** 0 to 9, as RSPLIB counts them. */
export type LogLevel = number;

/** Facts of a line for `-json`; the text says the same to people. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Where a log goes and what of it. */
export interface LogSettings {
  /** Lines above this level are left out. */
  readonly level: LogLevel;
  readonly color: boolean;
  readonly json: boolean;
  /** Takes a line with its newline. */
  readonly write: (line: string) => void;
  /** Wall clock. */
  readonly now: () => Date;
}

/** Keys that {@linkcode Log.once} remembers; peers choose some of them, so they must not grow without end. */
const MAX_ONCE_KEYS = 1000;

/**
 * Writes lines of a level.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const write = (line: string) => void lines.push(line);
 * const log = new Log({ level: LogLevel.note, color: false, json: false, write, now: () => new Date(0) });
 * log.note("ready");
 * log.action("not shown");
 * assert.match(lines.join(""), /^\d\d:00:00\.000 ready\n$/);
 * ```
 */
export class Log {
  readonly #settings: LogSettings;
  readonly #said = new Set<string>();

  constructor(settings: LogSettings) {
    this.#settings = settings;
  }

  /** Something does not work. */
  error(text: string, fields: LogFields = {}): void {
    this.write(LogLevel.error, text, fields);
  }

  /** Something is not as it should be. */
  warning(text: string, fields: LogFields = {}): void {
    this.write(LogLevel.warning, text, fields);
  }

  /** Something that a person wants to know. */
  note(text: string, fields: LogFields = {}): void {
    this.write(LogLevel.note, text, fields);
  }

  /** One of the many things that are done. */
  action(text: string, fields: LogFields = {}): void {
    this.write(LogLevel.action, text, fields);
  }

  /** For those who look for an error. */
  verbose(text: string, fields: LogFields = {}): void {
    this.write(LogLevel.verbose, text, fields);
  }

  /** Whether a line of this level would be written. */
  shows(level: LogLevel): boolean {
    return level <= this.#settings.level;
  }

  /** Writes the first line of a key and leaves out the others. */
  once(key: string, level: LogLevel, text: string, fields: LogFields = {}): void {
    if (this.#said.has(key) || this.#said.size >= MAX_ONCE_KEYS) return;
    this.#said.add(key);
    this.write(level, text, fields);
  }

  /** Forgets a key of {@linkcode once}: what was wrong is right again. */
  again(key: string): void {
    this.#said.delete(key);
  }

  /**
   * Writes several lines that belong together, between two lines of asterisks as RSPLIB does, or one JSON object. They
   * were asked for, so they come at every level.
   *
   * @param name what it is
   * @param lines for people
   * @param object the same for programs
   */
  block(name: string, lines: readonly string[], object: Readonly<Record<string, unknown>>): void {
    const { now, json, write } = this.#settings;
    if (json) return write(JSON.stringify({ time: now().toISOString(), event: name, ...object }) + "\n");
    const asterisks = "*".repeat(15);
    const head = `${asterisks} ${clockTime(now())} ${name} ${asterisks}`;
    write([head, ...lines, "*".repeat(head.length)].map((line) => `${line}\n`).join(""));
  }

  /** Writes a line of a level from 1 to 9. */
  write(level: LogLevel, text: string, fields: LogFields = {}): void {
    if (!this.shows(level)) return;
    const { now, json, color, write } = this.#settings;
    if (json) {
      write(JSON.stringify({ time: now().toISOString(), level, text, ...fields }) + "\n");
      return;
    }
    // Some of it is the words of strangers, which a terminal must not obey.
    const line = `${clockTime(now())} ${printable(text.replaceAll("\n", " "))}`;
    write((color ? paint(level, line) : line) + "\n");
  }
}

function paint(level: LogLevel, line: string): string {
  const style = level <= LogLevel.error ? "red" : level === LogLevel.warning ? "yellow" : "dim";
  return level === LogLevel.note ? line : styleText(style, line, { validateStream: false });
}

/** Local time of day with milliseconds. */
function clockTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** What a command with `-quiet` logs: warnings and errors, unless a `-loglevel` was given. */
export function quietened<Values extends { readonly quiet: boolean; readonly loglevel: LogLevel }>(
  context: Context<Values>,
): Context<Values> {
  const { options, given } = context;
  if (!options.quiet || given.has("loglevel")) return context;
  return { ...context, options: { ...options, loglevel: LogLevel.warning } };
}

/**
 * Opens the log that a command's options ask for: standard error, or a file; with `-json` standard output.
 *
 * @throws {OptionError} when the file cannot be opened
 */
export function openLog(context: Context<OptionValues<typeof logOptions>>): Log {
  const { options } = context;
  const stream = options.json ? context.stdout : context.stderr;
  const file = options.logappend ?? options.logfile;
  return new Log({
    level: options.logquiet ? LogLevel.none : options.loglevel,
    color: !options.json &&
      (options.logcolor ?? (file === undefined && wantsColour(stream, context.variable))),
    json: options.json,
    write: file === undefined
      ? (line) => stream.write(line)
      : fileWriter(file, options.logappend !== undefined, context.stderr),
    now: () => new Date(),
  });
}

function fileWriter(path: string, append: boolean, stderr: Output): (line: string) => void {
  let file: number;
  try {
    file = openSync(path, append ? "a" : "w");
  } catch (error) {
    throw new OptionError(`cannot open the log file ${path}: ${fileProblem(error)}`);
  }
  let isTold = false;
  return (line) => {
    try {
      writeFileSync(file, line);
    } catch (error) { // the disk is full: the service matters more than its log
      if (!isTold) stderr.write(`cannot write the log file ${path}: ${fileProblem(error)}; lines are lost\n`);
      isTold = true;
    }
  };
}
