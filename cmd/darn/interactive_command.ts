/** What a command of the prompt is, and how one is carried out. */
import { nearest } from "../nearest.ts";
import { CommandError } from "./command_error.ts";
import { readCommandLine } from "./command_line.ts";
import type { CommandLine } from "./command_line.ts";
import type { Session } from "./session.ts";

/** What a command works with. */
export interface CommandScope {
  readonly session: Session;
  /** Aborted when the command is to stop. */
  readonly signal: AbortSignal;
  /** Whether it was typed at a prompt. A script has nobody to try again: its commands wait for what they need. */
  readonly isTyped: boolean;
  /** Runs the lines of a file. */
  readonly source: (path: string) => Promise<void>;
}

/** Headlines of the help text. */
export type CommandGroup =
  | "Associations"
  | "Messages"
  | "Paths and addresses"
  | "Options"
  | "Streams and keys"
  | "Display"
  | "Scripts";

/** A command of the prompt. */
export interface InteractiveCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Everything behind the name: `=<octets> [sid=<n>]`. */
  readonly usage: string;
  /** In one line without a full stop. */
  readonly summary: string;
  readonly group: CommandGroup;
  /** Takes what stands behind its name as it is typed, quotes and all: `line.rest`. */
  readonly takesRest?: boolean;
  /** More for `help NAME`. */
  readonly details?: readonly string[];
  /** Words that may stand behind the name, for completion. */
  readonly words?: (session: Session) => readonly string[];
  /** @throws {CommandError} */
  run(scope: CommandScope, line: CommandLine): void | Promise<void>;
}

/** A list of commands as the prompt uses it. */
export class CommandTable {
  readonly all: readonly InteractiveCommand[];
  readonly #byName = new Map<string, InteractiveCommand>();

  constructor(commands: readonly InteractiveCommand[]) {
    this.all = commands;
    for (const command of commands) {
      for (const name of [command.name, ...(command.aliases ?? [])]) this.#byName.set(plain(name), command);
    }
  }

  /** Every spelling, for completion. */
  get names(): readonly string[] {
    return this.all.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  }

  /** By name or alias; hyphens and underscores are the same. @throws {CommandError} when there is none */
  find(name: string): InteractiveCommand {
    const command = this.#byName.get(plain(name));
    if (command !== undefined) return command;
    const near = nearest(name, this.names);
    const hint = near === undefined ? "? lists the commands" : `did you mean ${near}?`;
    throw new CommandError(`Invalid input. There is no command ${JSON.stringify(name)}; ${hint}`);
  }

  /** Reads a line. @returns undefined for one that says nothing @throws {CommandError} */
  read(text: string): CommandLine | undefined {
    return readCommandLine(text, (name) => this.#byName.get(plain(name))?.takesRest ?? false);
  }

  /** Carries a line out. @throws {CommandError} */
  async run(scope: CommandScope, text: string): Promise<void> {
    const line = this.read(text);
    if (line !== undefined) await this.find(line.name).run(scope, line);
  }
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
