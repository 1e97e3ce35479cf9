/** Files that grow while a program runs: plain, or packed by the program bzip2 when their name ends in `.bz2`. */
import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { OptionError } from "../options.ts";
import { fileProblem } from "./file_problem.ts";

/** A file that is written from its beginning. */
export interface OutputFile {
  /** Appends; a plain file has it at once, a packed one when it is closed. Never throws. */
  write(text: string): void;
  /** Resolves when all is on disk. Idempotent. */
  close(): Promise<void>;
}

/** Which file, and who hears of trouble. */
export interface OutputFileOptions {
  readonly path: string;
  /** The option that names the file, for messages. */
  readonly option: string;
  /** Takes a sentence for people when a write fails, once. */
  readonly onProblem: (sentence: string) => void;
  /** Keeps what is in the file and goes on behind it. Default false: it is gone. */
  readonly append?: boolean;
}

/**
 * Opens a file.
 *
 * @throws {OptionError} when that is not possible, or when it is to be packed and there is no bzip2
 */
export function openOutputFile(options: OutputFileOptions): OutputFile {
  const { path, option, append = false } = options;
  const isPacked = path.endsWith(".bz2");
  if (isPacked && !hasBzip2()) {
    throw new OptionError(
      `option -${option}: ${path} needs the program bzip2, which is not installed; leave .bz2 out`,
    );
  }
  let file: number;
  try {
    file = openSync(path, append ? "a" : "w"); // bzip2 unpacks what was packed in several goes as one
  } catch (error) {
    throw new OptionError(`option -${option}: cannot write ${path}: ${fileProblem(error)}`);
  }
  return isPacked ? new PackedFile(file, options) : new PlainFile(file, options);
}

function hasBzip2(): boolean {
  try {
    new Deno.Command("bzip2", { args: ["--help"], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync();
    return true;
  } catch { // not found, or not allowed
    return false;
  }
}

class PlainFile implements OutputFile {
  readonly #options: OutputFileOptions;
  #file: number | undefined;

  constructor(file: number, options: OutputFileOptions) {
    this.#file = file;
    this.#options = options;
  }

  write(text: string): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, text);
    } catch (error) { // the disk is full: the service matters more than its files
      this.#options.onProblem(`${this.#options.path} is given up: ${fileProblem(error)}`);
      void this.close();
    }
  }

  close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
    return Promise.resolve();
  }
}

class PackedFile implements OutputFile {
  readonly #packer: ReturnType<typeof spawn>;
  readonly #ended: Promise<void>;
  #closed = false;

  constructor(file: number, { path, onProblem }: OutputFileOptions) {
    // Detached: Ctrl+C is for us alone, or it would end the packer before we have written the last line.
    const packer = spawn("bzip2", ["-c"], { stdio: ["pipe", file, "inherit"], detached: true });
    closeSync(file);
    this.#packer = packer;
    const problem = (text: string) => {
      if (!this.#closed) onProblem(`${path} is given up: ${text}`);
      this.#closed = true;
    };
    packer.stdin?.on("error", (error) => problem(error.message));
    this.#ended = new Promise((resolve) => {
      packer.on("error", (error) => {
        problem(error.message);
        resolve();
      });
      packer.on("close", (code) => {
        if (code !== 0) onProblem(`${path} is not complete: bzip2 ended with exit code ${code}`);
        resolve();
      });
    });
  }

  write(text: string): void {
    if (!this.#closed) this.#packer.stdin?.write(text);
  }

  close(): Promise<void> {
    if (!this.#closed) this.#packer.stdin?.end();
    this.#closed = true;
    return this.#ended;
  }
}
