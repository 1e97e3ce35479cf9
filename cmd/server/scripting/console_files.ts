/** Standard output and standard error of a job, kept in files up to a limit. */
import { pause } from "../../driver/pause.ts";
import { writeAll } from "../../driver/write_all.ts";
import type { JobPrinted } from "../../../protocol/app/scripting/types.ts";
import type { Workspace } from "./workspace.ts";

/**
 * After the job's end, so many looks without an octet, this far apart, say that nothing more comes: a process that nobody found
 * may keep the pipes open for ever. One wait for all of that time would also end where this process was stopped meanwhile, with
 * octets that it has not read yet.
 */
const QUIET_LOOKS = 4, LOOK_MS = 250;

/** A process that nobody found may write for ever, too: the job is over, and a server that ends does not wait long for it. */
const MAX_LAST_LOOKS = 12;

/** Which of the two. */
export type Channel = JobPrinted["channel"];

/** What the files tell. */
export interface ConsoleHandlers {
  /** The job has written something that is kept. */
  readonly onPrinted: (channel: Channel, data: Uint8Array) => void;
  /** It has written more than is kept. */
  readonly onFlood: () => void;
}

/** Copies both streams into the files of a workspace. */
export class ConsoleFiles {
  readonly #workspace: Workspace;
  readonly #handlers: ConsoleHandlers;
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  #left: number;
  /** Pieces that have come. */
  #pieces = 0;

  /**
   * @param maxBytes most octets of both together; 0 = any number
   */
  constructor(workspace: Workspace, maxBytes: number, handlers: ConsoleHandlers) {
    this.#workspace = workspace;
    this.#left = maxBytes === 0 ? Infinity : maxBytes;
    this.#handlers = handlers;
  }

  /** Copies until both end. Never rejects: a job runs, though its words are lost, on a full disk. */
  async copy(stdout: ReadableStream<Uint8Array>, stderr: ReadableStream<Uint8Array>): Promise<void> {
    await Promise.all([this.#copyOne(stdout, "stdout"), this.#copyOne(stderr, "stderr")]);
  }

  /** Waits for the end of the copying, as long as something comes. */
  async finish(copied: Promise<void>): Promise<void> {
    const end = new AbortController();
    void copied.then(() => end.abort());
    for (let look = 0, quiet = 0; look < MAX_LAST_LOOKS && quiet < QUIET_LOOKS; look++) {
      const before = this.#pieces;
      if (!await pause(LOOK_MS, end.signal)) break;
      quiet = this.#pieces === before ? quiet + 1 : 0;
    }
    for (const reader of this.#readers) await reader.cancel().catch(() => {});
    await copied;
  }

  async #copyOne(stream: ReadableStream<Uint8Array>, channel: Channel): Promise<void> {
    const reader = stream.getReader();
    this.#readers.push(reader);
    using file = await Keepsake.create(this.#workspace[channel]);
    try {
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        this.#pieces++;
        const kept = chunk.value.subarray(0, Math.min(this.#left, chunk.value.length));
        this.#left -= kept.length;
        if (kept.length > 0) this.#handlers.onPrinted(channel, kept);
        await file.append(kept);
        if (kept.length < chunk.value.length) this.#handlers.onFlood();
      }
    } catch { // the pipe is broken: nothing more comes
      await reader.cancel().catch(() => {});
    }
  }
}

/** A file that takes what it can. On a full disk the rest is lost: who writes is not disturbed. */
class Keepsake implements Disposable {
  #file: Deno.FsFile | undefined;

  constructor(file: Deno.FsFile | undefined) {
    this.#file = file;
  }

  static async create(path: string): Promise<Keepsake> {
    const options = { write: true, createNew: true, mode: 0o600 } as const;
    return new Keepsake(await Deno.open(path, options).catch(() => undefined));
  }

  async append(octets: Uint8Array): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await writeAll(this.#file, octets);
    } catch {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
