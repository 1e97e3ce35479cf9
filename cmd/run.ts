/** From a command line to an exit code. */
import type { Command, Context, Input, Output } from "./command.ts";
import { commandEntries, findCommand, findVariant } from "./commands.ts";
import { backgroundSide, runInBackground } from "./driver/daemon.ts";
import { commandHelp, programHelp } from "./help.ts";
import { nearest, OptionError, parseOptions } from "./options.ts";
import { VERSION } from "./version.ts";
import type { OptionTable } from "./options.ts";

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
  if (word === "help" && rest[0] !== undefined) {
    return await runProgram({ ...world, arguments: [rest[0], "-help"] });
  }
  if (word === undefined || word === "help" || HELP_WORDS.includes(word)) {
    const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
    const output = word === undefined ? world.stderr : world.stdout;
    output.write(programHelp(commands, output.size().columns));
    return word === undefined ? ExitCode.usage : ExitCode.done;
  }
  if (word === "version" || VERSION_WORDS.includes(word)) {
    world.stdout.write(versionLine());
    return ExitCode.done;
  }
  const variant = findVariant(word, rest);
  if (variant !== undefined) return await runProgram({ ...world, arguments: variant });
  const entry = findCommand(word);
  if (entry === undefined) {
    const near = nearest(word, commandEntries.flatMap(({ name, aliases }) => [name, ...aliases]));
    const hint = near === undefined ? "`rsp help` lists them" : `did you mean ${near}?`;
    world.stderr.write(`rsp: there is no command ${JSON.stringify(word)}; ${hint}\n`);
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
    stdout.write(versionLine());
    return ExitCode.done;
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
      : await command.run(context);
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

function versionLine(): string {
  const { deno, v8 } = Deno.version;
  return `rsp ${VERSION} (Deno ${deno}, V8 ${v8}, ${Deno.build.target})\n`;
}

/** Whether help is asked for, before `--`; `-h` alone asks for it unless the command has such an option. */
function asksForHelp(line: readonly string[], options: OptionTable): boolean {
  const end = line.indexOf("--");
  const own = end < 0 ? line : line.slice(0, end);
  return HELP_WORDS.some((word) => word !== "-h" && own.includes(word)) ||
    (own.length === 1 && own[0] === "-h" &&
      !Object.values(options).some(({ aliases }) => aliases.includes("h")));
}
