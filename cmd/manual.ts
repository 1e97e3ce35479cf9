/** Manual pages, written from the commands' own tables. Texts in, roff (man(7)) out. */
import { USUAL_EXIT_CODES } from "./command.ts";
import type { Command } from "./command.ts";
import { optionGroups } from "./help.ts";
import type { OptionRow } from "./help.ts";

/** The first line of every page, by which `rsp man` knows its own. */
export const PAGE_MARK = '.\\" Written by rsp man from the tables of the program.';

/**
 * The manual page of a command.
 *
 * @param command the command
 * @param version of the program
 * @param others names of the other commands, for "see also"
 * @param names other names of this one
 */
export function manualPage(
  command: Command,
  version: string,
  others: readonly string[],
  names: readonly string[] = command.aliases,
): string {
  const name = `rsp-${command.name}`;
  const operands = command.operands === "" ? "" : ` ${roff(command.operands)}`;
  const lines = [
    header(name, version),
    ".SH NAME",
    `${[name, ...names].map(roff).join(", ")} \\- ${roff(command.summary)}`,
    ".SH SYNOPSIS",
    `.B rsp ${roff(command.name)}`,
    `.RI [ options ]${operands}`,
    ".SH DESCRIPTION",
    roff(`${command.summary}.`),
  ];
  for (const paragraph of command.description) lines.push(".PP", roff(paragraph));
  lines.push(
    ".SH OPTIONS",
    roff(
      "An option is written -name=value, --name=value or --name value; a value that may be left out stands behind = only.",
    ),
    ...optionLines(command),
  );
  lines.push(
    ...environmentLines(optionVariables([command])),
    ...exampleLines(command),
    ...statusLines(command.exitCodes),
    ".SH SEE ALSO",
    others.map((other) => `.BR \\%${roff(other)} (1)`).join(",\n"),
  );
  return lines.join("\n") + "\n";
}

/** The manual page of the program as a whole. */
export function programPage(commands: readonly Command[], version: string): string {
  const lines = [
    header("rsp", version),
    ".SH NAME",
    "rsp \\- SCTP and Reliable Server Pooling for a laboratory course",
    ".SH SYNOPSIS",
    ".B rsp",
    ".I command",
    ".RI [ options ]",
    ".SH DESCRIPTION",
    roff(
      "One program for all roles of Reliable Server Pooling (RFC 3237, 5351 to 5356) and for SCTP itself (RFC 9260). A link " +
        "to it that is named like a command, or like a program of RSPLIB or lksctp-tools, is that command; rsp link makes " +
        "such links.",
    ),
    ".SH COMMANDS",
  ];
  for (const { name, summary, aliases } of commands) {
    const also = aliases.length === 0 ? "" : ` Also called ${aliases.join(", ")}.`;
    lines.push(".TP", `.BR rsp\\-${roff(name)} (1)`, roff(`${summary}.${also}`));
  }
  lines.push(
    ...environmentLines(new Map([...optionVariables(commands), ...PROGRAM_VARIABLES])),
    ...statusLines({ ...USUAL_EXIT_CODES, ...PROGRAM_EXIT_CODES }),
    ".SH SEE ALSO",
    commands.map(({ name }) => `.BR \\%rsp\\-${roff(name)} (1)`).join(",\n"),
  );
  return lines.join("\n") + "\n";
}

/** Variables of the environment that stand in for no option. */
const PROGRAM_VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["NO_COLOR", "No colours, whatever it says."],
  ["RSP_DEBUG", "Unless it is empty, faults that no command foresaw are told with a stack trace."],
];

const PROGRAM_EXIT_CODES: Readonly<Record<string, string>> = {
  "130, 143": "A second Ctrl+C or SIGTERM came, and ended it at once",
  others: "Those of a command; its page says which",
};

/** Variables that stand in for options, each with what it says. */
function optionVariables(commands: readonly Command[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const { options } of commands) {
    for (const [name, { variable, summary }] of Object.entries(options)) {
      if (variable !== undefined && !variables.has(variable)) {
        variables.set(variable, `Stands in for -${name}: ${summary}.`);
      }
    }
  }
  return variables;
}

function header(name: string, version: string): string {
  return `${PAGE_MARK}\n.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`rsp ${version}`)} "User Commands"`;
}

function optionLines(command: Command): string[] {
  const lines: string[] = [];
  for (const [group, rows] of optionGroups(command.options)) {
    lines.push(`.SS ${quoted(group)}`);
    for (const row of rows) {
      const { summary, defaultText } = row;
      lines.push(".TP", optionHead(row));
      lines.push(roff(defaultText === "" ? `${summary}.` : `${summary}. Default: ${defaultText}.`));
    }
  }
  lines.push('.SS "Others"', ".TP", `.B ${roff("-help")}`, "A shorter text than this one.");
  lines.push(".TP", `.B ${roff("-version")}`, "Which build of the program this is.");
  return lines;
}

/** The option in bold, its value's name in italics, other spellings behind commas. */
function optionHead({ name, joint, valueName, end, letters }: OptionRow): string {
  const others = letters.map((letter) => `, \\fB${roff(letter)}\\fP`).join("");
  const value = valueName === "" ? "" : `\\fI${roff(valueName)}\\fP`;
  return `\\fB${roff(name + joint)}\\fP${value}${end === "" ? "" : `\\fB${roff(end)}\\fP`}${others}`;
}

function environmentLines(variables: ReadonlyMap<string, string>): string[] {
  if (variables.size === 0) return [];
  return [
    ".SH ENVIRONMENT",
    ...[...variables].flatMap(([name, meaning]) => [".TP", `.B ${roff(name)}`, roff(meaning)]),
  ];
}

function exampleLines({ examples }: Command): string[] {
  if (examples.length === 0) return [];
  return [".SH EXAMPLES", ...examples.flatMap(({ line, text }) => [".TP", `.B ${roff(line)}`, roff(text)])];
}

function statusLines(exitCodes: Readonly<Record<string, string>>): string[] {
  const codes = Object.entries(exitCodes);
  return [
    ".SH EXIT STATUS",
    ...codes.flatMap(([code, meaning]) => [".TP", `.B ${roff(code)}`, roff(`${meaning}.`)]),
  ];
}

/** Characters that roff would take for commands, or for typography where an ASCII character is meant to be copied. */
const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  "…": "...",
};

/** A text as roff: a line of it begins with no dot or quote. */
function roff(text: string): string {
  const escaped = text.replaceAll(/[\\\-'`^~…]/g, (character) => SPECIAL[character] ?? character)
    .replaceAll(
      /[\u{80}-\u{10ffff}]/gu,
      (character) => `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
  return escaped.startsWith(".") ? `\\&${escaped}` : escaped;
}

/** A text as one argument of a macro. */
function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', "\\(dq")}"`;
}
