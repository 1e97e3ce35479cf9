/** `rsp help`: what there is, and all about one command. */
import { type Command, type Context, defineCommand } from "../command.ts";
import { commandEntries, findCommand } from "../commands.ts";
import { commandHelp, programHelp } from "../help.ts";
import { OptionError } from "../options.ts";
import { unknownCommand } from "../unknown_command.ts";

/** `rsp help` */
export const command: Command = defineCommand({
  name: "help",
  summary: "Lists the commands, or tells all about one",
  description: [
    "The same as `rsp <command> -help`. `rsp man <command>` shows it as a manual page.",
  ],
  operands: "[COMMAND]",
  options: {},
  examples: [
    { line: "rsp help", text: "All commands" },
    { line: "rsp help registrar", text: "The registrar's options" },
    { line: "rsp help sctp_darn", text: "By the name of the original program" },
  ],
  run,
});

async function run({ positionals, stdout, stderr }: Context): Promise<number> {
  const [name, ...more] = positionals;
  const { columns } = stdout.size();
  if (name === undefined) {
    stdout.write(programHelp(commandEntries, columns));
    return 0;
  }
  if (more.length > 0) throw new OptionError("tells about one command at a time");
  const entry = findCommand(name);
  if (entry === undefined) {
    stderr.write(unknownCommand("rsp help", name));
    return 2;
  }
  stdout.write(commandHelp(await entry.load(), `rsp ${name}`, columns));
  return 0;
}
