/** Completion for bash. */
import { shellQuoted } from "../shell_word.ts";
import { tokenList } from "./model.ts";
import type { CompletionModel } from "./model.ts";
import { valueRows } from "./tables.ts";

/** A script that makes bash complete commands, options and their values; `source` it. */
export function bashCompletion(model: CompletionModel): string {
  const { commands, programs } = model;
  const options = commands.map(({ names, options }) => {
    const words = options.map(({ word, value }) => value === undefined ? word : `${word}=`).join(" ");
    return `    ${names.join("|")}) echo ${shellQuoted(words)};;`;
  });
  const operands = commands.map(({ names, operands }) => ({ names, text: tokenList(operands) }))
    .filter(({ text }) => text !== "")
    .map(({ names, text }) => `    ${names.join("|")}) echo ${shellQuoted(text)};;`);
  const values = valueRows(model).map(({ keys, text }) =>
    `    ${keys.map((key) => shellQuoted(key)).join("|")}) echo ${shellQuoted(text)};;`
  );
  return [
    "# Completion of rsp for bash, written by `rsp completion bash`.",
    ...lookup("_rsp_options", '"$1"', options),
    ...lookup("_rsp_operands", '"$1"', operands),
    ...lookup("_rsp_value", '"$1"', values),
    DRIVER.replace("@COMMANDS@", commands.map(({ word }) => word).join(" ")),
    `complete -F _rsp ${["rsp", ...programs].join(" ")}`,
    "",
  ].join("\n");
}

function lookup(name: string, subject: string, cases: readonly string[]): string[] {
  return [`${name}() {`, `  case ${subject} in`, ...cases, "    *) return 1;;", "  esac", "}"];
}

/**
 * The part that is the same for all options. Bash takes words apart at `=` and `:`, unless it is told not to, and wants
 * only what stands behind: so the word is read from the line itself, completed as a whole, and cut again.
 */
const DRIVER = `\
_rsp_values() {
  _rsp_value "$1 \${2//-/}" || _rsp_value "\${2//-/}"
}
_rsp_offer() {
  local before="$1" written="$2" token words=""
  shift 2
  for token in "$@"; do
    case "$token" in
      =|ANY) ;;
      FILE) compopt -o filenames 2>/dev/null; mapfile -O "\${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -P "$before" -f -- "$written");;
      DIR) compopt -o filenames 2>/dev/null; mapfile -O "\${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -P "$before" -d -- "$written");;
      HOST) mapfile -O "\${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -P "$before" -A hostname -- "$written");;
      *) words+=" $token";;
    esac
  done
  mapfile -O "\${#COMPREPLY[@]}" -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$written")
}
_rsp() {
  local line="\${COMP_LINE:0:COMP_POINT}" command="\${COMP_WORDS[0]##*/}" word last="" value breaks="" cut
  local -a before
  COMPREPLY=()
  word="\${line##*[[:space:]]}"
  read -ra before <<< "\${line%"$word"}"
  if [ "$command" = rsp ]; then
    if [ "\${#before[@]}" -lt 2 ]; then _rsp_offer "" "$word" @COMMANDS@; return; fi
    command="\${before[1]}"
  fi
  last="\${before[\${#before[@]}-1]}"
  case "$word" in
    -*=*) value="$(_rsp_values "$command" "\${word%%=*}")"
      _rsp_offer "\${word%%=*}=" "\${word#*=}" $value;;
    --*) _rsp_offer -- "\${word#--}" $(_rsp_options "$command");;
    -*) _rsp_offer - "\${word#-}" $(_rsp_options "$command");;
    *) value=""
      case "$last" in -*=*|--) ;; -*) value="$(_rsp_values "$command" "$last")";; esac
      case "$value" in ""|=*) value="$(_rsp_operands "$command")";; esac
      _rsp_offer "" "$word" $value;;
  esac
  case "\${COMPREPLY[*]-}" in *[=:]) compopt -o nospace 2>/dev/null;; esac
  for cut in = : @; do case "$COMP_WORDBREAKS" in *$cut*) breaks+="$cut";; esac; done
  [ -n "$breaks" ] || return 0
  cut="\${word%"\${word##*[$breaks]}"}"
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
}`;
