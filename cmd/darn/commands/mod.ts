/** All commands of the prompt. */
import { CommandError } from "../command_error.ts";
import { expectNothingElse } from "../command_line.ts";
import { CommandTable } from "../interactive_command.ts";
import type { CommandGroup, InteractiveCommand } from "../interactive_command.ts";
import { wrap } from "../../help.ts";
import { pause } from "../waiting.ts";
import { associationCommands } from "./association.ts";
import { keyCommands } from "./key.ts";
import { messageCommands, readSeconds } from "./message.ts";
import { optionCommands } from "./option.ts";
import { pathCommands } from "./path.ts";
import { scriptCommands } from "./script.ts";
import { streamCommands } from "./stream.ts";

/** Width of the help texts, and of their first column. */
const HELP_WIDTH = 100, TERM_WIDTH = 30;

const GROUPS: readonly CommandGroup[] = [
  "Messages",
  "Associations",
  "Paths and addresses",
  "Options",
  "Streams and keys",
  "Display",
  "Scripts",
];

const help: InteractiveCommand = {
  name: "help",
  aliases: ["?"],
  usage: " [<command>]",
  summary: "Tell about all commands, or all about one",
  group: "Display",
  words: () => commandTable.names,
  run({ session }, line) {
    expectNothingElse(line, 1);
    const [name] = line.words;
    const lines = name === undefined ? allHelp() : helpOf(commandTable.find(name));
    session.display.show({
      lines,
      fields: {
        event: "help",
        commands: (name === undefined ? commandTable.all : [commandTable.find(name)]).map((command) => ({
          name: command.name,
          usage: command.name + command.usage,
          summary: command.summary,
        })),
      },
    });
  },
};

function allHelp(): string[] {
  const lines: string[] = [];
  for (const group of GROUPS) {
    lines.push(`${group}:`);
    for (const command of commandTable.all) {
      if (command.group !== group) continue;
      const term = `  ${command.name}${command.usage}`;
      const text = wrap(command.summary, HELP_WIDTH - TERM_WIDTH);
      if (term.length >= TERM_WIDTH) lines.push(term);
      else lines.push(term.padEnd(TERM_WIDTH) + text.shift());
      lines.push(...text.map((one) => " ".repeat(TERM_WIDTH) + one));
    }
  }
  lines.push(
    "",
    "`help <command>` tells more. name? shows a value, name=value sets it. Ctrl+C ends in order.",
  );
  return lines;
}

function helpOf({ name, aliases = [], usage, summary, details = [] }: InteractiveCommand): string[] {
  const also = aliases.length === 0 ? [] : [`Also called ${aliases.join(", ")}.`];
  return [`${name}${usage}`, `${summary}.`, ...details, ...also].flatMap((text) => wrap(text, HELP_WIDTH));
}

const watch: InteractiveCommand = {
  name: "watch",
  usage: " [<seconds>] [<command>]",
  summary: "Run a command again and again, `paths` if none is named; `stop` ends it",
  group: "Display",
  takesRest: true,
  words: () => ["paths", "stats", "assocs", "status"],
  run(scope, line) {
    const match = /^([\d.]+)?\s*(.*)$/s.exec(line.rest);
    const text = match?.[2] === undefined || match[2] === "" ? "paths" : match[2];
    const everyMs = Math.max(100, match?.[1] === undefined ? 1000 : readSeconds(match[1], "the time"));
    const watched = commandTable.read(text);
    if (watched === undefined) throw new CommandError("watch wants a command");
    const command = commandTable.find(watched.name);
    if (command === watch) throw new CommandError("watch cannot watch itself");
    scope.session.jobs.start(line.text, async (signal) => {
      for (;;) {
        await command.run({ ...scope, signal, isTyped: true }, watched);
        await pause(everyMs, signal);
      }
    });
  },
};

/** All commands. */
export const commandTable: CommandTable = new CommandTable([
  ...messageCommands,
  ...associationCommands,
  ...pathCommands,
  ...optionCommands,
  ...streamCommands,
  ...keyCommands,
  ...scriptCommands,
  help,
  watch,
]);
