/** The programs that a work package of a farm is made of. Pure texts. */

/** Everything that a job is given gets this time, so that what it makes is newer. */
const OLD = "200001010000";

/** Where the command and the input are in a package, and the environment is unpacked. */
export const WORK_FOLDER = "work";

/** The file of the command in a package. */
export const COMMAND_FILE = "command.sh";

/** What a job leaves, in its result: the files that it has made or changed, and what it wrote. */
export const RESULT = { files: "result", stdout: "stdout.txt", stderr: "stderr.txt" } as const;

/**
 * The `ssrun` of all packages, for a POSIX shell with tar, gzip and find. A server of RSPLIB or of this project calls it with the
 * name of the result and with the name of the environment, if there is one (reference/rsplib.md §5.5); a server that runs only
 * what is signed adds the name of its keyring, and the environment is signed then, too. Its exit code is the command's.
 */
export const SSRUN: string = `#!/bin/sh
# Runs the command of an rsp farm and packs what it has made.
here=$PWD
place() { case $1 in /*) printf %s "$1" ;; *) printf %s "$here/$1" ;; esac; }
result=$(place "$1") || exit 1
if [ -n "$2" ]; then
  environment=$(place "$2")
  if [ -n "$3" ]; then
    if command -v gpgv >/dev/null; then check='gpgv'; else check='gpg --batch --no-tty --no-default-keyring --decrypt'; fi
    $check --quiet --homedir "$here" --keyring "$(place "$3")" --output "$here/unsigned" -- "$environment" || exit 1
    environment=$here/unsigned
  fi
  gzip -dc "$environment" | (cd ${WORK_FOLDER} && tar xf -) || exit 1
fi
cd ${WORK_FOLDER} || exit 1
find . -exec touch -t ${OLD} {} + && touch -t ${OLD} "$here/before" || exit 1
(sh "$here/${COMMAND_FILE}") >"$here/${RESULT.stdout}" 2>"$here/${RESULT.stderr}" </dev/null
code=$?
cd "$here" || exit 1
find ${WORK_FOLDER} -type f ! -newer before -exec rm -f {} +
find ${WORK_FOLDER} ! -type f ! -type d -exec rm -f {} +
mv ${WORK_FOLDER} ${RESULT.files} || exit 1
tar cf - ${RESULT.files} ${RESULT.stdout} ${RESULT.stderr} | gzip -c >"$result" || exit 1
exit $code
`;

/** What a command may say of its input. */
export interface CommandInput {
  /** The name of the file in the job's folder, or a value. */
  readonly name: string;
  /** Number of the job, from 1. */
  readonly number: number;
}

/**
 * A command with its input filled in: `{}` is the input's name, `{.}` the same without its extension, `{#}` the number of
 * the job. Names are quoted as far as a shell needs it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const command = "povray +I{} +O{.}.png";
 * assert.equal(fillIn(command, { name: "my scene.pov", number: 1 }), "povray +I'my scene.pov' +O'my scene'.png");
 * ```
 */
export function fillIn(command: string, { name, number }: CommandInput): string {
  const words: Readonly<Record<string, string>> = {
    "{}": quote(name),
    "{.}": quote(name.replace(/(?<=[^/])\.[^./]*$/, "")),
    "{#}": String(number),
  };
  return command.replaceAll(/\{[.#]?\}/g, (word) => words[word] ?? word);
}

/** A word as a shell reads it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
