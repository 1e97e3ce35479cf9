/** Names under which the program may be linked. */
import { commandEntries, findCommand } from "../commands.ts";
import { nearest } from "../nearest.ts";
import { OptionError } from "../options.ts";

/** The program's own name, and those of the course sheet, RSPLIB and lksctp-tools. */
export const USUAL_NAMES: readonly string[] = [
  "rsp",
  ...commandEntries.flatMap(({ programs }) => programs),
];

/**
 * The names that are wanted: the usual ones where none is given.
 *
 * @throws {OptionError} when there is no command of a name
 */
export function wantedNames(given: readonly string[]): readonly string[] {
  if (given.length === 0) return USUAL_NAMES;
  for (const name of given) {
    if (name === "rsp" || findCommand(name) !== undefined) continue;
    const all = commandEntries.flatMap(({ name, aliases }) => [name, ...aliases]);
    const near = nearest(name, all) ?? "registrar";
    throw new OptionError(`makes links named like commands, such as ${near}, not ${JSON.stringify(name)}`);
  }
  return [...new Set(given)];
}
