/** Archives that a farm makes: a file of tar and gzip from files and texts. */
import { createTarPacker } from "modern-tar";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/** What goes into an archive. */
export type ArchiveEntry =
  | { readonly name: string; readonly text: string; readonly executable?: boolean }
  | { readonly name: string; readonly path: string }
  /** A folder. */
  | { readonly name: string };

/** Files of an archive at most: a folder that was named by mistake, such as `/`, is found out early. */
const MAX_FILES = 10_000;

const MODE = { file: 0o644, executable: 0o755 } as const;

/**
 * Writes an archive. The same files give the same octets: servers know an environment again by them.
 *
 * @param path the archive
 * @param entries in this order; files are read while it is written
 */
export async function writeArchive(path: string, entries: readonly ArchiveEntry[]): Promise<void> {
  const { readable, controller } = createTarPacker();
  const file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  const written = readable.pipeThrough(new CompressionStream("gzip")).pipeTo(file.writable);
  const packed = pack(controller, entries).catch((error) => {
    controller.error(error);
    throw error;
  });
  const [end, work] = await Promise.allSettled([written, packed]);
  for (const one of [work, end]) if (one.status === "rejected") throw one.reason;
}

async function pack(
  controller: ReturnType<typeof createTarPacker>["controller"],
  entries: readonly ArchiveEntry[],
): Promise<void> {
  for (const entry of entries) {
    if ("text" in entry) {
      const octets = new TextEncoder().encode(entry.text);
      const mode = entry.executable === true ? MODE.executable : MODE.file;
      const header = { name: entry.name, size: octets.length, mode, mtime: new Date(0) };
      const writer = controller.add(header).getWriter();
      await writer.write(octets);
      await writer.close();
    } else if ("path" in entry) {
      const file = await Deno.open(entry.path);
      const { size, mode: permissions } = await file.stat();
      const mode = ((permissions ?? 0) & 0o111) === 0 ? MODE.file : MODE.executable;
      // The times of files do not matter at the server, and would make another archive of the same files.
      await file.readable.pipeTo(controller.add({ name: entry.name, size, mode, mtime: new Date(0) }));
    } else {
      const header = { name: `${entry.name}/`, mode: MODE.executable, mtime: new Date(0), size: 0 };
      await controller.add({ ...header, type: "directory" }).close();
    }
  }
  controller.finalize();
}

/**
 * The files of a path: itself, or all below it if it is a folder; links are followed.
 *
 * @returns entries under the path's own name, in the order of their names
 * @throws {Error} with a sentence when there are too many
 */
export async function filesBelow(path: string): Promise<{ readonly name: string; readonly path: string }[]> {
  const found: { readonly name: string; readonly path: string }[] = [];
  const visit = async (name: string, place: string): Promise<void> => {
    if (found.length >= MAX_FILES) throw new Error(`${path} has more than ${MAX_FILES} files`);
    const { isDirectory, isFile } = await kindOf(place);
    if (isFile) found.push({ name, path: place });
    if (!isDirectory) return;
    for (const child of (await readdir(place)).sort()) await visit(`${name}/${child}`, join(place, child));
  };
  await visit(basename(await Deno.realPath(path)), path);
  return found;
}

/** The files beside one another in a folder, not those in folders within it. */
export async function filesIn(folder: string): Promise<{ readonly name: string; readonly path: string }[]> {
  const found: { readonly name: string; readonly path: string }[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if ((await kindOf(path)).isFile) found.push({ name, path });
    if (found.length > MAX_FILES) throw new Error(`${folder} has more than ${MAX_FILES} files`);
  }
  return found;
}

async function kindOf(path: string): Promise<{ readonly isFile: boolean; readonly isDirectory: boolean }> {
  try {
    const found = await stat(path);
    return { isFile: found.isFile(), isDirectory: found.isDirectory() };
  } catch { // a link to nowhere
    return { isFile: false, isDirectory: false };
  }
}
