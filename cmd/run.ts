/** From a command line to an exit code. */
import type { Command, Context, Input, Output } from "./command.ts";
import { commandEntries, findCommand, findVariant } from "./commands.ts";
import { commandHelp, programHelp } from "./help.ts";
import { OptionError } from "./options.ts";
import { parseOptions } from "./parse_options.ts";
import type { OptionTable } from "./options.ts";
import { unknownCommand } from "./unknown_command.ts";

/** What {@linkcode runProgram} needs of the process. */
export interface ProcessContext {
  /** The name the program was called by, without its folder. */
  readonly calledAs: string;
  readonly arguments: readonly string[];
  readonly stdin?: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly variable: (name: string) => string | undefined;
  readonly signal: AbortSignal;
}

/** Exit codes of the program. */
export const ExitCode = { done: 0, failed: 1, usage: 2 } as const;

const HELP_WORDS: readonly string[] = ["-h", "-help", "--help", "-?"];
const VERSION_WORDS: readonly string[] = ["-version", "--version"];

/** Runs the command that the name of the program or its first argument says. */
export async function runProgram(world: ProcessContext): Promise<number> {
  const own = findCommand(world.calledAs);
  if (own !== undefined) {
    return await runCommand(own.name, world.calledAs, world.calledAs, world.arguments, world);
  }

  const [word, ...rest] = world.arguments;
  if (word === undefined) {
    world.stderr.write(programHelp(commandEntries, world.stderr.size().columns));
    return ExitCode.usage;
  }
  if (HELP_WORDS.includes(word)) return await runProgram({ ...world, arguments: ["help", ...rest] });
  if (VERSION_WORDS.includes(word)) return await runProgram({ ...world, arguments: ["version", ...rest] });
  const variant = findVariant(word, rest);
  if (variant !== undefined) return await runProgram({ ...world, arguments: variant });
  const entry = findCommand(word);
  if (entry === undefined) {
    world.stderr.write(unknownCommand("rsp", word));
    return ExitCode.usage;
  }
  return await runCommand(entry.name, word, `rsp ${word}`, rest, world);
}

async function runCommand(
  name: string,
  calledAs: string,
  program: string,
  line: readonly string[],
  world: ProcessContext,
): Promise<number> {
  const command = await findCommand(name)!.load();
  const { stdin, stdout, stderr, variable, signal } = world;
  if (asksForHelp(line, command.options) && !("help" in command.options)) {
    stdout.write(commandHelp(command, program, stdout.size().columns));
    return ExitCode.done;
  }
  if (line.length === 1 && VERSION_WORDS.includes(line[0]!) && !("version" in command.options)) {
    return await runCommand("version", calledAs, program, [], world);
  }
  try {
    const { values, positionals, given } = parseOptions(command.options, line, variable);
    if (positionals.length > 0 && command.operands === "") {
      throw new OptionError(`does not know what to do with ${JSON.stringify(positionals[0])}`);
    }
    const context: Context = {
      program,
      calledAs,
      options: values,
      given,
      positionals,
      stdin,
      stdout,
      stderr,
      variable,
      signal,
    };
    const { daemonpidfile } = values;
    return typeof daemonpidfile === "string"
      ? await runDaemon(command, context, daemonpidfile, line)
      : await runManaged(command, context);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    stderr.write(`${program}: ${error.message} (${program} -help tells more)\n`);
    return ExitCode.usage;
  }
}

/** Runs a command in the background: here that is the side that starts it, there the side that serves. */
async function runDaemon(
  command: Command,
  context: Context,
  pidFile: string,
  line: readonly string[],
): Promise<number> {
  const { stdout, stderr, signal, variable } = context;
  // Loaded for those who want it: node:fs would cost every start more than all that the program itself does by then.
  const { backgroundSide, runInBackground } = await import("./driver/daemon.ts");
  const side = backgroundSide(pidFile, stdout, variable);
  if (side === undefined) {
    return await runInBackground({ pidFile, line: [command.name, ...line], stdout, stderr, signal });
  }
  try {
    return await command.run({ ...context, ready: side.ready });
  } finally {
    side.ended();
  }
}

/** Runs a command in the foreground, and tells a service manager how it goes, where one has started it. */
async function runManaged(command: Command, context: Context): Promise<number> {
  const path = context.variable("NOTIFY_SOCKET") ?? "";
  if (path === "") return await command.run(context);
  const { serviceManager } = await import("./driver/service_manager.ts");
  const manager = serviceManager(
    path,
    (sentence) => context.stderr.write(`${context.program}: ${sentence}\n`),
  );
  context.signal.addEventListener("abort", manager.stopping);
  try {
    return await command.run({ ...context, ready: manager.ready });
  } finally {
    context.signal.removeEventListener("abort", manager.stopping);
  }
}

/** Whether help is asked for, before `--`; `-h` alone asks for it unless the command has such an option. */
function asksForHelp(line: readonly string[], options: OptionTable): boolean {
  const end = line.indexOf("--");
  const own = end < 0 ? line : line.slice(0, end);
  return HELP_WORDS.some((word) => word !== "-h" && own.includes(word)) ||
    (own.length === 1 && own[0] === "-h" &&
      !Object.values(options).some(({ aliases }) => aliases.includes("h")));
}
