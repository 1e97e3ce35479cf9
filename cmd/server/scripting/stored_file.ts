/** A file that grows as it is uploaded. */
import { fileProblem } from "../../driver/file_problem.ts";
import { WriteBatch } from "../../driver/write_batch.ts";
import { showSize } from "./limits.ts";

/** Room that files share. */
export interface UploadRoom {
  readonly maxBytes: number;
  /** Octets that may still come. */
  leftBytes: number;
}

/** Octets that wait to be written, and when they are. */
interface Filling {
  readonly batch: WriteBatch;
  readonly written: Promise<void>;
}

/**
 * Takes octets in order, and copies them at once. The caller bounds what is under way: a piece counts until its promise
 * resolves. What comes in while the disk is busy makes one batch.
 */
export class StoredFile {
  readonly path: string;
  readonly #room: UploadRoom;
  #isEmpty = true;
  #file: Deno.FsFile | undefined;
  /** What is not being written yet. */
  #filling: Filling | undefined;
  readonly #spare: WriteBatch[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** Nothing is opened before the first octet comes. */
  constructor(path: string, room: UploadRoom) {
    this.path = path;
    this.#room = room;
  }

  /** Whether nothing has come; then there is no file. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /**
   * Appends octets.
   *
   * @returns resolves when they are in the file; the same promise for all octets that are written together
   * @throws {Error} whose message is a sentence; then the file is no longer good for anything
   */
  append(data: Uint8Array): Promise<void> {
    this.#room.leftBytes -= data.length;
    if (this.#room.leftBytes < 0) {
      const most = showSize(this.#room.maxBytes);
      return Promise.reject(new Error(`the upload is longer than the ${most} that are allowed`));
    }
    this.#filling ??= this.#begin();
    this.#filling.batch.add(data);
    return this.#filling.written;
  }

  /** Closes the file. What has been written stays. Idempotent. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #begin(): Filling {
    this.#isEmpty = false;
    const batch = this.#spare.pop() ?? new WriteBatch();
    const written = this.#writing.then(() => this.#write(batch));
    this.#writing = written.catch(() => {}); // told to the caller
    return { batch, written };
  }

  async #write(batch: WriteBatch): Promise<void> {
    this.#filling = undefined; // what comes from now on is another batch
    try {
      this.#file ??= await Deno.open(this.path, { write: true, createNew: true, mode: 0o600 });
      await batch.writeTo(this.#file);
    } catch (error) {
      throw new Error(`cannot store the upload: ${fileProblem(error)}`, { cause: error });
    } finally {
      batch.clear();
      this.#spare.push(batch);
    }
  }
}
