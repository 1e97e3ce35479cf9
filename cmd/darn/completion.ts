/** What the Tab key offers. */
import type { CommandTable } from "./interactive_command.ts";
import type { Session } from "./session.ts";

/**
 * Words that could stand at the end of a line.
 *
 * @returns the candidates, and the part of the line that they would replace
 */
export function complete(
  table: CommandTable,
  session: Session,
  line: string,
): [candidates: string[], part: string] {
  const match = /^\s*([^\s=]*)(.*)$/s.exec(line);
  const name = match?.[1] ?? "", rest = match?.[2] ?? "";
  if (rest === "") {
    const names = table.names.filter((one) => one.startsWith(name) && one !== "?");
    return [names.map((one) => `${one} `), name];
  }
  const words = wordsOf(table, session, name);
  const part = rest.startsWith("=") && !/\s/.test(rest) ? rest.slice(1) : /\S*$/.exec(rest)?.[0] ?? "";
  const found = words.filter((word) => word.toLowerCase().startsWith(part.toLowerCase()));
  return [found.map((word) => word.endsWith("=") ? word : `${word} `), part];
}

function wordsOf(table: CommandTable, session: Session, name: string): readonly string[] {
  try {
    return table.find(name).words?.(session) ?? [];
  } catch { // no such command: nothing to offer
    return [];
  }
}
