/** The files of a job at its pool user: what is uploaded, the result, and what the job prints. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { Joiner } from "../driver/joiner.ts";
import { fileProblem } from "../driver/file_problem.ts";
import type {
  JobFile,
  ScriptingClientEffect,
  ScriptingClientInput,
} from "../../protocol/app/scripting/client_types.ts";

/** An archive that many jobs share, and servers keep. */
export interface JobEnvironment {
  readonly path: string;
  /** SHA-1 of the file. */
  readonly hash: Uint8Array;
}

/** Where the files of a job are. */
export interface JobPlan {
  /** The work package. */
  readonly input: string;
  /** The result. It appears when it is complete. */
  readonly output: string;
  readonly environment?: JobEnvironment | undefined;
  /** What the job prints, as far as its server tells; absent = it is not kept. Such a file is made when there is something. */
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

type ReadFile = ScriptingClientEffect & { readonly type: "readFile" };

/** Names an environment by what is in it. */
export async function readEnvironment(path: string): Promise<JobEnvironment> {
  const hash = createHash("sha1");
  for await (const octets of createReadStream(path)) hash.update(octets);
  return { path, hash: new Uint8Array(hash.digest()) };
}

/** A file that is being uploaded. */
interface Source {
  readonly file: Promise<Deno.FsFile>;
  /** Where the next read would begin. */
  position: number;
  /** What was read last: the machine has taken it when it asks for more. */
  buffer: Uint8Array<ArrayBuffer>;
}

/** Octets of a result that wait to be written together. */
interface Batch {
  readonly run: number;
  readonly pieces: Uint8Array[];
}

/**
 * Carries the effects of one job out, one after another; reading goes beside.
 *
 * The result is written beside its place, under a name that ends in `.part`, and renamed when it is complete: nobody takes
 * half a result for a whole one. Where something else than a file is in its place, such as a pipe, it is written there.
 */
export class JobFiles {
  readonly #plan: JobPlan;
  readonly #answer: (input: ScriptingClientInput) => void;
  readonly #job: number;
  readonly #sources = new Map<JobFile, Source>();
  readonly #prints = new Map<string, { readonly run: number; readonly file: Deno.FsFile }>();
  #output: Deno.FsFile | undefined;
  #outputPath: string;
  #batch: Batch | undefined;
  readonly #joiner = new Joiner();
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Opens nothing yet.
   *
   * @param answer takes what the machine waits for
   */
  constructor(job: number, plan: JobPlan, answer: (input: ScriptingClientInput) => void) {
    this.#job = job;
    this.#plan = plan;
    this.#answer = answer;
    this.#outputPath = plan.output;
  }

  /** Carries an effect out. */
  handle(effect: ScriptingClientEffect): void {
    switch (effect.type) {
      case "readFile":
        void this.#read(effect);
        break;
      case "beginOutput":
        this.#enqueue(this.#plan.output, () => this.#begin());
        break;
      case "writeOutput":
        this.#write(effect.run, effect.data);
        break;
      case "finishOutput":
        this.#enqueue(this.#plan.output, () => this.#finish(effect.run));
        break;
      case "discardOutput":
        this.#enqueue(this.#plan.output, () => this.#discard());
        break;
      case "print": {
        const path = effect.channel === "server" ? undefined : this.#plan[effect.channel];
        if (path !== undefined) this.#enqueue(path, () => this.#print(path, effect.run, effect.data));
        break;
      }
      default:
        effect satisfies never;
    }
  }

  /** Waits for what is under way, and closes everything. The job is over. Idempotent. */
  async close(): Promise<void> {
    await this.#tail;
    if (this.#closed) return;
    this.#closed = true;
    this.#output?.close();
    for (const { file } of this.#sources.values()) await file.then((open) => open.close(), () => {});
    for (const { file } of this.#prints.values()) file.close();
  }

  async #read({ run, file, offset, maxBytes }: ReadFile): Promise<void> {
    const path = file === "input" ? this.#plan.input : this.#plan.environment?.path ?? "";
    try {
      let source = this.#sources.get(file);
      if (source === undefined) {
        source = { file: Deno.open(path), position: 0, buffer: new Uint8Array(maxBytes) };
        this.#sources.set(file, source);
      }
      const open = await source.file;
      if (source.position !== offset) await open.seek(offset, Deno.SeekMode.Start);
      if (source.buffer.length < maxBytes) source.buffer = new Uint8Array(maxBytes);
      const length = await open.read(source.buffer.subarray(0, maxBytes)) ?? 0;
      source.position = offset + length;
      this.#answer({ type: "fileRead", job: this.#job, run, data: source.buffer.subarray(0, length) });
    } catch (error) {
      this.#fail(path, "read", error);
    }
  }

  /** Does something after all that came before. */
  #enqueue(path: string, task: () => Promise<void>): void {
    this.#batch = undefined; // what is written from now on comes behind the task
    this.#tail = this.#tail.then(task).catch((error) => this.#fail(path, "write", error));
  }

  #fail(path: string, what: "read" | "write", error: unknown): void {
    if (this.#closed) return;
    this.#answer({
      type: "fileFailed",
      job: this.#job,
      reason: `cannot ${what} ${path}: ${fileProblem(error)}`,
    });
  }

  async #begin(): Promise<void> {
    this.#output?.close();
    const { output } = this.#plan;
    const isFile = await stat(output).then((found) => found.isFile(), () => true);
    this.#outputPath = isFile ? `${output}.part` : output;
    this.#output = await Deno.create(this.#outputPath);
  }

  #write(run: number, data: Uint8Array): void {
    if (this.#batch === undefined) {
      const batch: Batch = { run, pieces: [] };
      this.#enqueue(this.#plan.output, () => this.#writeBatch(batch));
      this.#batch = batch;
    }
    this.#batch.pieces.push(data);
  }

  async #writeBatch(batch: Batch): Promise<void> {
    if (this.#batch === batch) this.#batch = undefined;
    const octets = this.#joiner.join(batch.pieces);
    if (this.#output !== undefined) await writeAll(this.#output, octets);
    this.#answer({ type: "outputWritten", job: this.#job, run: batch.run, octets: octets.length });
  }

  async #finish(run: number): Promise<void> {
    this.#output?.close();
    this.#output = undefined;
    if (this.#outputPath !== this.#plan.output) await rename(this.#outputPath, this.#plan.output);
    this.#answer({ type: "outputFinished", job: this.#job, run });
  }

  async #discard(): Promise<void> {
    this.#output?.close();
    this.#output = undefined;
    if (this.#outputPath !== this.#plan.output) await rm(this.#outputPath, { force: true });
  }

  async #print(path: string, run: number, data: Uint8Array): Promise<void> {
    let print = this.#prints.get(path);
    if (print?.run !== run) { // what an earlier run has printed belongs to a result that is void
      print?.file.close();
      this.#prints.set(path, print = { run, file: await Deno.create(path) });
    }
    await writeAll(print.file, data);
  }
}

async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await file.write(octets.subarray(at));
}
