/** What can be completed: the option tables and the list of commands, in the form that the shells' scripts are written from. */
import type { Command } from "../command.ts";
import { commandEntries } from "../commands.ts";
import type { CommandEntry } from "../commands.ts";
import type { Option } from "../options.ts";

/** What may stand for something: known words, and things that the shell knows. */
export interface Candidates {
  readonly words: readonly string[];
  /** Files include folders; `anything` is what nobody can guess. */
  readonly others: "files" | "folders" | "hosts" | "anything" | "nothing";
}

/** A word with what it means. */
export interface DescribedWord {
  readonly word: string;
  readonly summary: string;
}

/** An option. */
export interface CompletedOption extends DescribedWord {
  /** All its spellings, without hyphens. */
  readonly spellings: readonly string[];
  /** Undefined = a flag. */
  readonly value: Candidates | undefined;
  /** Whether its value may also be the next word of the line. */
  readonly takesNext: boolean;
}

/** A command. */
export interface CompletedCommand extends DescribedWord {
  /** The command's name and its aliases. */
  readonly names: readonly string[];
  readonly options: readonly CompletedOption[];
  readonly operands: Candidates;
}

/** All that a script knows. */
export interface CompletionModel {
  readonly commands: readonly CompletedCommand[];
  /** Names under which the whole program may be called, besides `rsp`. */
  readonly programs: readonly string[];
}

/** The tokens that stand for what the shell knows, in lists of words that the scripts carry. */
export const SHELL_TOKENS: Readonly<Record<Candidates["others"], string>> = {
  files: "FILE",
  folders: "DIR",
  hosts: "HOST",
  anything: "ANY",
  nothing: "",
};

/** Candidates as a list of words, the last of which may be a token. */
export function tokenList({ words, others }: Candidates): string {
  return [...words, SHELL_TOKENS[others]].filter((word) => word !== "").join(" ");
}

/** Makes the model of commands, all of this program's unless others are given. */
export async function completionModel(
  entries: readonly CommandEntry[] = commandEntries,
): Promise<CompletionModel> {
  const names = entries.map(({ name }) => name);
  const commands = await Promise.all(
    entries.map(async ({ load }) => completedCommand(await load(), names)),
  );
  const programs = new Set(entries.flatMap((entry) => [...entry.programs, ...entry.aliases]));
  return { commands, programs: [...programs] };
}

function completedCommand(command: Command, commandNames: readonly string[]): CompletedCommand {
  const { name, aliases, summary, operands } = command;
  const options = Object.entries(command.options).map(([word, option]) => completedOption(word, option));
  for (const [word, text] of OWN_OPTIONS) {
    if (!(word in command.options)) options.push(flagOption(word, text));
  }
  return {
    word: name,
    names: [name, ...aliases],
    summary,
    options,
    operands: operandCandidates(operands, commandNames),
  };
}

/** What every command understands. */
const OWN_OPTIONS: readonly (readonly [string, string])[] = [
  ["help", "Tells all about the command"],
  ["version", "Which build of the program this is"],
];

function flagOption(word: string, summary: string): CompletedOption {
  return { word, summary, spellings: [word], value: undefined, takesNext: false };
}

function completedOption(word: string, option: Option<unknown>): CompletedOption {
  const { summary, aliases, valueName, bareValue } = option;
  return {
    word,
    summary,
    spellings: [...new Set([word, ...aliases].map((spelling) => spelling.replaceAll("-", "")))],
    value: valueName === undefined ? undefined : valueCandidates(option),
    takesNext: valueName !== undefined && bareValue === undefined,
  };
}

function valueCandidates({ valueName = "", words }: Option<unknown>): Candidates {
  const parts = valueName.split("|");
  // As in `auto|kernel|embedded` and `auto|host[:port]`: what is written small and stands alone is a word.
  const known = words ?? (parts.length < 2 ? [] : parts.filter((part) => /^[a-z][a-z0-9-]*$/.test(part)));
  const others = shellsOwn(parts.filter((part) => !known.includes(part)).join("|"));
  return { words: known, others: known.length > 0 && others === "anything" ? "nothing" : others };
}

function operandCandidates(operands: string, commandNames: readonly string[]): Candidates {
  if (operands === "") return { words: [], others: "nothing" };
  const known = shellsOwn(operands);
  if (operands.includes("COMMAND")) {
    return { words: commandNames, others: known === "folders" ? known : "nothing" };
  }
  const words = operands.split(" ", 1)[0]?.split("|") ?? []; // as in `bash|zsh|fish`
  if (words.length > 1) return { words, others: "nothing" };
  return { words: [], others: known === "anything" ? "files" : known };
}

/** What the shell knows, by the name that a value has in help texts. */
function shellsOwn(valueName: string): Candidates["others"] {
  if (/\bdir\b|folder|directory/i.test(valueName)) return "folders";
  if (/file|path|prefix|input/i.test(valueName)) return "files";
  return /^\[?host/i.test(valueName) ? "hosts" : "anything";
}
