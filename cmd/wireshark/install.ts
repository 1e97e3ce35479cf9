/** Puts a profile where Wireshark looks for it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { putInPlace } from "../driver/put_in_place.ts";
import { OptionError } from "../options.ts";

/** Where to, and what. */
export interface Installation {
  /** The profile's folder; it is made when it is not there. */
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
  /** Other texts of these files that nobody will miss: what an installation with other options writes. */
  readonly replaceable: ReadonlyMap<string, string>;
  /** Whether files that say something else are written over. */
  readonly overwrite: boolean;
}

/** What came of it: the files that were written, or, when there are any, those that kept everything from being written. */
export interface InstallationResult {
  readonly written: readonly string[];
  readonly inTheWay: readonly string[];
}

/**
 * Writes the files that are not there as they should be; all or none.
 *
 * @throws {Error} of `node:fs`
 */
export function installProfile(installation: Installation): InstallationResult {
  const { folder, files, replaceable, overwrite } = installation;
  const missing = new Map<string, string>();
  const inTheWay: string[] = [];
  for (const [name, text] of files) {
    const there = readText(join(folder, name));
    if (there === text) continue;
    missing.set(name, text);
    if (there !== undefined && there !== replaceable.get(name) && !overwrite) inTheWay.push(name);
  }
  if (inTheWay.length > 0) return { written: [], inTheWay };
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of missing) {
    // Wireshark may be about to read it: it sees the old file or the new one.
    putInPlace(join(folder, name), (fresh) => writeFileSync(fresh, text));
  }
  return { written: [...missing.keys()], inTheWay };
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/**
 * Wireshark's folder for a person's settings, found as Wireshark does.
 *
 * @param given by an option or by WIRESHARK_CONFIG_DIR
 * @throws {OptionError} when nothing says where it is
 */
export function settingsFolder(
  given: string | undefined,
  variable: (name: string) => string | undefined,
): string {
  if (given !== undefined) return given;
  const home = variable("HOME") || undefined;
  const base = variable("XDG_CONFIG_HOME") || (home === undefined ? undefined : join(home, ".config"));
  if (base === undefined) {
    throw new OptionError("-install wants -configdir=DIR where there is no home folder (HOME is not set)");
  }
  const folder = join(base, "wireshark");
  // Its old place, where Wireshark still looks when there is no other.
  const old = home === undefined ? undefined : join(home, ".wireshark");
  return old !== undefined && !existsSync(folder) && existsSync(old) ? old : folder;
}
