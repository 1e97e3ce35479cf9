/** The result of a job, read in pieces. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/**
 * Reads a file that a job has written. The job runs where the server's files are not; its result must not be a link to one of
 * them, nor something that never ends.
 */
export class OutputReader {
  readonly #handle: FileHandle;
  #block: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** @param handle of a plain file; from now on the reader's */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Opens the file.
   *
   * @returns undefined when it is not there, or no plain file
   */
  static async open(path: string): Promise<OutputReader | undefined> {
    let handle: FileHandle;
    try {
      // Not blocked by a named pipe that nobody writes to.
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch { // not there, a link, or closed by its owner
      return undefined;
    }
    if ((await handle.stat()).isFile()) return new OutputReader(handle);
    await handle.close();
    return undefined;
  }

  /** Octets of the file. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** The next octets, at most so many; none = the end. They are good until the next call. */
  async read(maxBytes: number): Promise<Uint8Array> {
    if (this.#block.length < maxBytes) this.#block = new Uint8Array(maxBytes);
    const { bytesRead } = await this.#handle.read(this.#block, 0, maxBytes);
    return this.#block.subarray(0, bytesRead);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
