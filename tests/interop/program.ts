/**
 * A program that runs for a while, as a test sees it: what it prints, waiting for that, signals, its end. Every wait has
 * a limit, and an error that says what was waited for and what the program had said.
 */
import { stripVTControlCharacters } from "node:util";
import { jitter } from "../jitter.ts";

/** A guest is slow, and its machine shared: far more than anything takes, in milliseconds. */
const PATIENCE_MS = 120_000;
/** A program that was asked to end gets so long, in milliseconds: one that is flooded shares a processor with whoever floods it. */
const END_LIMIT_MS = 60_000;
/** Characters of the output in the text of an error. */
const QUOTED_CHARACTERS = 2000;
/** How often a line is typed, and how long what is to follow from it may take, in milliseconds. */
const ATTEMPTS = 24, ATTEMPT_MS = 5000;

/** See the module's description. */
export class Program {
  /** For people. */
  readonly name: string;
  /** Resolves with the exit status, when all that it printed is there. */
  readonly exited: Promise<number>;
  /** Resolves at its end, even where what it has started goes on and has its output still open. */
  readonly gone: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #output = "";
  #hasExited = false;
  /** The exit status. Its last words may still be on their way when it has ended: not before all of them are here. */
  #exitCode: number | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Starts it. Its standard input stays open. */
  constructor(name: string, command: readonly string[]) {
    this.name = name;
    const [program = "", ...line] = command;
    const child = new Deno.Command(program, {
      args: line,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.gone = child.status.then(() => {
      this.#hasExited = true;
    });
    this.exited = this.#run(child);
  }

  /** Everything it printed so far, without colours. */
  get output(): string {
    return stripVTControlCharacters(this.#output);
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return !this.#hasExited;
  }

  /** Waits until its output matches; an error when it ends before that, or takes too long. */
  async says(pattern: RegExp, limitMs: number = PATIENCE_MS): Promise<RegExpExecArray> {
    return await this.until(`${pattern}`, (output) => pattern.exec(output) ?? undefined, limitMs);
  }

  /**
   * Waits until something is found in its output; an error when it ends before that, or takes too long.
   *
   * @param what what is waited for, for the text of the error
   * @param find is asked whenever there is more of the output, which it gets whole
   */
  async until<Found>(
    what: string,
    find: (output: string) => Found | undefined,
    limitMs: number = PATIENCE_MS,
  ): Promise<Found> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = find(this.output);
      if (found !== undefined) {
        await jitter();
        return found;
      }
      const leftMs = deadline - performance.now();
      if (this.#exitCode !== undefined || leftMs <= 0) {
        const why = this.#exitCode !== undefined ? `it ended with ${this.#exitCode}` : `${limitMs} ms passed`;
        throw new Error(`No ${what} from ${this.name}: ${why}. ${this.quote()}`);
      }
      await within(leftMs, this.#wake.promise);
    }
  }

  /** Gives it something to read. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
    await jitter();
  }

  /**
   * Gives it a line to send, again and again until something is seen: what RSPLIB's terminal sends to a server that is just
   * dying, or before it has one, is lost.
   *
   * @param seen waits for it; fails when it has not come after the time that it is told; is told, too, what was typed last,
   *   which is a bit different each time
   */
  async typesUntil(
    line: string,
    seen: (limitMs: number, text: string) => Promise<unknown>,
    attempts: number = ATTEMPTS,
  ): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const text = attempt === 1 ? line : `${line} (${attempt})`;
      await this.type(`${text}\n`);
      try {
        await seen(ATTEMPT_MS, text);
        return;
      } catch (error) {
        if (attempt === attempts || !this.isRunning) throw error;
      }
    }
  }

  /** Waits for its end by itself; an error when that takes too long. @returns the exit status */
  async ends(limitMs: number = PATIENCE_MS): Promise<number> {
    const code = await within(limitMs, this.exited);
    if (code === undefined) {
      throw new Error(`${this.name} did not end within ${limitMs} ms. ${this.quote()}`);
    }
    await jitter();
    return code;
  }

  /** Ctrl+C. @returns the exit status; undefined when it had to be ended by force */
  async interrupt(limitMs: number = END_LIMIT_MS): Promise<number | undefined> {
    this.signal("SIGINT");
    const code = await within(limitMs, this.exited);
    if (code === undefined) await this.kill();
    else await jitter();
    return code;
  }

  /** Ends it at once, without a chance to say good-bye. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
    await jitter();
  }

  /** Sends a signal, unless it has ended. */
  signal(name: Deno.Signal): void {
    if (!this.#hasExited) this.#child.kill(name);
  }

  /** The end of its output, for the text of an error. */
  quote(): string {
    return `${this.name} said:\n${this.output.slice(-QUOTED_CHARACTERS)}`;
  }

  async #run(child: Deno.ChildProcess): Promise<number> {
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        this.#output += text;
        this.#changed();
      }
    };
    const reading = Promise.all([read(child.stdout), read(child.stderr)]);
    const { code } = await child.status;
    await reading;
    this.#exitCode = code;
    await this.#input.abort().catch(() => {}); // the pipe may have broken with the program
    this.#changed();
    return code;
  }

  #changed(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** What a promise gives, or undefined when that takes longer than so many milliseconds. */
export async function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
