/**
 * Directories of sessions of the scripting service.
 *
 *     rspSS-Session-XXXXXX/    0700, the server's
 *       input.data             the work package as it was uploaded
 *       input.signed           what is in it, when packages have to be signed
 *       environment.data       the environment as it was uploaded, or a copy from the cache
 *       work/                  where the package is unpacked and the job runs; environment.data moves here
 *       tmp/                   the job's temporary files
 *       shm/                   its shared memory, where it is sandboxed
 *       stdout.txt stderr.txt  what it wrote
 *       result.tar.gz          made of these two when there is no result of the job
 */
import { fileProblem } from "../../driver/file_problem.ts";
import { removeTree } from "./remove_tree.ts";
import { StoredFile } from "./stored_file.ts";
import type { UploadRoom } from "./stored_file.ts";

/** What names of sessions' directories begin with. */
export const SESSION_PREFIX = "rspSS-Session-";

/** Name of the job's result within its directory, as RSPLIB calls it. */
export const OUTPUT_NAME = "output.data";

/** Name of the environment within the job's directory. */
export const ENVIRONMENT_NAME = "environment.data";

/** Where a session's files are. */
export class Workspace {
  /** All of it. */
  readonly directory: string;
  readonly input: StoredFile;
  readonly environment: StoredFile;
  /** Room of the two together. */
  readonly room: UploadRoom;

  /** Made by {@linkcode create}, which makes the directories. */
  constructor(directory: string, maxBytes: number) {
    this.directory = directory;
    this.room = { maxBytes, leftBytes: maxBytes };
    this.input = new StoredFile(`${directory}/input.data`, this.room);
    this.environment = new StoredFile(`${directory}/${ENVIRONMENT_NAME}`, this.room);
  }

  /**
   * Makes the directories.
   *
   * @param parent where they are made
   * @param maxBytes most octets of what is uploaded
   * @throws {Error} whose message is a sentence
   */
  static async create(parent: string, maxBytes: number): Promise<Workspace> {
    try {
      const directory = await Deno.makeTempDir({ dir: parent, prefix: SESSION_PREFIX });
      const workspace = new Workspace(await Deno.realPath(directory), maxBytes);
      for (const part of [workspace.work, workspace.temporary, workspace.sharedMemory]) {
        await Deno.mkdir(part, { mode: 0o700 });
      }
      return workspace;
    } catch (error) {
      throw new Error(`cannot make a directory for the session: ${fileProblem(error)}`, { cause: error });
    }
  }

  /** What is in the package, once its signature has been checked. */
  get signedInput(): string {
    return `${this.directory}/input.signed`;
  }

  /** Where the job runs. */
  get work(): string {
    return `${this.directory}/work`;
  }

  /** Where it may put temporary files. */
  get temporary(): string {
    return `${this.directory}/tmp`;
  }

  /** What it sees as /dev/shm. */
  get sharedMemory(): string {
    return `${this.directory}/shm`;
  }

  /** What the job wrote to its standard output. */
  get stdout(): string {
    return `${this.directory}/stdout.txt`;
  }

  /** What the job wrote to its standard error. */
  get stderr(): string {
    return `${this.directory}/stderr.txt`;
  }

  /** The job's result. */
  get output(): string {
    return `${this.work}/${OUTPUT_NAME}`;
  }

  /** What is sent for a result when there is none. */
  get substitute(): string {
    return `${this.directory}/result.tar.gz`;
  }

  /** Closes the files and, unless they are to be kept, removes them. */
  async discard(keep: boolean): Promise<void> {
    this.input.close();
    this.environment.close();
    if (!keep) await removeTree(this.directory);
  }
}
