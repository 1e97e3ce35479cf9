/** The result of a job, read in pieces. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { ReadAhead } from "../../driver/read_ahead.ts";

/**
 * Reads a file that a job has written. The job runs where the server's files are not; its result must not be a link to one of
 * them, nor something that never ends.
 */
export class OutputReader {
  readonly #handle: FileHandle;
  readonly #ahead: ReadAhead;
  #position = 0;

  /** @param handle of a plain file; from now on the reader's */
  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#ahead = new ReadAhead(async (into) => (await handle.read(into, 0, into.length)).bytesRead);
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
    const octets = await this.#ahead.at(this.#position, maxBytes);
    this.#position += octets.length;
    return octets;
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#ahead.close();
    await this.#handle.close();
  }
}
