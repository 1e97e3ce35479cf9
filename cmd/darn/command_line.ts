/**
 * Lines of the prompt and of scripts: `name`, `name?` and `name=value` as in the original, followed by words and by
 * settings such as `sid=3`. Blanks separate; quotes keep them together: `text="two words\n"`. A `#` at the beginning of a
 * word starts a comment.
 */
import { CommandError } from "./command_error.ts";

/** A line that was read. */
export interface CommandLine {
  /** As written, in lower case. */
  readonly name: string;
  /** What stands behind the name: of `snd=5 sid=3`, `5`. */
  readonly words: readonly string[];
  /** `sid=3` and the like, by name in lower case. */
  readonly settings: ReadonlyMap<string, string>;
  /** Whether it was `name?`: show, whatever the command does otherwise. */
  readonly query: boolean;
  /** All that stands behind the name and one blank or equals sign, as typed. */
  readonly rest: string;
  /** The whole line as typed. */
  readonly text: string;
}

interface Word {
  readonly text: string;
  /** Where the first equals sign stands that is not within quotes; -1 = there is none. */
  readonly equalsAt: number;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "0": "\0",
  "\\": "\\",
  '"': '"',
};

/**
 * Reads a line.
 *
 * @param takesRest whether a command takes what stands behind its name as it is: nothing of it is read then
 * @returns undefined for an empty line and for a comment
 * @throws {CommandError} when a quote is not closed or an escape is unknown
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const line = readCommandLine('snd=10000 sid=3 unordered');
 * assert.equal(line?.name, "snd");
 * assert.deepEqual(line?.words, ["10000", "unordered"]);
 * assert.equal(line?.settings.get("sid"), "3");
 * ```
 */
export function readCommandLine(
  text: string,
  takesRest: (name: string) => boolean = () => false,
): CommandLine | undefined {
  const trimmed = text.trimStart();
  const head = /^[^\s=]*/.exec(trimmed)?.[0].toLowerCase() ?? "";
  const common = { rest: trimmed.slice(head.length + 1).trimEnd(), text: trimmed.trimEnd() };
  if (takesRest(head)) return { name: head, words: [], settings: new Map(), query: false, ...common };
  const [first, ...others] = splitWords(trimmed);
  if (first === undefined) return undefined;
  const words: string[] = [];
  let name = first.text;
  let query = false;
  if (first.equalsAt > 0) {
    name = first.text.slice(0, first.equalsAt);
    words.push(first.text.slice(first.equalsAt + 1));
  } else if (name.length > 1 && name.endsWith("?")) {
    name = name.slice(0, -1);
    query = true;
  }
  const settings = new Map<string, string>();
  for (const { text: word, equalsAt } of others) {
    if (equalsAt <= 0) {
      words.push(word);
      continue;
    }
    const key = word.slice(0, equalsAt).toLowerCase();
    if (settings.has(key)) throw new CommandError(`${key} is given twice`);
    settings.set(key, word.slice(equalsAt + 1));
  }
  return { name: name.toLowerCase(), words, settings, query, ...common };
}

/** Splits a line at blanks outside of quotes. @throws {CommandError} */
function splitWords(line: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < line.length;) {
    if (/\s/.test(line.charAt(at))) {
      at++;
      continue;
    }
    if (line.charAt(at) === "#") break;
    let text = "", equalsAt = -1;
    while (at < line.length && !/\s/.test(line.charAt(at))) {
      const character = line.charAt(at);
      if (character === '"' || character === "'") {
        const quoted = readQuoted(line, at);
        text += quoted.text;
        at = quoted.end;
        continue;
      }
      if (character === "=" && equalsAt < 0) equalsAt = text.length;
      text += character;
      at++;
    }
    words.push({ text, equalsAt });
  }
  return words;
}

/** What stands between two quotes; escapes count between double ones only. */
function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line.charAt(start);
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === quote) return { text, end: at + 1 };
    if (character !== "\\" || quote === "'") {
      text += character;
      continue;
    }
    const escape = line.charAt(++at);
    const hexadecimal = escape === "x" ? /^[0-9a-f]{2}/i.exec(line.slice(at + 1))?.[0] : undefined;
    const plain = ESCAPES[escape];
    if (hexadecimal !== undefined) {
      text += String.fromCharCode(Number.parseInt(hexadecimal, 16));
      at += 2;
    } else if (plain !== undefined) {
      text += plain;
    } else {
      throw new CommandError(`\\${escape} is no escape; there are \\n \\r \\t \\0 \\xNN \\" and \\\\`);
    }
  }
  throw new CommandError(`the quote ${quote} is not closed`);
}

/** Refuses settings and words that a command has no use for. */
export function expectNothingElse(
  line: CommandLine,
  wordLimit: number,
  settings: readonly string[] = [],
): void {
  const extra = line.words[wordLimit];
  if (extra !== undefined) {
    throw new CommandError(`${line.name} does not know what to do with ${JSON.stringify(extra)}`);
  }
  for (const key of line.settings.keys()) {
    if (!settings.includes(key)) throw new CommandError(`${line.name} has no setting ${key}=`);
  }
}

/**
 * A whole number within a range, decimal or `0x…`.
 *
 * @param what how the number is called in the error message
 * @throws {CommandError}
 */
export function readNumber(text: string, what: string, min: number, max: number): number {
  const number = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new CommandError(`${what} must be a number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}

/** A number with decimals that is not negative. @throws {CommandError} */
export function readDecimal(text: string, what: string): number {
  const number = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 0) return number;
  throw new CommandError(`${what} must be a number, not ${JSON.stringify(text)}`);
}
