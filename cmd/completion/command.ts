/** `rsp completion`: completion for shells. */
import { type Command, type Context, defineCommand } from "../command.ts";
import { OptionError } from "../options.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { completionModel } from "./model.ts";
import type { CompletionModel } from "./model.ts";
import { zshCompletion } from "./zsh.ts";

/** Who writes the script of each shell. */
const SHELLS: Readonly<Record<string, (model: CompletionModel) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `rsp completion` */
export const command: Command = defineCommand({
  name: "completion",
  summary: "Makes the shell complete commands and options",
  description: [
    "Writes a script for a shell to standard output. It knows all commands under all their names, their options and the " +
    "values that these take: words, files, folders, hosts.",
    "The script belongs to this version of the program, and needs it no more once it is written.",
  ],
  operands: "bash|zsh|fish",
  options: {},
  examples: [
    { line: "source <(rsp completion bash)", text: "For this bash; for this zsh likewise" },
    { line: "rsp completion bash > /etc/bash_completion.d/rsp", text: "For every bash to come" },
    {
      line: "rsp completion zsh > /usr/local/share/zsh/site-functions/_rsp",
      text: "For every zsh to come",
    },
    { line: "rsp completion fish | source", text: "For this fish" },
    { line: "rsp completion fish > /etc/fish/conf.d/rsp.fish", text: "For every fish to come" },
  ],
  run,
});

async function run({ positionals, stdout }: Context): Promise<number> {
  const [shell = "", ...more] = positionals;
  const write = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (write === undefined || more.length > 0) {
    throw new OptionError("wants the name of one shell: bash, zsh or fish");
  }
  stdout.write(write(await completionModel()));
  return 0;
}
