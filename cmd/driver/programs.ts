/** Where programs of the system are. */

/** Folders that a user's PATH may lack, and root's commands live in. */
export const SYSTEM_PATH: string = "/usr/local/sbin:/usr/sbin:/sbin";

/**
 * Where a program is.
 *
 * @param path folders, as in the environment variable PATH
 * @returns undefined when it is in none of them
 */
export function findProgram(name: string, path: string): string | undefined {
  for (const folder of path.split(":")) {
    if (folder === "") continue;
    try {
      const file = `${folder}/${name}`;
      const { isFile, mode } = Deno.statSync(file);
      if (isFile && ((mode ?? 0o111) & 0o111) !== 0) return file;
    } catch { // not here
      continue;
    }
  }
  return undefined;
}

/** Where programs are looked for: the user's folders, then those of root's commands. */
export function searchPath(): string {
  return `${Deno.env.get("PATH") ?? ""}:${SYSTEM_PATH}`;
}
