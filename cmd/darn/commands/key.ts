/** Shared keys of authentication (RFC 4895). */
import { CommandError } from "../command_error.ts";
import { expectNothingElse, readNumber } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import type { CommandScope, InteractiveCommand } from "../interactive_command.ts";
import type { SocketOptionName, SocketOptionValue } from "../../../protocol/net.ts";
import { associationOf } from "./association.ts";

function keyNumber(line: CommandLine): number {
  const [word] = line.words;
  if (word === undefined) throw new CommandError(`${line.name} wants the number of a key`);
  return readNumber(word, "the number of a key", 0, 65535);
}

async function setForAssociation(
  scope: CommandScope,
  line: CommandLine,
  name: SocketOptionName,
  value: SocketOptionValue,
): Promise<void> {
  const { endpoint, id } = await associationOf(scope, line);
  endpoint.setOption(name, value, { association: id });
}

const addKey: InteractiveCommand = {
  name: "auth-key",
  usage: "=<n> <text or 0x...> [assoc=<n>]",
  summary: "Give the association a shared key (RFC 4895); the peer needs the same one",
  group: "Streams and keys",
  async run(scope, line) {
    expectNothingElse(line, 2, ["assoc"]);
    const keynumber = keyNumber(line), key = line.words[1];
    if (key === undefined) {
      throw new CommandError("auth-key wants a key behind its number: auth-key=1 0x00ff");
    }
    await setForAssociation(scope, line, "auth_key", { keynumber, key });
  },
};

/** A command that does no more than set an option of keys to a key's number. */
function keyCommand(name: string, option: SocketOptionName, summary: string): InteractiveCommand {
  return {
    name,
    usage: "=<n> [assoc=<n>]",
    summary,
    group: "Streams and keys",
    async run(scope, line) {
      expectNothingElse(line, 1, ["assoc"]);
      await setForAssociation(scope, line, option, { keynumber: keyNumber(line) });
    },
  };
}

/** Commands about shared keys. */
export const keyCommands: readonly InteractiveCommand[] = [
  addKey,
  keyCommand(
    "auth-use",
    "auth_active_key",
    "Authenticate with this shared key from now on; 0 is the empty one",
  ),
  keyCommand(
    "auth-drop",
    "auth_deactivate_key",
    "Stop using a shared key; the notification FREE_KEY says when it may be deleted",
  ),
  keyCommand("auth-delete", "auth_delete_key", "Delete a shared key that is not in use"),
];
