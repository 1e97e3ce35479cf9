/** The work packages of a farm, and what goes with them. */
import { rm, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import { OptionError } from "../options.ts";
import { readEnvironment } from "../scriptingclient/job_files.ts";
import type { JobEnvironment } from "../scriptingclient/job_files.ts";
import type { Signing } from "../scriptingclient/signing.ts";
import { filesBelow, filesIn, writeArchive } from "./archive.ts";
import type { ArchiveEntry } from "./archive.ts";
import { folderOf } from "./inputs.ts";
import type { FarmInput } from "./inputs.ts";
import { COMMAND_FILE, fillIn, SSRUN, WORK_FOLDER } from "./ssrun.ts";

/** What packages are made of. */
export interface PackagePlan {
  /** Undefined = the inputs are packages. */
  readonly command: string | undefined;
  /** Files and folders that every job needs. */
  readonly with: readonly string[];
  /** Jobs need the files beside their inputs, too. */
  readonly siblings: boolean;
  /** Undefined = nothing is signed. */
  readonly signing: Signing | undefined;
  /** A place for a file that is only there for a while. */
  readonly temporary: (name: string) => string;
}

/** What goes with jobs, as they are given it. */
interface FarmEnvironment {
  readonly environment: JobEnvironment;
  /** Names its files: a signature is another one each time. */
  readonly identity: string;
}

/**
 * Makes packages. What several jobs need is an environment of its own: servers keep it (reference/rsplib.md §5.5), so that it is
 * uploaded once to each of them and not with every job.
 */
export class Packages {
  readonly #plan: PackagePlan;
  /** By the folder whose files are in them; `""` for those of no folder. */
  readonly #environments = new Map<string, FarmEnvironment | undefined>();
  /** Signed packages by the number of their input. */
  readonly #signed = new Map<number, string>();

  /** @param plan what packages are made of */
  constructor(plan: PackagePlan) {
    this.#plan = plan;
  }

  /**
   * Makes the environments of inputs.
   *
   * @throws {OptionError} when a file cannot be read
   */
  async prepare(paths: readonly (string | undefined)[]): Promise<void> {
    const inputs = new Set(paths);
    try {
      const common = (await Promise.all(this.#plan.with.map((path) => filesBelow(resolve(path))))).flat();
      for (const path of paths) {
        const folder = this.#folder(path);
        if (this.#environments.has(folder)) continue;
        const beside = folder === "" ? [] : (await filesIn(folder)).filter((file) => !inputs.has(file.path));
        this.#environments.set(folder, await this.#environment([...beside, ...common]));
      }
    } catch (error) {
      if (error instanceof OptionError) throw error;
      throw new OptionError(`cannot pack what goes with the inputs: ${fileProblem(error)}`);
    }
  }

  /** What goes with an input; undefined = nothing does. */
  environmentOf(path: string | undefined): JobEnvironment | undefined {
    return this.#environments.get(this.#folder(path))?.environment;
  }

  /** Names what goes with an input by what is in it; undefined = nothing does. */
  identityOf(path: string | undefined): string | undefined {
    return this.#environments.get(this.#folder(path))?.identity;
  }

  /**
   * Makes the package of an input.
   *
   * @returns its path and size
   */
  async make(input: FarmInput): Promise<{ readonly path: string; readonly size: number }> {
    const { command } = this.#plan;
    let path = input.path;
    if (command !== undefined || path === undefined) {
      const name = input.path === undefined ? input.word : basename(input.path);
      const filled = fillIn(command ?? "", { name, number: input.number });
      const entries: ArchiveEntry[] = [
        { name: "ssrun", text: SSRUN, executable: true },
        { name: COMMAND_FILE, text: `${filled}\n` },
        { name: WORK_FOLDER },
      ];
      if (input.path !== undefined) entries.push({ name: `${WORK_FOLDER}/${name}`, path: input.path });
      path = this.#plan.temporary(`${input.number}.tar.gz`);
      await writeArchive(path, entries);
    }
    if (this.#plan.signing !== undefined) {
      path = await this.#plan.signing.sign(path);
      this.#signed.set(input.number, path);
    }
    return { path, size: (await stat(path)).size };
  }

  /** The package of an input is not needed any more. */
  async drop({ number }: FarmInput): Promise<void> {
    await rm(this.#plan.temporary(`${number}.tar.gz`), { force: true });
    const signed = this.#signed.get(number);
    if (signed === undefined) return;
    this.#signed.delete(number);
    await this.#plan.signing?.drop(signed);
  }

  #folder(path: string | undefined): string {
    return this.#plan.siblings && path !== undefined ? folderOf(path) : "";
  }

  async #environment(files: readonly ArchiveEntry[]): Promise<FarmEnvironment | undefined> {
    if (files.length === 0) return undefined;
    const path = this.#plan.temporary(`environment-${this.#environments.size}.tar.gz`);
    await writeArchive(path, files);
    const plain = await readEnvironment(path), identity = plain.hash.toHex();
    const { signing } = this.#plan;
    const environment = signing === undefined ? plain : await readEnvironment(await signing.sign(path));
    return { environment, identity };
  }
}
