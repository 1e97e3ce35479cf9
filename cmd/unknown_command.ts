import { commandEntries } from "./commands.ts";
import { nearest } from "./nearest.ts";

/** A line for somebody who asked for a command that there is not. */
export function unknownCommand(program: string, word: string): string {
  const near = nearest(word, commandEntries.flatMap(({ name, aliases }) => [name, ...aliases]));
  const hint = near === undefined ? "`rsp help` lists them" : `did you mean ${near}?`;
  return `${program}: there is no command ${JSON.stringify(word)}; ${hint}\n`;
}
