/** Manual pages, written from the commands' own tables. Texts in, roff (man(7)) out. */
import type { Command } from "./command.ts";
import { optionGroups } from "./help.ts";

/**
 * The manual page of a command.
 *
 * @param command the command
 * @param version of the program
 * @param others names of the other commands, for "see also"
 */
export function manualPage(command: Command, version: string, others: readonly string[]): string {
  const name = `rsp-${command.name}`;
  const operands = command.operands === "" ? [] : [roff(command.operands)];
  const lines = [
    header(name, version),
    ".SH NAME",
    roff(`${[name, ...command.aliases].join(", ")} - `).replace(/ \\- $/, " \\-") +
    ` ${roff(command.summary)}`,
    ".SH SYNOPSIS",
    `.B rsp ${roff(command.name)}`,
    [".RI [ options ]", ...operands].join("\n"),
    ".SH DESCRIPTION",
    roff(`${command.summary}.`),
  ];
  for (const paragraph of command.description) lines.push(".PP", roff(paragraph));
  lines.push(
    ".SH OPTIONS",
    roff("An option is written -name=value, --name=value or --name value."),
    ...optionLines(command),
  );
  lines.push(...exampleLines(command), ...statusLines(), ".SH SEE ALSO");
  lines.push(others.map((other) => `.BR ${roff(other)} (1)`).join(",\n"));
  return lines.join("\n") + "\n";
}

/** The manual page of the program as a whole. */
export function programPage(commands: readonly Command[], version: string): string {
  const lines = [
    header("rsp", version),
    ".SH NAME",
    roff("rsp - ").replace(/ \\- $/, " \\-") + " SCTP and Reliable Server Pooling for a laboratory course",
    ".SH SYNOPSIS",
    ".B rsp",
    ".I command",
    ".RI [ options ]",
    ".SH DESCRIPTION",
    roff(
      "One program for all roles of Reliable Server Pooling (RFC 3237, 5351 to 5356) and for SCTP itself (RFC 9260). A link " +
        "to it that is named like a command, or like a program of RSPLIB or lksctp-tools, is that command.",
    ),
    ".SH COMMANDS",
  ];
  for (const { name, summary, aliases } of commands) {
    const also = aliases.length === 0 ? "" : ` Also called ${aliases.join(", ")}.`;
    lines.push(".TP", `.BR rsp\\-${roff(name)} (1)`, roff(`${summary}.${also}`));
  }
  lines.push(
    ".SH ENVIRONMENT",
    ".TP",
    ".B RSP_TRANSPORT",
    roff("What carries SCTP where -transport does not say it: auto, kernel or embedded."),
    ".TP",
    ".B RSP_ENCAPSULATION",
    roff("How the embedded stack sends packets where -encapsulation does not say it: auto, raw or udp."),
    ".TP",
    ".B NO_COLOR",
    "No colours.",
    ...statusLines(),
    ".SH SEE ALSO",
    commands.map(({ name }) => `.BR rsp\\-${roff(name)} (1)`).join(",\n"),
  );
  return lines.join("\n") + "\n";
}

/** A page that is another one under another name. */
export function aliasPage(command: Command): string {
  return `.so man1/rsp-${command.name}.1\n`;
}

function header(name: string, version: string): string {
  return `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`rsp ${version}`)} "User Commands"`;
}

function optionLines(command: Command): string[] {
  const lines: string[] = [];
  for (const [group, rows] of optionGroups(command.options)) {
    lines.push(`.SS ${quoted(group)}`);
    for (const { spelling, summary, defaultText } of rows) {
      const [name = "", value] = splitOnce(spelling);
      lines.push(
        ".TP",
        value === undefined ? `.B ${roff(name)}` : `.BI ${roff(`${name}=`)} ${quoted(value)}`,
      );
      lines.push(roff(defaultText === "" ? `${summary}.` : `${summary}. Default: ${defaultText}.`));
    }
  }
  lines.push('.SS "Others"', ".TP", `.B ${roff("-help")}`, "A shorter text than this one.");
  lines.push(".TP", `.B ${roff("-version")}`, "Name and version of the program.");
  return lines;
}

function exampleLines({ examples }: Command): string[] {
  if (examples.length === 0) return [];
  return [".SH EXAMPLES", ...examples.flatMap(({ line, text }) => [".TP", `.B ${roff(line)}`, roff(text)])];
}

function statusLines(): string[] {
  return [
    ".SH EXIT STATUS",
    ".TP",
    ".B 0",
    "Done.",
    ".TP",
    ".B 1",
    "It failed, and a sentence said why.",
    ".TP",
    ".B 2",
    "The command line is wrong.",
  ];
}

function splitOnce(spelling: string): [string, string | undefined] {
  const at = spelling.indexOf("=");
  return at < 0 ? [spelling, undefined] : [spelling.slice(0, at), spelling.slice(at + 1)];
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
