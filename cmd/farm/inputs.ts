/** The jobs of a farm, as its command line names them. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { Context } from "../command.ts";
import { readLines } from "../darn/lines.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { OptionError } from "../options.ts";
import type { FarmOptionValues } from "./options.ts";

/** Most jobs of a farm: their list is in memory, and a row in the journal each. */
const MAX_JOBS = 1_000_000;

/** What a job is about. */
export interface FarmInput {
  /** As it was written. */
  readonly word: string;
  /** The file that it names; undefined = it is a value. */
  readonly path: string | undefined;
  /** What the job's results are called: unlike those of all other jobs. */
  readonly name: string;
  /** Number of the job, from 1. */
  readonly number: number;
  /** The same as long as the job is: the input, its file, the command. */
  readonly key: string;
}

/**
 * The words that stand on the command line, and those of the list that `-inputs` names.
 *
 * @throws {OptionError} when there are none or too many, or the list cannot be read
 */
export async function inputWords(context: Context<FarmOptionValues>): Promise<readonly string[]> {
  const { options, positionals } = context;
  const listed = options.inputs === undefined ? [] : await readList(options.inputs, context);
  const words = [...positionals, ...listed];
  if (words.length === 0) throw new OptionError("needs inputs: name files, or a list of them by -inputs");
  if (words.length > MAX_JOBS) {
    throw new OptionError(`has ${words.length} inputs; no more than ${MAX_JOBS} are possible`);
  }
  return words;
}

async function readList(path: string, { stdin, signal }: Context): Promise<string[]> {
  if (path === "-") {
    if (stdin === undefined) throw new OptionError("option -inputs: there is no standard input");
    return (await Array.fromAsync(readLines(stdin.open(), signal))).filter((line) => line !== "");
  }
  try {
    return (await readFile(path, "utf8")).split(/\r?\n/).filter((line) => line !== "");
  } catch (error) {
    throw new OptionError(`option -inputs: cannot read ${path}: ${fileProblem(error)}`);
  }
}

/** What all jobs of a farm have in common, as far as it makes a difference for their results. */
export interface CommonWork {
  /** Undefined = inputs are work packages. */
  readonly command: string | undefined;
  /** Whether inputs are words and no files. */
  readonly values: boolean;
  /** Hash of what goes with an input; undefined = nothing does. */
  readonly environmentOf: (path: string | undefined) => string | undefined;
  /** What results of earlier runs are called, by their {@linkcode sourceOf}. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Looks at the inputs.
 *
 * @throws {OptionError} when one is not a file that can be read
 */
export async function readInputs(words: readonly string[], common: CommonWork): Promise<FarmInput[]> {
  // A file is one job, in however many ways its path was written: its results have one name.
  const distinct = new Map(words.map((word) => [common.values ? word : resolve(word), word])).values()
    .toArray();
  const found: Omit<FarmInput, "name">[] = [];
  for (const [index, word] of distinct.entries()) {
    const path = common.values ? undefined : resolve(word);
    const facts = path === undefined ? [] : await factsOf(path);
    const key = hashOf([common.command ?? "", path ?? word, common.environmentOf(path) ?? "", ...facts]);
    found.push({ word, path, number: index + 1, key });
  }
  const names = namesOf(found, common.names);
  return found.map((input, index) => ({ ...input, name: names[index]! }));
}

async function factsOf(path: string): Promise<readonly string[]> {
  try {
    const { size, mtimeMs, isFile } = await stat(path).then((found) => ({
      size: found.size,
      mtimeMs: found.mtimeMs,
      isFile: found.isFile(),
    }));
    if (isFile) return [String(size), String(mtimeMs)];
  } catch (error) {
    throw new OptionError(`cannot read the input ${path}: ${fileProblem(error)}`);
  }
  throw new OptionError(`the input ${path} is not a file`);
}

/** What tells an input from all others, whatever is in its file. */
export function sourceOf({ path, word }: Pick<FarmInput, "path" | "word">): string {
  return path ?? word;
}

/** Names of their own for all inputs: earlier results keep theirs. */
function namesOf(
  inputs: readonly Omit<FarmInput, "name">[],
  names: ReadonlyMap<string, string>,
): readonly string[] {
  const taken = new Set(names.values());
  /** How often each plain name has come. */
  const copies = new Map<string, number>();
  return inputs.map((input) => {
    const given = names.get(sourceOf(input));
    if (given !== undefined) return given;
    const plain = visible(input.path === undefined ? fileName(input.word) : basename(input.path));
    let name = plain, copy = copies.get(plain) ?? 1;
    while (taken.has(name)) name = `${plain}~${++copy}`;
    copies.set(plain, copy);
    taken.add(name);
    return name;
  });
}

/** A word that can be the name of a file. */
function fileName(word: string): string {
  return word.replaceAll(/[^\w@%+=:,.-]/g, "_").slice(0, 100);
}

/** The farm's own folder, and those above, begin with a dot. */
function visible(name: string): string {
  return name.startsWith(".") ? `_${name}` : name;
}

/** The folder of an input. */
export function folderOf(path: string): string {
  return dirname(path);
}

function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
