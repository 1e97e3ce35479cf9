/** A file that grows as it is uploaded. */
import { Joiner } from "../../driver/joiner.ts";
import { fileProblem } from "../../driver/file_problem.ts";
import { showSize } from "./limits.ts";

/** Octets that are written at once, at most: what has come in while the disk was busy goes in one piece. */
const MAX_WRITE = 1 << 20;

/** Room that files share. */
export interface UploadRoom {
  readonly maxBytes: number;
  /** Octets that may still come. */
  leftBytes: number;
}

/** Takes octets in order. The caller bounds what is under way: each piece counts until its promise resolves. */
export class StoredFile {
  readonly path: string;
  readonly #room: UploadRoom;
  #file: Deno.FsFile | undefined;
  #waiting: Uint8Array[] = [];
  readonly #joiner = new Joiner();
  #writing: Promise<void> = Promise.resolve();

  /** Nothing is opened before the first octet comes. */
  constructor(path: string, room: UploadRoom) {
    this.path = path;
    this.#room = room;
  }

  /**
   * Appends octets, which the file keeps until they are written.
   *
   * @returns resolves when they are in the file
   * @throws {Error} whose message is a sentence; then the file is no longer good for anything
   */
  append(data: Uint8Array): Promise<void> {
    this.#room.leftBytes -= data.length;
    if (this.#room.leftBytes < 0) {
      const most = showSize(this.#room.maxBytes);
      return Promise.reject(new Error(`the upload is longer than the ${most} that are allowed`));
    }
    this.#waiting.push(data);
    const written = this.#writing.then(() => this.#flush());
    this.#writing = written.catch(() => {}); // told to the caller
    return written;
  }

  /** Closes the file. What has been written stays. Idempotent. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Writes all that waits; nothing when an earlier call has written this one's, too. */
  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const pieces: Uint8Array[] = [];
      for (let length = 0; length < MAX_WRITE && this.#waiting.length > 0;) {
        const piece = this.#waiting.shift()!;
        pieces.push(piece);
        length += piece.length;
      }
      try {
        this.#file ??= await Deno.open(this.path, { write: true, createNew: true, mode: 0o600 });
        const octets = this.#joiner.join(pieces);
        for (let at = 0; at < octets.length;) at += await this.#file.write(octets.subarray(at));
      } catch (error) {
        throw new Error(`cannot store the upload: ${fileProblem(error)}`, { cause: error });
      }
    }
  }
}
