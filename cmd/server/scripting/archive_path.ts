/** Where the entries of an archive may go: nowhere but into the directory that it is unpacked in. */
import { PackageError } from "./package_error.ts";

/** Directories within one another: more than any sensible package has, and few enough for every path to be short. */
const MAX_DEPTH = 64;

/** Octets of a path: with the directory before it, it stays below the 4096 that Linux takes. */
const MAX_PATH_BYTES = 2048;

/** Octets of a name, as file systems take them. */
const MAX_NAME_BYTES = 255;

/**
 * The names of an entry's path, from the outside in; none for the directory itself.
 *
 * @param path as the archive has it
 * @throws {PackageError} when it leads out of the directory, or is none
 */
export function entryPath(path: string): readonly string[] {
  if (path.startsWith("/")) throw refused(path, "has an absolute path");
  if (path.includes("\0")) throw refused(path, "has a zero in its name");
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw refused(path, "leads out of the directory of the job by `..`");
  if (names.length > MAX_DEPTH) throw refused(path, `is more than ${MAX_DEPTH} directories deep`);
  if (octets(path) > MAX_PATH_BYTES || names.some((name) => octets(name) > MAX_NAME_BYTES)) {
    throw refused(path, "has a name that is too long");
  }
  return names;
}

/**
 * Checks where a symbolic link points to.
 *
 * A link may climb from its own directory, which is a real one, as far as the directory of the job and no further, and go
 * down from there. `..` behind a name is refused, though it may be harmless: the name may be a link itself, and then nobody
 * can tell from the text where `..` leads. So each link leads to a place within the directory, and therefore chains of links
 * do, too.
 *
 * @param names path of the link itself
 * @throws {PackageError} when it leads out
 */
export function checkLink(names: readonly string[], target: string): void {
  const link = names.join("/");
  const because = (why: string) =>
    new PackageError(`the link ${showPath(link)} to ${showPath(target)} ${why}`);
  if (target.startsWith("/")) throw because("has an absolute target");
  if (target === "" || target.includes("\0")) throw because("has no target");
  if (octets(target) > MAX_PATH_BYTES) throw because("has a target that is too long");
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const firstDown = steps.findIndex((step) => step !== "..");
  const up = firstDown < 0 ? steps.length : firstDown;
  if (up > names.length - 1) throw because("leads out of the directory of the job");
  if (steps.slice(up).includes("..")) throw because("has `..` behind a name, which can lead anywhere");
}

/** A path from an archive, fit for a log line. */
export function showPath(path: string): string {
  return JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}

function refused(path: string, why: string): PackageError {
  return new PackageError(`the archive's entry ${showPath(path)} ${why}`);
}

function octets(text: string): number {
  return text.length * 3 < MAX_NAME_BYTES ? text.length : new TextEncoder().encode(text).length;
}
