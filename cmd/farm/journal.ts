/** What a farm has done, written down so that another run goes on from there. */
import { appendFileSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import { OptionError } from "../options.ts";

/** A job that is done. */
export interface JournalEntry {
  /** Which job: see `FarmInput`. */
  readonly key: string;
  /** What it is about: the path of its input, or a word. */
  readonly source: string;
  /** What its results are called. */
  readonly name: string;
  /** The files of its result, from the folder of all results. */
  readonly files: readonly string[];
}

/**
 * A file with a line of JSON for each job that is done. A line that a crash has cut is left out: its job is done again.
 */
export class Journal {
  readonly #path: string;
  readonly #entries = new Map<string, JournalEntry>();

  /**
   * Reads what is there.
   *
   * @throws {OptionError} when that is not possible
   */
  constructor(path: string) {
    this.#path = path;
    for (const line of read(path).split("\n")) {
      const entry = parse(line);
      if (entry !== undefined) this.#entries.set(entry.key, entry);
    }
  }

  /** All jobs that were done, by their keys. */
  get entries(): ReadonlyMap<string, JournalEntry> {
    return this.#entries;
  }

  /**
   * Whether a job was done and its result is still there.
   *
   * @param folder of all results
   */
  async has(key: string, folder: string): Promise<boolean> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const found = await Promise.allSettled(entry.files.map((file) => access(join(folder, file))));
    return found.every(({ status }) => status === "fulfilled");
  }

  /** What results are called, by what they are about: names are not given to others. */
  get names(): ReadonlyMap<string, string> {
    return new Map(this.#entries.values().map(({ source, name }) => [source, name]));
  }

  /** A job is done. It is written at once: what comes next may be the end of the machine. */
  add(entry: JournalEntry): void {
    this.#entries.set(entry.key, entry);
    appendFileSync(this.#path, `\n${JSON.stringify(entry)}\n`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ENOENT") return "";
    throw new OptionError(`option -output: cannot read ${path}: ${fileProblem(error)}`);
  }
}

function parse(line: string): JournalEntry | undefined {
  if (line === "") return undefined;
  try {
    const { key, source, name, files } = JSON.parse(line) as Partial<JournalEntry>;
    const isWhole = [key, source, name].every((text) => typeof text === "string") && Array.isArray(files);
    return isWhole ? { key: key!, source: source!, name: name!, files: files.map(String) } : undefined;
  } catch {
    return undefined;
  }
}
