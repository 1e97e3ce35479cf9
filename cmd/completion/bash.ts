/** Completion for bash, written from the option tables. */
import type { Command } from "../command.ts";
import type { Option } from "../options.ts";

/**
 * A script that makes bash complete commands, options and the words that an option knows; `source` it.
 *
 * @param commands all commands of the program
 */
export function bashCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const cases = commands.map((command) => {
    const pattern = [command.name, ...command.aliases].join("|");
    return `    ${pattern}) echo ${quote(optionWords(command).join(" "))};;`;
  });
  const values = commands.flatMap((command) => valueCases(command));
  const programs = ["rsp", ...commands.flatMap(({ aliases }) => aliases)];
  return [
    "# Completion of rsp for bash, written by `rsp completion bash`: source it, or put it into",
    "# /etc/bash_completion.d/rsp.",
    "_rsp_options() {",
    '  case "$1" in',
    ...cases,
    "  esac",
    "}",
    "_rsp_values() {",
    '  case "$1 $2" in',
    ...values,
    "  esac",
    "}",
    ...DRIVER.map((line) => line.replace("@COMMANDS@", [...names, "help"].join(" "))),
    `complete -o nospace -F _rsp ${programs.join(" ")}`,
    "",
  ].join("\n");
}

/**
 * The part that is the same for all options. Bash takes a word apart at `=`, unless it is told not to: so the word is
 * read from the line itself, and what is completed is only what stands behind the `=`.
 */
const DRIVER: readonly string[] = [
  '_rsp_offer() { mapfile -t COMPREPLY < <(compgen "$@"); }',
  "_rsp() {",
  '  local line="${COMP_LINE:0:COMP_POINT}" command="${COMP_WORDS[0]##*/}" word option value words only',
  '  word="${line##*[[:space:]]}"',
  '  if [ "$command" = rsp ] && [ "$COMP_CWORD" -gt 1 ]; then command="${COMP_WORDS[1]}"; fi',
  '  case "$command $word" in',
  '    "rsp "*|"help "*) _rsp_offer -W "@COMMANDS@" -- "$word";;',
  '    *" -"*=*)',
  '      option="${word%%=*}" value="${word#*=}"',
  '      words="$(_rsp_values "$command" "-${option##*-}")"',
  '      if [ "$words" = FILE ]; then _rsp_offer -f -- "$value"; else _rsp_offer -W "$words" -- "$value"; fi',
  '      case "$COMP_WORDBREAKS" in',
  "        *=*) ;;",
  '        *) COMPREPLY=("${COMPREPLY[@]/#/$option=}");;',
  "      esac;;",
  '    *" -"*) _rsp_offer -W "$(_rsp_options "$command")" -- "$word";;',
  '    *) _rsp_offer -f -- "$word";;',
  "  esac",
  '  if [ "${#COMPREPLY[@]}" = 1 ]; then',
  '    only="${COMPREPLY[0]}"',
  '    case "$only" in *=) ;; *) if [ -d "${only#*=}" ]; then COMPREPLY=("$only/"); else COMPREPLY=("$only "); fi;; esac',
  "  fi",
  "}",
];

/** `-name=` of an option with a value, `-name` of a flag. */
function optionWords(command: Command): string[] {
  const own = Object.entries(command.options).map(([name, { valueName }]) =>
    valueName === undefined ? `-${name}` : `-${name}=`
  );
  return [...new Set([...own, "-help", "-version"])];
}

/** Lines for the options whose values are words or files. */
function valueCases(command: Command): string[] {
  const names = [command.name, ...command.aliases];
  return Object.entries(command.options).flatMap(([name, option]) => {
    const words = valueWords(option);
    if (words === undefined) return [];
    // Options may be written with hyphens between their words; what is behind the last one names it here.
    const last = name.slice(name.lastIndexOf("-") + 1);
    return [`    ${names.map((one) => quote(`${one} -${last}`)).join("|")}) echo ${quote(words)};;`];
  });
}

/** The words of an option's value, FILE, or undefined when it is something that nobody can guess. */
function valueWords({ valueName }: Option<unknown>): string | undefined {
  if (valueName === undefined) return undefined;
  if (/file|folder|directory/i.test(valueName)) return "FILE";
  const words = valueName.split("|").filter((word) => /^[a-z][a-z0-9-]*$/.test(word));
  return valueName.includes("|") && words.length > 0 ? words.join(" ") : undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
