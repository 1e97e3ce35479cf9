/** A program on the host that is typed to, with its output. */
import assert from "node:assert/strict";
import { jitter } from "../jitter.ts";

/** It says what is waited for within this, in milliseconds: far more than anything takes on a busy machine. */
const DEADLINE_MS = 60_000;

/** A program; dispose of it, and it is gone. */
export class HostProgram implements AsyncDisposable {
  output = "";
  /** How it ended. */
  readonly code: Promise<number>;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #running = true;
  #notify: () => void = () => {};

  constructor(name: string, words: readonly string[]) {
    const process = new Deno.Command(name, {
      args: [...words],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#process = process;
    this.#writer = process.stdin.getWriter();
    this.code = (async () => {
      await Promise.all([this.#read(process.stdout), this.#read(process.stderr)]);
      const { code } = await process.status;
      this.#running = false;
      return code;
    })();
  }

  /** Gives it a line to read. */
  async types(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    await jitter();
  }

  /** Sends it a signal, where it is there to have it. */
  signal(signal: Deno.Signal): void {
    if (this.#running) this.#process.kill(signal);
  }

  /** Waits until its output has this, so many times. */
  async says(pattern: RegExp, times = 1): Promise<void> {
    const global = new RegExp(pattern.source, `${pattern.flags}g`);
    const found = () => (this.output.match(global)?.length ?? 0) >= times;
    const deadline = performance.now() + DEADLINE_MS;
    const timer = setTimeout(() => this.#notify(), DEADLINE_MS);
    while (!found()) {
      assert.ok(performance.now() < deadline, `no ${pattern} in what the program has said:\n${this.output}`);
      await new Promise<void>((resolve) => this.#notify = resolve);
    }
    clearTimeout(timer);
    await jitter();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.code;
    await this.#writer.close().catch(() => {});
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      this.#notify();
    }
  }
}
