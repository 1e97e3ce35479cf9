/** The lines of the prompt, kept in a file from one session to the next. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Lines that are kept. */
export const MAX_HISTORY = 500;

/** Where the lines are kept: where XDG wants state; undefined = nowhere. */
export function historyPath(
  option: string | undefined,
  variable: (name: string) => string | undefined,
): string | undefined {
  if (option === "off") return undefined;
  if (option !== undefined) return option;
  const state = variable("XDG_STATE_HOME"), home = variable("HOME");
  const folder = state !== undefined && state !== ""
    ? state
    : home !== undefined && home !== ""
    ? join(home, ".local", "state")
    : undefined;
  return folder === undefined ? undefined : join(folder, "rsp", "darn_history");
}

/** The lines of a file, oldest first; a file that cannot be read has none. */
export function loadHistory(path: string | undefined): string[] {
  if (path === undefined) return [];
  try {
    return readFileSync(path, "utf8").split("\n").filter((line) => line !== "").slice(-MAX_HISTORY);
  } catch {
    return [];
  }
}

/** Writes lines, oldest first. A history that cannot be kept is no reason to bother anybody. */
export function saveHistory(path: string | undefined, lines: readonly string[]): void {
  if (path === undefined) return;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, lines.slice(-MAX_HISTORY).map((line) => `${line}\n`).join(""), { mode: 0o600 });
  } catch {
    return;
  }
}
