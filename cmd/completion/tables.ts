/** The parts of the model that all shells look up by name, made small: most options are the same in many commands. */
import { tokenList } from "./model.ts";
import type { CompletedOption, CompletionModel } from "./model.ts";

/** Names that lead to the same text. */
export interface LookupRow {
  /** `option`, or `command option` where commands differ. */
  readonly keys: readonly string[];
  readonly text: string;
}

/**
 * What may follow an option, by its spelling without hyphens. A lookup tries `command option` first, then `option`; the
 * text of a value that is written behind `=` only begins with `=`.
 */
export function valueRows({ commands }: CompletionModel): LookupRow[] {
  const byCommand: (readonly [command: readonly string[], spelling: string, text: string])[] = [];
  for (const { names, options } of commands) {
    for (const option of options) {
      for (const spelling of option.spellings) byCommand.push([names, spelling, valueText(option)]);
    }
  }
  const commonest = commonestTexts(byCommand.map(([, spelling, text]) => [spelling, text]));
  const rows = new Map<string, string[]>();
  const add = (key: string, text: string) => {
    const keys = rows.get(text);
    if (keys === undefined) rows.set(text, [key]);
    else keys.push(key);
  };
  for (const [spelling, text] of commonest) if (text !== "") add(spelling, text);
  for (const [names, spelling, text] of byCommand) {
    if (commonest.get(spelling) === text) continue;
    for (const name of names) add(`${name} ${spelling}`, text);
  }
  return [...rows].map(([text, keys]) => ({ keys, text }));
}

/** Empty for a flag. */
function valueText({ value, takesNext }: CompletedOption): string {
  if (value === undefined) return "";
  const list = tokenList(value);
  return takesNext ? list : `= ${list}`;
}

/** Of each name, the text that it has most often. */
function commonestTexts(pairs: readonly (readonly [name: string, text: string])[]): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const [name, text] of pairs) {
    const texts = counts.get(name) ?? new Map<string, number>();
    texts.set(text, (texts.get(text) ?? 0) + 1);
    counts.set(name, texts);
  }
  return new Map(
    [...counts].map(([name, texts]) => [name, [...texts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ""]),
  );
}
