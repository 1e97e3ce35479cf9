/** What a farm has done, written down so that another run goes on from there. */
import { appendFileSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import { OptionError } from "../options.ts";

/** What a job's results are. */
export interface JournalClaim {
  /** What it is about: the path of its input, or a word. */
  readonly source: string;
  /** What its results are called. */
  readonly name: string;
  /** The files of its result, from the folder of all results. */
  readonly files: readonly string[];
}

/** A job that is done. */
export interface JournalEntry extends JournalClaim {
  /** Which job: see `FarmInput`. */
  readonly key: string;
}

/** The key of a row that says whose files are, and of no job that it is done. */
const CLAIM = "";

/**
 * A file with a line of JSON for each job that is done, and one before for the files that it is about to have. A line that a
 * crash has cut is left out: its job is done again. Results have the name of their input, whatever was done with it: a line
 * makes those before it void that have its name.
 */
export class Journal {
  readonly #path: string;
  readonly #rows: JournalEntry[] = [];
  /** Jobs that are done, by the names of their results. */
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
      if (entry !== undefined) this.#take(entry);
    }
  }

  /** All that was written, also of jobs whose results others have replaced: their files are still theirs. */
  get rows(): readonly JournalEntry[] {
    return this.#rows;
  }

  /**
   * Whether a job was done and its result is still there.
   *
   * @param job its key and the name of its results
   * @param folder of all results
   */
  async has({ key, name }: Pick<JournalEntry, "key" | "name">, folder: string): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (entry?.key !== key) return false;
    const found = await Promise.allSettled(entry.files.map((file) => access(join(folder, file))));
    return found.every(({ status }) => status === "fulfilled");
  }

  /** What results are called, by what they are about: names are not given to others. */
  get names(): ReadonlyMap<string, string> {
    return new Map(this.#rows.map(({ source, name }) => [source, name]));
  }

  /** A job is done. It is written at once: what comes next may be the end of the machine. */
  add(entry: JournalEntry): void {
    this.#take(entry);
    appendFileSync(this.#path, `\n${JSON.stringify(entry)}\n`);
  }

  /** A job is about to have these files. Should the farm be killed now, they are no stranger's. */
  claim(claim: JournalClaim): void {
    this.add({ key: CLAIM, ...claim });
  }

  #take(entry: JournalEntry): void {
    this.#rows.push(entry);
    if (entry.key === CLAIM) this.#entries.delete(entry.name);
    else this.#entries.set(entry.name, entry);
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
