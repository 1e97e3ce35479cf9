/** Where the results of a farm go. */
import { lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import { printable } from "../driver/printable.ts";
import { PackageError } from "../server/scripting/package_error.ts";
import { unpackArchive } from "../server/scripting/unpack.ts";
import type { FarmInput } from "./inputs.ts";
import { RESULT } from "./ssrun.ts";

/** Below the folder of the results: the farm's own. */
const OWN_FOLDER = ".farm";

/** What a result may unpack to: a server of the pool may be anybody's, and the disk is ours. */
const LIMITS = { bytes: 16 * 2 ** 30, entries: 100_000, ratio: 2000, ratioFromBytes: 2 ** 30 } as const;

/** What a job's server or the job itself has written about a failure, in the order of what says most. */
const REPORTS = ["report.txt", RESULT.stderr, RESULT.stdout] as const;

/** Octets at the end of a file in which its last line is looked for: servers may send logs of any length. */
export const LAST_WORDS_OCTETS: number = 64 * 1024;

/** What a farm tells of that line, at most. */
const MAX_LINE = 200;

/** A result is not as it should be. The message is a sentence. */
export class ResultError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ResultError";
  }
}

/** How the folder of the results is laid out. */
export interface ResultLayout {
  readonly folder: string;
  /** All results in one folder. */
  readonly flat: boolean;
  /** Jobs are commands, whose results have the form that `ssrun.ts` gives them. */
  readonly commands: boolean;
}

/** What {@linkcode Results.collect} needs to know. */
export interface CollectPlan {
  readonly signal: AbortSignal;
  /** The job is about to have these files. */
  readonly claim: (files: readonly string[]) => void;
}

/** The folder of the results. */
export class Results {
  readonly #layout: ResultLayout;
  /** Whose each file is, where all share a folder. */
  readonly #owners = new Map<string, string>();
  /** Jobs that have results. */
  readonly #names = new Set<string>();
  #lock: Deno.FsFile | undefined;

  /** @param layout the folder need not be there */
  constructor(layout: ResultLayout) {
    this.#layout = layout;
  }

