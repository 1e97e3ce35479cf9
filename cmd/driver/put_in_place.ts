/** Puts files where others may look at any time. */
import { renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Puts a file, or a link, at a path at once: whoever looks there meanwhile finds the old one or the new one, whole. What is
 * half made when that fails is removed.
 *
 * @param make makes it under another name, which it is given, in the same folder
 * @throws {Error} of `make` and of `node:fs`
 */
export function putInPlace(path: string, make: (fresh: string) => void): void {
  const fresh = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
  try {
    make(fresh);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}
