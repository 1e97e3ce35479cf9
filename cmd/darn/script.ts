/** Runs lines one after another, as a prompt's, a pipe's or a file's. */
import { readFile } from "node:fs/promises";
import { fileProblem } from "../driver/file_problem.ts";
import { CommandError, DarnExitCode, problem, SessionEnded } from "./command_error.ts";
import type { CommandScope, CommandTable } from "./interactive_command.ts";
import type { Session } from "./session.ts";

/** Files within files: a file that names itself comes to an end. */
const MAX_DEPTH = 16;

/** Carries out lines in a session. */
export class ScriptRunner {
  readonly #session: Session;
  readonly #commands: CommandTable;
  readonly #keepGoing: boolean;
  /** Stops the command that is running. */
  #current: AbortController | undefined;
  #depth = 0;
  /** Exit code of the first command that failed in a script. */
  failure: number = DarnExitCode.done;

  constructor(session: Session, commands: CommandTable, keepGoing: boolean) {
    this.#session = session;
    this.#commands = commands;
    this.#keepGoing = keepGoing;
  }

  /** Stops the command that is running, if it waits for something. */
  interrupt(): void {
    this.#current?.abort(new CommandError("stopped"));
  }

  /** Runs a line that was typed at the prompt. Never throws: what went wrong is shown. */
  async typed(line: string): Promise<void> {
    if (line.trim() === "") this.#session.display.say("? lists the commands", { event: "hint" });
    try {
      await this.#run(line, true);
    } catch (error) {
      this.#session.display.error(problem(error), { line });
    }
  }

  /**
   * Runs the lines of a script.
   *
   * @param name stands in front of error messages
   * @returns false when one has failed, and the script with it
   */
  async lines(lines: Iterable<string> | AsyncIterable<string>, name: string): Promise<boolean> {
    let number = 0;
    for await (const line of lines) {
      number++;
      try {
        await this.#run(line, false);
      } catch (error) {
        if (error instanceof SessionEnded) return true;
        this.#session.display.error(`${name}, line ${number}: ${problem(error)}`, { line });
        const exitCode = error instanceof CommandError ? error.exitCode : DarnExitCode.failed;
        if (this.failure === DarnExitCode.done) this.failure = exitCode;
        if (!this.#keepGoing) return false;
      }
      if (this.#session.ended.aborted) return true;
    }
    return true;
  }

  async #run(line: string, isTyped: boolean): Promise<void> {
    const session = this.#session;
    const outer = this.#current;
    const stop = new AbortController();
    this.#current = stop;
    const scope: CommandScope = {
      session,
      signal: AbortSignal.any([stop.signal, session.ended]),
      isTyped,
      source: (path) => this.#source(path),
    };
    try {
      await this.#commands.run(scope, line);
    } catch (error) {
      if (!(error instanceof SessionEnded) || !isTyped) throw error;
    } finally {
      this.#current = outer;
      session.onChange();
    }
  }

  async #source(path: string): Promise<void> {
    if (this.#depth >= MAX_DEPTH) throw new CommandError(`${path}: files name each other too deep`);
    const lines = (await readText(path)).split("\n");
    this.#depth++;
    const before = this.failure;
    try {
      const failed = !await this.lines(lines, path);
      if (failed) throw new CommandError(`${path} was not carried out to its end`, this.failure);
    } finally {
      this.#depth--;
      if (this.#depth === 0 && this.#isPrompt) this.failure = before;
    }
  }

  /** Failures of files that were called at a prompt do not count: somebody has seen them. */
  get #isPrompt(): boolean {
    return this.#session.display.printer !== undefined;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${path}: ${fileProblem(error)}`);
  }
}