  /** The file of finished jobs. */
  get journal(): string {
    return join(this.#own, "journal");
  }

  /** What a job's command has written: `NAME.stdout.txt`, `NAME.stderr.txt`, and `NAME.report.txt` by its server. */
  get logs(): string {
    return join(this.#own, "logs");
  }

  /**
   * Makes the folders. What an earlier run left half done is removed.
   *
   * @throws {Error} when that is not possible, or another farm is at work there
   */
  async open(): Promise<void> {
    await mkdir(this.#own, { recursive: true });
    const lock = await Deno.open(join(this.#own, "lock"), { write: true, create: true });
    // Where the file system knows no locks, there is none.
    if (!await lock.tryLock(true).catch(() => true)) {
      lock.close();
      throw new Error("another farm is at work there");
    }
    this.#lock = lock;
    await rm(this.#temporary, { recursive: true, force: true });
    await mkdir(this.#temporary, { recursive: true });
    await mkdir(this.logs, { recursive: true });
  }

  /** Removes what is only there for a while. */
  async close(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** A place for a file or folder that is only there for a while. */
  temporary(name: string): string {
    return join(this.#temporary, name);
  }

  /** A file belongs to a job of an earlier run. */
  owned(name: string, files: readonly string[]): void {
    this.#names.add(name);
    for (const file of files) this.#owners.set(file, name);
  }

  /**
   * Puts the result of a job that succeeded in its place.
   *
   * @param archive as it came
   * @returns the files, from the folder of the results
   * @throws {ResultError} when it is no good
   */
  async collect(
    { name }: FarmInput,
    archive: string,
    { signal, claim }: CollectPlan,
  ): Promise<readonly string[]> {
    const unpacked = `${archive}.unpacked`;
    try {
      const isArchive = await this.#unpack(archive, unpacked, signal);
      if (!isArchive) await rename(archive, join(unpacked, "output.data"));
      if (!this.#layout.commands) return await this.#place(name, unpacked, claim);
      await this.#keepLogs(name, unpacked);
      return await this.#place(name, join(unpacked, RESULT.files), claim);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ResultError) throw error;
      throw new ResultError(`its result cannot be stored: ${fileProblem(error)}`);
    } finally {
      await rm(unpacked, { recursive: true, force: true });
    }
  }

  /**
   * Keeps what a failed job says of itself.
   *
   * @returns its last line, if there is any
   */
  async explain({ name }: FarmInput, archive: string, signal: AbortSignal): Promise<string | undefined> {
    const unpacked = `${archive}.unpacked`;
    try {
      await this.#unpack(archive, unpacked, signal);
      return await this.#keepLogs(name, unpacked);
    } catch { // there may be none, or it is no archive: then nothing is known
      return undefined;
    } finally {
      await rm(unpacked, { recursive: true, force: true });
    }
  }

  get #own(): string {
    return join(this.#layout.folder, OWN_FOLDER);
  }

  get #temporary(): string {
    return join(this.#own, "temporary");
  }

  /** @returns false = it is no archive, which a package of somebody's own may give */
  async #unpack(archive: string, directory: string, signal: AbortSignal): Promise<boolean> {
    await mkdir(directory);
    try {
      await unpackArchive({ archive, directory, limits: LIMITS, signal });
      return true;
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      if (this.#layout.commands) throw new ResultError(`its result is refused: ${error.message}`);
      await rm(directory, { recursive: true, force: true }); // what had been unpacked before it turned out so
      await mkdir(directory);
      return false;
    }
  }

  async #keepLogs(name: string, unpacked: string): Promise<string | undefined> {
    let words: string | undefined;
    for (const report of REPORTS) {
      const come = join(unpacked, report), kept = join(this.logs, `${name}.${report}`);
      await rm(kept, { force: true });
      if (!await isFile(come)) continue;
      await rename(come, kept);
      words ??= await lastLine(kept);
    }
    return words;
  }

  /** Puts the files below a folder in their place. */
  async #place(name: string, stage: string, claim: CollectPlan["claim"]): Promise<readonly string[]> {
    const names = await filesBelow(stage);
    if (!this.#layout.flat) {
      const files = names.map((file) => join(name, file));
      await this.#placeFolder(name, stage, () => claim(files));
      return files;
    }
    await this.#claim(name, names);
    claim(names);
    for (const file of names) {
      const target = join(this.#layout.folder, file);
      await mkdir(dirname(target), { recursive: true });
      await rename(join(stage, file), target);
    }
    return names;
  }

  async #placeFolder(name: string, stage: string, claim: () => void): Promise<void> {
    const target = join(this.#layout.folder, name);
    if (!this.#names.has(name) && await exists(target)) {
      throw new ResultError(`${target} is in its way, which no job has made`);
    }
    claim();
    this.#names.add(name);
    await rm(target, { recursive: true, force: true });
    await rename(stage, target);
  }

  /** Two jobs must not have the same file where all share a folder, and nobody else's file may be lost. */
  async #claim(name: string, files: readonly string[]): Promise<void> {
    for (const file of files) {
      if (file === OWN_FOLDER || file.startsWith(`${OWN_FOLDER}/`)) {
        throw new ResultError(`it made ${file}, which is the farm's own`);
      }
      const owner = this.#owners.get(file);
      if (owner !== undefined && owner !== name) {
        throw new ResultError(`it made ${file}, which ${owner} made, too: leave -flat out`);
      }
    }
    const fresh = files.filter((file) => !this.#owners.has(file));
    this.owned(name, files); // before anything is waited for: results are stored side by side
    for (const file of fresh) {
      const path = join(this.#layout.folder, file);
      if (!await exists(path)) continue;
      for (const one of fresh) this.#owners.delete(one);
      throw new ResultError(`${path} is in its way, which no job has made`);
    }
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false);
}

function isFile(path: string): Promise<boolean> {
  return lstat(path).then((found) => found.isFile(), () => false);
}

/** All files below a folder, by their paths from there. Links are left out. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** The last line of a file that says anything, fit for a log. */
async function lastLine(path: string): Promise<string | undefined> {
  await using file = await open(path);
  const end = new Uint8Array(LAST_WORDS_OCTETS);
  const { bytesRead } = await file.read(
    end,
    0,
    end.length,
    Math.max(0, (await file.stat()).size - end.length),
  );
  const text = new TextDecoder().decode(end.subarray(0, bytesRead));
  const line = text.split(/[\r\n]+/).findLast((one) => one.trim() !== "");
  return line === undefined ? undefined : printable(line.trim()).slice(0, MAX_LINE);
}
