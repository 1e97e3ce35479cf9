import type { Command } from "./command.ts";
import { COMMAND_GROUPS } from "./commands.ts";
import type { CommandEntry } from "./commands.ts";
import type { Option, OptionTable } from "./options.ts";

/** Default headline of options that name none. */
const OWN_GROUP = "Options";

/** An option as a table row in help texts and in the README. */
export interface OptionRow {
  /** `-name=value` */
  readonly spelling: string;
  /** Its parts: name with the dash, and what stands behind it up to the value's name: `=`, `[=`, or nothing for a flag. */
  readonly name: string;
  readonly joint: string;
  readonly valueName: string;
  /** What follows the value's name: `]` where it may be left out. */
  readonly end: string;
  /** Spellings of one letter, with their dashes. */
  readonly letters: readonly string[];
  readonly summary: string;
  /** In words; empty when there is nothing to say. */
  readonly defaultText: string;
}

/** The options of a command, by their headlines, in the order of the table. */
export function optionGroups(table: OptionTable): Map<string, OptionRow[]> {
  const groups = new Map<string, OptionRow[]>();
  for (const [name, entry] of Object.entries(table)) {
    const group = entry.group ?? OWN_GROUP;
    const rows = groups.get(group);
    if (rows === undefined) groups.set(group, [optionRow(name, entry)]);
    else rows.push(optionRow(name, entry));
  }
  return groups;
}

function optionRow(word: string, entry: Option<unknown>): OptionRow {
  const { valueName = "", bareValue, aliases, defaultText } = entry;
  const name = `-${word}`;
  const [joint, end] = entry.valueName === undefined
    ? ["", ""]
    : bareValue === undefined
    ? ["=", ""]
    : ["[=", "]"];
  const letters = aliases.filter((alias) => alias.length === 1).map((letter) => `-${letter}`);
  const spelling = [`${name}${joint}${valueName}${end}`, ...letters].join(", ");
  const variable = entry.variable === undefined ? "" : ` (environment: ${entry.variable})`;
  return { spelling, name, joint, valueName, end, letters, summary: entry.summary + variable, defaultText };
}

/**
 * Help text of one command.
 *
 * @param program how the user calls it, such as `rsp registrar`
 * @param columns width to wrap at
 */
export function commandHelp(command: Command, program: string, columns: number): string {
  const width = Math.max(40, Math.min(columns, 110));
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  const lines = [`${program}: ${command.summary}.`, "", `Usage: ${program} [options]${operands}`];
  for (const paragraph of command.description) lines.push("", ...wrap(paragraph, width));
  for (const [group, rows] of optionGroups(command.options)) {
    lines.push("", `${group}:`);
    for (const { spelling, summary, defaultText } of rows) {
      const text = defaultText === "" ? summary : `${summary} [${defaultText}]`;
      lines.push(...hanging(`  ${spelling}`, text, 32, width));
    }
  }
  lines.push("", "Others:", ...hanging("  -help", "This text", 32, width));
  lines.push(...hanging("  -version", "Which build of the program this is", 32, width));
  if (command.examples.length > 0) {
    lines.push("", "Examples:");
    for (const { line, text } of command.examples) lines.push(...hanging(`  ${line}`, text, 48, width));
  }
  lines.push("", "Exit codes:");
  for (const [code, meaning] of Object.entries(command.exitCodes)) {
    lines.push(...hanging(`  ${code}`, meaning, 12, width));
  }
  if (command.aliases.length > 0) {
    lines.push("", ...wrap(`Also called ${command.aliases.join(", ")}.`, width));
  }
  return lines.join("\n") + "\n";
}

/** Help text of the whole program. */
export function programHelp(entries: readonly CommandEntry[], columns: number): string {
  const width = Math.max(40, Math.min(columns, 110));
  const lines = [
    "rsp: SCTP and Reliable Server Pooling (RSerPool) for a laboratory course.",
    "",
    "Usage: rsp <command> [options]",
  ];
  for (const [group, headline] of Object.entries(COMMAND_GROUPS)) {
    lines.push("", `${headline}:`);
    for (const { name, summary } of entries.filter((entry) => entry.group === group)) {
      lines.push(...hanging(`  ${name}`, summary, 20, width));
    }
  }
  lines.push(
    "",
    ...wrap(
      "Options are written -name=value, --name=value or --name value; a value that may be left out stands behind = only. " +
        "`rsp help <command>` or `rsp <command> -help` tells all about a command. A link to rsp that is named like a command, or like the RSPLIB program of its " +
        "role, is that command; `rsp link` makes such links.",
      width,
    ),
  );
  return lines.join("\n") + "\n";
}

/** Breaks a text into lines of at most `width` columns, at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

/** A term and its explanation in a column of its own; a long term gets a line of its own. */
function hanging(term: string, text: string, indent: number, width: number): string[] {
  const pad = " ".repeat(indent);
  const body = wrap(text, Math.max(20, width - indent));
  if (term.length >= indent - 1) return [term, ...body.map((line) => pad + line)];
  return body.map((line, index) => (index === 0 ? term.padEnd(indent) : pad) + line);
}
