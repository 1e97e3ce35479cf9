/** Completion for zsh. */
import { shellQuoted } from "../shell_word.ts";
import { tokenList } from "./model.ts";
import type { CompletedCommand, CompletionModel } from "./model.ts";
import { valueRows } from "./tables.ts";

/** A script that makes zsh complete commands, options and their values: `_rsp` in a folder of `fpath`, or to be sourced. */
export function zshCompletion(model: CompletionModel): string {
  const { commands, programs } = model;
  const operands = commands.map(({ names, operands }) => ({ names, text: tokenList(operands) }))
    .filter(({ text }) => text !== "")
    .map(({ names, text }) => `    ${names.join("|")}) REPLY=${shellQuoted(text)};;`);
  const values = valueRows(model).map(({ keys, text }) =>
    `    ${keys.map((key) => shellQuoted(key)).join("|")}) REPLY=${shellQuoted(text)};;`
  );
  const names = ["rsp", ...programs].join(" ");
  return [
    `#compdef ${names}`,
    "# Completion of rsp for zsh, written by `rsp completion zsh`.",
    "_rsp_options() {",
    "  case $1 in",
    ...commands.flatMap(optionLines),
    "    *) return 1;;",
    "  esac",
    "}",
    ...lookup("_rsp_operands", operands),
    ...lookup("_rsp_value", values),
    "_rsp_commands() {",
    "  commands=(",
    ...commands.map(({ word, summary }) => `    ${described(word, summary)}`),
    "  )",
    "}",
    DRIVER,
    // Autoloaded, the file is the function's body; sourced, it tells the completion system itself.
    `if [[ $funcstack[1] == _rsp ]]; then _rsp "$@"; else compdef _rsp ${names}; fi`,
    "",
  ].join("\n");
}

/** Flags and options with values of a command, in two arrays. */
function optionLines({ names, options }: CompletedCommand): string[] {
  const entries = (valued: boolean) =>
    options.filter(({ value }) => (value !== undefined) === valued)
      .map(({ word, summary }) => described(`$dash-${word}`, summary)).join(" ");
  return [`    ${names.join("|")})`, `      flags=(${entries(false)})`, `      valued=(${entries(true)});;`];
}

function lookup(name: string, cases: readonly string[]): string[] {
  return [`${name}() {`, "  case $1 in", ...cases, "    *) return 1;;", "  esac", "}"];
}

/** `word:summary` in quotes within which variables are replaced. */
function described(word: string, summary: string): string {
  return `"${word}:${summary.replaceAll(/[\\"$`]/g, (character) => `\\${character}`)}"`;
}

/** The part that is the same for all options. */
const DRIVER = `\
_rsp_offer() {
  local token
  local -a plain open
  for token in "$@"; do
    case $token in
      =|ANY) ;;
      FILE) _files;;
      DIR) _files -/;;
      HOST) _hosts;;
      *:) open+=("$token");;
      *) plain+=("$token");;
    esac
  done
  (( $#plain )) && compadd -a plain
  (( $#open )) && compadd -S '' -a open
}
_rsp_values() {
  _rsp_value "$1 \${2//-/}" || _rsp_value "\${2//-/}"
}
_rsp() {
  local command=\${words[1]:t} dash='' option REPLY=''
  local -a commands flags valued
  if [[ $command == rsp ]]; then
    if (( CURRENT == 2 )); then
      _rsp_commands
      _describe -t commands command commands
      return
    fi
    command=$words[2]
  fi
  case $PREFIX in
    -*=*)
      option=\${PREFIX%%=*}
      compset -P 1 '*='
      _rsp_values $command $option && _rsp_offer \${=REPLY};;
    -*)
      [[ $PREFIX == --* ]] && dash=-
      _rsp_options $command && _describe -o option flags -- valued -S '=' -q;;
    *)
      option=$words[CURRENT-1]
      if [[ $option == -?* && $option != *=* && $option != -- ]]; then _rsp_values $command $option; fi
      if [[ -z $REPLY || $REPLY == '='* ]]; then REPLY=''; _rsp_operands $command; fi
      _rsp_offer \${=REPLY};;
  esac
}`;
