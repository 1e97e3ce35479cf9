/** Puts a unit where systemd finds it, and takes it away again. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { putInPlace } from "../driver/put_in_place.ts";
import { UNIT_MARK } from "./unit.ts";

/** What came of it. `stranger` = the file is not one of `rsp service`, and stays as it is. */
export type UnitOutcome = "written" | "kept" | "stranger" | "removed" | "absent";

/** The unit's file. */
export function unitPath(folder: string, name: string): string {
  return join(folder, `${name}.service`);
}

/**
 * Installs a unit.
 *
 * @param force whether a file that somebody else has written is replaced
 * @throws {Error} of `node:fs`
 */
export function installUnit(path: string, text: string, force: boolean): UnitOutcome {
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (before === text) return "kept";
  if (before !== undefined && !force && !before.startsWith(UNIT_MARK)) return "stranger";
  putInPlace(path, (fresh) => writeFileSync(fresh, text, { mode: 0o644 }));
  return "written";
}

/**
 * Removes a unit that was installed.
 *
 * @throws {Error} of `node:fs`
 */
export function removeUnit(path: string): UnitOutcome {
  if (!existsSync(path)) return "absent";
  if (!readFileSync(path, "utf8").startsWith(UNIT_MARK)) return "stranger";
  rmSync(path);
  return "removed";
}
