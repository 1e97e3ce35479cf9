/** The files of a job at its pool user: what is uploaded, the result, and what the job prints. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { fileProblem } from "../driver/file_problem.ts";
import { ReadAhead } from "../driver/read_ahead.ts";
import { WriteBatch } from "../driver/write_batch.ts";
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
class Source {
  readonly ahead: ReadAhead;
  readonly #file: Promise<Deno.FsFile>;
  /** Where the next read would begin by itself. */
  #position = 0;

  constructor(path: string) {
    this.#file = Deno.open(path);
    this.ahead = new ReadAhead((into, position) => this.#read(into, position));
  }

  async close(): Promise<void> {
    await this.ahead.close();
    await this.#file.then((open) => open.close(), () => {});
  }

  async #read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    const open = await this.#file;
    if (position !== this.#position) await open.seek(position, Deno.SeekMode.Start);
    const length = await open.read(into) ?? 0;
    this.#position = position + length;
    return length;
  }
}

/** Octets that wait to be written together. */
interface Filling {
  readonly run: number;
  readonly batch: WriteBatch;
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
  /** What the job prints and is not being written yet, by path. */
  readonly #printing = new Map<string, Filling>();
  #output: Deno.FsFile | undefined;
  #outputPath: string;
  #filling: Filling | undefined;
  readonly #spare: WriteBatch[] = [];
  #tail: Promise<void> = Promise.resolve();
  #failed = false;
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
        this.#enqueue(this.#plan.output, () => this.#begin(effect.run));
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
        if (path !== undefined) this.#collect(path, effect.run, effect.data);
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
    for (const source of this.#sources.values()) await source.close();
    for (const { file } of this.#prints.values()) file.close();
  }

  async #read({ run, file, offset, maxBytes }: ReadFile): Promise<void> {
    const path = file === "input" ? this.#plan.input : this.#plan.environment?.path ?? "";
    try {
      let source = this.#sources.get(file);
      if (source === undefined) {
        source = new Source(path);
        this.#sources.set(file, source);
      }
      const data = await source.ahead.at(offset, maxBytes);
      this.#answer({ type: "fileRead", job: this.#job, run, data });
    } catch (error) {
      this.#fail(path, "read", error);
    }
  }

  /** Does something after all that came before. */
  #enqueue(path: string, task: () => Promise<void>): void {
    this.#filling = undefined; // what is written from now on comes behind the task
    this.#tail = this.#tail.then(task).catch((error) => this.#fail(path, "write", error));
  }

  /** The job is over; what is queued already must not make a result of what is there. */
  #fail(path: string, what: "read" | "write", error: unknown): void {
    this.#failed = true;
    if (this.#closed) return;
    this.#answer({
      type: "fileFailed",
      job: this.#job,
      reason: `cannot ${what} ${path}: ${fileProblem(error)}`,
    });
  }

  async #begin(run: number): Promise<void> {
    this.#output?.close();
    await this.#dropPrints(run);
    const { output } = this.#plan;
    const isFile = await stat(output).then((found) => found.isFile(), () => true);
    this.#outputPath = isFile ? `${output}.part` : output;
    this.#output = await Deno.create(this.#outputPath);
  }

  #write(run: number, data: Uint8Array): void {
    if (this.#filling === undefined) {
      const filling: Filling = { run, batch: this.#spare.pop() ?? new WriteBatch() };
      this.#enqueue(this.#plan.output, () => this.#writeBatch(filling));
      this.#filling = filling;
    }
    this.#filling.batch.add(data);
  }

  async #writeBatch(filling: Filling): Promise<void> {
    const { run, batch } = filling;
    if (this.#filling === filling) this.#filling = undefined;
    if (this.#output !== undefined) await batch.writeTo(this.#output);
    this.#answer({ type: "outputWritten", job: this.#job, run, octets: batch.length });
    batch.clear();
    this.#spare.push(batch);
  }

  async #finish(run: number): Promise<void> {
    if (this.#failed) return await this.#discard();
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

  /** Many small pieces cost as much as their octets: nobody waits for the disk before more of them come. */
  #collect(path: string, run: number, data: Uint8Array): void {
    let filling = this.#printing.get(path);
    if (filling?.run !== run) {
      const begun = filling = { run, batch: this.#spare.pop() ?? new WriteBatch() };
      this.#enqueue(path, () => this.#print(path, begun));
      this.#printing.set(path, begun);
    }
    filling.batch.add(data);
  }

  async #print(path: string, filling: Filling): Promise<void> {
    if (this.#printing.get(path) === filling) this.#printing.delete(path);
    const { run, batch } = filling;
    let print = this.#prints.get(path);
    if (print?.run !== run) { // what an earlier run has printed belongs to a result that is void
      print?.file.close();
      this.#prints.set(path, print = { run, file: await Deno.create(path) });
    }
    await batch.writeTo(print.file);
    batch.clear();
    this.#spare.push(batch);
  }

  /** A result of this run comes: what other runs have printed does not belong to it. */
  async #dropPrints(run: number): Promise<void> {
    for (const [path, print] of [...this.#prints]) {
      if (print.run === run) continue;
      const { isFile } = await print.file.stat();
      print.file.close();
      this.#prints.delete(path);
      if (isFile) await rm(path, { force: true }); // what else is there, such as a pipe, is its owner's
    }
  }
}
