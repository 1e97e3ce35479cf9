/**
 * Links to the program. One file is linked as it is. Where the program runs from its sources, a small script takes the place
 * of the file: `rsp` in the links' own folder, which the other links lead to.
 *
 * A name that is taken by anything else is a stranger's, and stays unless it is given up in so many words.
 */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { putInPlace } from "../driver/put_in_place.ts";
import { ownCommandLine, ownPath } from "../own_program.ts";
import { shellWord } from "../shell_word.ts";
import type { OwnProgram } from "../own_program.ts";

/** What stands at a name: nothing, what shall stand there, or something else, in words. */
type Finding =
  | { readonly type: "free" | "own" | "old" | "program" }
  | { readonly type: "stranger"; readonly what: string; readonly isFolder: boolean };

/** A name that something else has. */
export interface Stranger {
  readonly name: string;
  /** `a link to /usr/bin/rspregistrar`, `a file`, `a folder`. */
  readonly what: string;
}

/** What was done in a folder, by the names in it. */
export interface LinkReport {
  readonly made: readonly string[];
  /** What stood there as it should. */
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** When links were to be made, they kept everything from being made. */
  readonly strangers: readonly Stranger[];
}

/** What is to stand in a folder. */
export interface LinkPlan {
  readonly folder: string;
  readonly program: OwnProgram;
  readonly names: readonly string[];
  /** Texts of scripts that are files of their own, by their names. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** No script of this program is longer, whatever the paths in it. */
const MAX_SCRIPT_LENGTH = 16_384;

/** The script that stands for the program where it has no file of its own. */
export function callingScript(program: OwnProgram): string {
  const line = ownCommandLine(program).map(shellWord).join(" ");
  const mark = `# rsp from its sources at ${ownPath(program)}; written by rsp link.`;
  return `#!/bin/sh\n${mark}\nRSP_CALLED_AS=$0\nexport RSP_CALLED_AS\nexec ${line} "$@"\n`;
}

/**
 * Makes links and scripts, all or none.
 *
 * @param plan its folder is made where it is not there
 * @param force whether strangers are replaced, folders excepted
 * @throws {Error} of `node:fs`
 */
export function makeLinks(plan: LinkPlan, force: boolean): LinkReport {
  // The script that stands for the sources is wanted whenever a link is: it leads there.
  const first = plan.program.type === "sources" ? ["rsp"] : [];
  const findings = examineAll({ ...plan, names: [...first, ...plan.names] });
  const strangers = findings.flatMap(({ name, finding }) =>
    finding.type === "stranger" && (finding.isFolder || !force) ? [{ name, what: finding.what }] : []
  );
  if (strangers.length > 0) return { made: [], kept: [], removed: [], strangers };
  mkdirSync(plan.folder, { recursive: true });
  const made: string[] = [], kept: string[] = [];
  for (const { name, script, finding } of findings) {
    if (finding.type === "program") continue;
    if (finding.type === "own") {
      kept.push(name);
      continue;
    }
    place(plan, name, script);
    made.push(name);
  }
  return { made, kept, removed: [], strangers: [] };
}

/**
 * Removes links that lead to this program, and its scripts.
 *
 * @throws {Error} of `node:fs`
 */
export function removeLinks(plan: LinkPlan): LinkReport {
  const findings = examineAll(plan);
  const removed: string[] = [], strangers: Stranger[] = [];
  for (const { name, finding } of findings) {
    if (finding.type === "stranger") strangers.push({ name, what: finding.what });
    if (finding.type !== "own" && finding.type !== "old") continue;
    rmSync(join(plan.folder, name));
    removed.push(name);
  }
  return { made: [], kept: [], removed, strangers };
}

/** The names in a folder, each with the text of its script; undefined = it is a link. */
function wantedItems({ names, program, scripts }: LinkPlan): Map<string, string | undefined> {
  const items = new Map<string, string | undefined>();
  for (const name of names) {
    items.set(name, name === "rsp" && program.type === "sources" ? callingScript(program) : undefined);
  }
  for (const [name, text] of scripts) items.set(name, text);
  return items;
}

function examineAll(plan: LinkPlan) {
  return [...wantedItems(plan)].map(([name, script]) => ({
    name,
    script,
    finding: examine(plan, name, script),
  }));
}

/** Puts a link, or a script, at a name. */
function place({ folder, program }: LinkPlan, name: string, script: string | undefined): void {
  putInPlace(join(folder, name), (fresh) => {
    if (script === undefined) symlinkSync(linkText(folder, program), fresh);
    else writeFileSync(fresh, script, { mode: 0o755 });
  });
}

/** What a link says: within one folder no more than the name, so that the folder may be moved and copied. */
function linkText(folder: string, program: OwnProgram): string {
  if (program.type === "sources") return "rsp";
  const isBeside = dirname(program.path) === realPath(folder);
  return isBeside ? program.path.slice(program.path.lastIndexOf("/") + 1) : program.path;
}

function examine({ folder, program }: LinkPlan, name: string, script: string | undefined): Finding {
  const path = join(folder, name);
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { type: "free" };
  if (status.isSymbolicLink()) return examineLink(folder, path, program, script !== undefined);
  const isFolder = status.isDirectory();
  if (!isFolder && realPath(path) === realPath(ownPath(program))) return { type: "program" };
  if (script !== undefined && status.isFile() && status.size <= MAX_SCRIPT_LENGTH) {
    const before = readFileSync(path, "utf8");
    if (before === script) return { type: "own" };
    // The second line says what a script is: another text behind it is another version.
    if (before.split("\n", 2)[1] === script.split("\n", 2)[1]) return { type: "old" };
  }
  return { type: "stranger", what: isFolder ? "a folder" : "a file", isFolder };
}

function examineLink(folder: string, path: string, program: OwnProgram, isScript: boolean): Finding {
  const text = readlinkSync(path);
  if (isScript) return { type: "stranger", what: `a link to ${text}`, isFolder: false };
  const target = program.type === "file" ? program.path : join(realPath(folder), "rsp");
  // A link whose end is gone leads where it says.
  const end = realPath(resolve(dirname(path), text));
  return end === realPath(target)
    ? { type: "own" }
    : { type: "stranger", what: `a link to ${text}`, isFolder: false };
}

/** The path without links; as it is when nothing is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch { // there is nothing
    return resolve(path);
  }
}
