/** Completion for fish. */
import { tokenList } from "./model.ts";
import type { CompletionModel, DescribedWord } from "./model.ts";
import { valueRows } from "./tables.ts";

/** A script that makes fish complete commands, options and their values; `source` it. */
export function fishCompletion(model: CompletionModel): string {
  const { commands, programs } = model;
  const options = commands.flatMap(({ names, options }) => [
    `        case ${names.map(quoted).join(" ")}`,
    ...printed(
      options.map(({ word, summary, value }) => ({ word: value === undefined ? word : `${word}=`, summary })),
    ),
  ]);
  const operands = commands.map(({ names, operands }) => ({ keys: names, text: tokenList(operands) }))
    .filter(({ text }) => text !== "");
  return [
    "# Completion of rsp for fish, written by `rsp completion fish`.",
    "function __rsp_options",
    "    switch $argv[1]",
    ...options,
    "    end",
    "end",
    ...lookup("__rsp_operands", operands),
    ...lookup("__rsp_value", valueRows(model)),
    "function __rsp_commands",
    ...printed(commands),
    "end",
    DRIVER,
    ...["rsp", ...programs].map((name) => `complete -c ${name} -f -a '(__rsp_complete)'`),
    "",
  ].join("\n");
}

function printed(words: readonly DescribedWord[]): string[] {
  const parts = words.map(({ word, summary }) => `            ${quoted(word)} ${quoted(summary)}`);
  return ["            printf '%s\\t%s\\n' \\", parts.join(" \\\n")];
}

/** A function that prints the words of a text, one a line, or returns 1. */
function lookup(
  name: string,
  rows: readonly { readonly keys: readonly string[]; readonly text: string }[],
): string[] {
  const cases = rows.flatMap(({ keys, text }) => [
    `        case ${keys.map(quoted).join(" ")}`,
    text === "" ? "            true" : `            string split ' ' ${quoted(text)}`,
  ]);
  return [
    `function ${name}`,
    "    switch $argv[1]",
    ...cases,
    "        case '*'",
    "            return 1",
    "    end",
    "end",
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`;
}

/** The part that is the same for all options. */
const DRIVER = `\
function __rsp_values
    set -l option (string replace -a -- - '' $argv[2])
    __rsp_value "$argv[1] $option"; or __rsp_value $option
end
function __rsp_offer
    set -l before $argv[1]
    set -l written $argv[2]
    for token in $argv[3..-1]
        switch $token
            case = ANY
            case FILE
                string replace -r '^' -- $before (__fish_complete_path $written)
            case DIR
                string replace -r '^' -- $before (__fish_complete_directories $written '')
            case HOST
                string replace -r '^' -- $before (__fish_print_hostnames)
            case '*'
                echo $before$token
        end
    end
end
function __rsp_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l command (string replace -r '.*/' '' -- $before[1])
    if test "$command" = rsp
        if not set -q before[2]
            __rsp_commands
            return
        end
        set command $before[2]
    end
    switch $word
        case '-*=*'
            set -l parts (string split -m 1 = -- $word)
            __rsp_offer "$parts[1]=" $parts[2] (__rsp_values $command $parts[1])
        case '--*'
            string replace -r '^' -- -- (__rsp_options $command)
        case '-*'
            string replace -r '^' -- - (__rsp_options $command)
        case '*'
            set -l values
            if string match -qr -- '^-+[^=-][^=]*$' $before[-1]
                set values (__rsp_values $command $before[-1])
            end
            if not set -q values[1]; or test "$values[1]" = =
                set values (__rsp_operands $command)
            end
            __rsp_offer '' $word $values
    end
end`;
