/**
 * What a command of `rsp` is. Each lives in a folder of its own, `cmd/<name>/command.ts`, exports `command`, and is
 * listed in `cmd/commands.ts`, which loads it when it is called.
 */
import type { Readable } from "node:stream";
import type { OptionTable, OptionValues } from "./options.ts";

/** A text stream to a person or a program. */
export interface Output {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Writes at once, whole; never throws, not even when nobody reads any more. */
  write(text: string): void;
  /** Whether a write found that nobody reads any more, as in `rsp … | head -1`. Absent = nobody can tell. */
  readonly isBroken?: () => boolean;
  /** Columns and rows of the terminal at this moment; 80 × 24 where there is none. */
  size(): { readonly columns: number; readonly rows: number };
}

/** What a person types or a program hands over. */
export interface Input {
  /** Whether a person types it. */
  readonly isTerminal: boolean;
  /** Starts reading; what was not read when the command ends is lost. */
  open(): Readable;
}

/** All that a command knows of the world it runs in, so that a test can run it in another one. */
export interface Context<Values = Readonly<Record<string, unknown>>> {
  /** How the user called it, for messages: `rsp registrar` or `rspregistrar`. */
  readonly program: string;
  /** The bare name it was called by: the command's own name or one of its aliases. */
  readonly calledAs: string;
  /** Values of the command's options, defaults filled in. */
  readonly options: Values;
  /** Names of the options that stood on the command line. */
  readonly given: ReadonlySet<string>;
  /** What stood on the command line without a dash. */
  readonly positionals: readonly string[];
  /** Absent = there is nothing to read. */
  readonly stdin?: Input | undefined;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Looks up an environment variable. */
  readonly variable: (name: string) => string | undefined;
  /** Aborted by the first Ctrl+C or SIGTERM: end in order. (A second one ends the process.) */
  readonly signal: AbortSignal;
  /** Told once by commands that serve: from now on they do. Absent = nobody waits for it. */
  readonly ready?: (() => void) | undefined;
}

/** What exit codes mean where a command says nothing else. */
export const USUAL_EXIT_CODES: Readonly<Record<string, string>> = {
  0: "Done",
  1: "It failed, and a sentence said why",
  2: "The command line is wrong",
};

/** Those of commands that serve until somebody ends them. */
export const SERVING_EXIT_CODES: Readonly<Record<string, string>> = {
  0: "Ctrl+C or SIGTERM came, and it has ended in order",
  "130, 143": "A second one came, and it has ended at once",
};

/** A subcommand. */
export interface Command {
  /** As in `rsp <name>`. */
  readonly name: string;
  /** Names under which the whole binary is this command: `rspregistrar`, and as a subcommand too. */
  readonly aliases: readonly string[];
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** Paragraphs for the help text, behind the summary. */
  readonly description: readonly string[];
  /** Words for what it takes besides options, such as `[FILE]`; empty = nothing is allowed. */
  readonly operands: string;
  readonly options: OptionTable;
  /** Command lines worth copying, each with what it does. */
  readonly examples: readonly { readonly line: string; readonly text: string }[];
  /** What its exit codes mean, one line each without a full stop; those of {@linkcode USUAL_EXIT_CODES} among them. */
  readonly exitCodes: Readonly<Record<string, string>>;
  /**
   * Runs it.
   *
   * @returns the exit code
   * @throws {OptionError} when options contradict each other
   */
  run(context: Context): Promise<number>;
}

/** How a command is written down: as {@linkcode Command}, with the option values typed by the option table. */
export interface CommandDefinition<Table extends OptionTable> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description?: readonly string[];
  readonly operands?: string;
  readonly options: Table;
  readonly examples?: readonly { readonly line: string; readonly text: string }[];
  /** Only those that mean more than {@linkcode USUAL_EXIT_CODES} says. */
  readonly exitCodes?: Readonly<Record<string, string>>;
  run(context: Context<OptionValues<Table>>): Promise<number>;
}

/**
 * Makes a command. The parser fills `context.options` by the very table given here, so `run` may trust their types.
 *
 * @example
 * ```ts
 * import { flag } from "./options.ts";
 * import assert from "node:assert/strict";
 *
 * const command: Command = defineCommand({
 *   name: "hello",
 *   summary: "Greets",
 *   options: { loud: flag("Greet loudly") },
 *   run({ options, stdout }) {
 *     stdout.write(options.loud ? "HELLO\n" : "hello\n");
 *     return Promise.resolve(0);
 *   },
 * });
 * assert.equal(command.operands, "");
 * ```
 */
export function defineCommand<const Table extends OptionTable>(
  definition: CommandDefinition<Table>,
): Command {
  return {
    aliases: [],
    description: [],
    operands: "",
    examples: [],
    ...definition,
    exitCodes: { ...USUAL_EXIT_CODES, ...definition.exitCodes },
    // The cast says what dispatch guarantees: the values come out of `definition.options`.
    run: (context) => definition.run(context as Context<OptionValues<Table>>),
  };
}
