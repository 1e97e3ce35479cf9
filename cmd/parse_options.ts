/**
 * Reads a command line by the table of a command's options.
 *
 * An option may be written as on the course sheet and in RSPLIB (`-name=value`), as GNU programs do (`--name=value`,
 * `--name value`) and with hyphens between its words (`--asap-announce` is `-asapannounce`). Aliases of one letter
 * go together as with getopt: `-sI` is `-s -I`, and `-P1234` is `-P 1234`.
 */
import { nearest } from "./nearest.ts";
import { OptionError } from "./options.ts";
import type { Option, OptionTable } from "./options.ts";

/** What a command line says. */
export interface ParsedOptions {
  readonly values: Record<string, unknown>;
  /** What stands on the line without a dash, in order. */
  readonly positionals: readonly string[];
  /** Names of the options that were given on the line. */
  readonly given: ReadonlySet<string>;
}

/**
 * Reads a command line.
 *
 * @param table the command's options
 * @param line the arguments behind the command's name
 * @param variable looks up an environment variable
 * @throws {OptionError} when an option is unknown, repeated without need, or has a wrong value
 */
export function parseOptions(
  table: OptionTable,
  line: readonly string[],
  variable: (name: string) => string | undefined,
): ParsedOptions {
  const reader = new LineReader(table);
  for (let index = 0; index < line.length; index++) {
    const argument = line[index]!;
    if (argument === "--") {
      reader.positionals.push(...line.slice(index + 1));
      break;
    }
    const takesNext = reader.take(argument, line[index + 1]);
    if (takesNext) index++;
  }

  const { values, positionals, given } = reader;
  for (const [name, entry] of Object.entries(table)) {
    const value = entry.variable === undefined || given.has(name) ? undefined : variable(entry.variable);
    if (value === undefined || value === "") continue;
    values[name] = readNamed(`environment variable ${entry.variable}`, entry, value, values[name]);
  }
  return { values, positionals, given };
}

/** Reads a command line, argument by argument. */
class LineReader {
  readonly values: Record<string, unknown> = Object.create(null);
  readonly positionals: string[] = [];
  readonly given: Set<string> = new Set();
  readonly #table: OptionTable;
  readonly #names: ReadonlyMap<string, string>;
  /** Aliases of one letter. A name of one letter, such as `-n` among words, is none: `-nosession` is a mistyped word. */
  readonly #letters: ReadonlyMap<string, string>;

  constructor(table: OptionTable) {
    this.#table = table;
    this.#names = spellings(table);
    this.#letters = new Map([...this.#names].filter(([spelling, name]) => {
      return spelling.length === 1 && spelling !== name;
    }));
    for (const [name, { defaultValue }] of Object.entries(table)) this.values[name] = defaultValue;
  }

  /** Takes one argument. @returns whether the next one was its value */
  take(argument: string, next: string | undefined): boolean {
    const match = /^(--?)([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) { // a word, or a lone dash that stands for a standard stream
      this.positionals.push(argument);
      return false;
    }
    const [, dashes = "", written = "", inline] = match;
    const found = findOption(this.#names, this.#table, written);
    if (found !== undefined) return this.#takeOption(found, `${dashes}${written}`, inline, next);
    const isCluster = dashes === "-" && this.#letters.has(written.charAt(0));
    if (isCluster) return this.#takeLetters(argument.slice(1), next);
    return unknownOption(`${dashes}${written}`, this.#names, this.#table);
  }

  /** Options of one letter behind one dash; the first one that wants a value has all that follows. */
  #takeLetters(letters: string, next: string | undefined): boolean {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters.charAt(at), shown = `-${letter}`;
      const name = this.#letters.get(letter);
      if (name === undefined) throw new OptionError(`unknown option ${shown} in -${letters}`);
      const rest = letters.slice(at + 1);
      if (this.#table[name]!.valueName !== undefined) {
        return this.#takeOption({ name, negated: false }, shown, rest === "" ? undefined : rest, next);
      }
      this.#takeOption({ name, negated: false }, shown, undefined, undefined);
    }
    return false;
  }

  #takeOption(
    { name, negated }: FoundOption,
    shown: string,
    inline: string | undefined,
    next: string | undefined,
  ): boolean {
    const entry = this.#table[name]!;
    const { valueName, repeatable, bareValue } = entry;
    if (this.given.has(name) && !repeatable && valueName !== undefined) {
      throw new OptionError(`option ${shown} is given twice`);
    }
    this.given.add(name);
    if (valueName === undefined) {
      this.values[name] = negated ? false : readNamed(`option ${shown}`, entry, "", this.values[name]);
      if (inline !== undefined) throw new OptionError(`option ${shown} takes no value`);
      return false;
    }
    const value = inline ?? bareValue ?? next;
    if (value === undefined) throw new OptionError(`option ${shown} wants a value: ${shown}=${valueName}`);
    this.values[name] = readNamed(`option ${shown}`, entry, value, this.values[name]);
    return inline === undefined && bareValue === undefined;
  }
}

/** An option that was found by a spelling. */
interface FoundOption {
  readonly name: string;
  readonly negated: boolean;
}

function readNamed(shown: string, entry: Option<unknown>, value: string, before: unknown): unknown {
  try {
    return entry.read(value, before);
  } catch (error) {
    if (error instanceof OptionError) throw new OptionError(`${shown} ${error.message}`);
    throw error;
  }
}

/** Every spelling of every option, mapped to its name in the table. */
function spellings(table: OptionTable): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, { aliases }] of Object.entries(table)) {
    for (const spelling of [name, ...aliases]) {
      names.set(spelling, name);
      names.set(spelling.replaceAll("-", ""), name);
    }
  }
  return names;
}

function findOption(
  names: ReadonlyMap<string, string>,
  table: OptionTable,
  written: string,
): FoundOption | undefined {
  const joined = written.replaceAll("-", "");
  const name = names.get(written) ?? names.get(joined);
  if (name !== undefined) return { name, negated: false };
  const positive = joined.startsWith("no") ? names.get(joined.slice(2)) : undefined;
  if (positive === undefined || table[positive]?.valueName !== undefined) return undefined;
  return { name: positive, negated: true };
}

function unknownOption(shown: string, names: ReadonlyMap<string, string>, table: OptionTable): never {
  const flags = [...names].filter(([, name]) => table[name]?.valueName === undefined);
  const negated = flags.map(([spelling]) => `no${spelling}`);
  const near = nearest(shown.replace(/^--?/, ""), [...names.keys(), ...negated]);
  const hint = near === undefined ? "" : `; did you mean -${near}?`;
  throw new OptionError(`unknown option ${shown}${hint}`);
}
