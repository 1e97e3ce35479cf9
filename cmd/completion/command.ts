/** `rsp completion`: completion for shells. */
import { type Command, type Context, defineCommand } from "../command.ts";
import { commandEntries } from "../commands.ts";
import { OptionError } from "../options.ts";
import { bashCompletion } from "./bash.ts";

/** `rsp completion` */
export const command: Command = defineCommand({
  name: "completion",
  summary: "Makes the shell complete commands and options",
  description: [
    "Writes a script for the shell. It knows all commands, their options, and the words that options take. There is one for bash.",
  ],
  operands: "bash",
  options: {},
  examples: [
    { line: "source <(rsp completion bash)", text: "for this shell" },
    { line: "rsp completion bash > /etc/bash_completion.d/rsp", text: "for all shells to come" },
  ],
  run,
});

async function run({ positionals, stdout }: Context): Promise<number> {
  if (positionals.length !== 1 || positionals[0] !== "bash") {
    throw new OptionError("wants the name of a shell: bash");
  }
  const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
  stdout.write(bashCompletion(commands));
  return 0;
}
