/** The files that images are written to. */
import { writeFileSync } from "node:fs";
import { access, constants, lstat, realpath, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import type { Log } from "../driver/log.ts";
import { putInPlace } from "../driver/put_in_place.ts";
import { OptionError } from "../options.ts";
import type { PoolUserOptionValues } from "./options.ts";

type OutputOptions = Pick<PoolUserOptionValues, "output" | "imagestorageprefix">;

/** Finds out before the work starts that its result could not be written. @throws {OptionError} */
export async function checkOutputs({ output, imagestorageprefix: prefix }: OutputOptions): Promise<void> {
  await checkOutput("output", output);
  if (prefix !== undefined) await checkOutput("imagestorageprefix", storedName(prefix, 1));
}

/**
 * Writes an image to all files that options name.
 *
 * @returns the first file's name; undefined = one could not be written, as a line in the log says
 */
export async function storeImage(
  { output, imagestorageprefix: prefix }: OutputOptions,
  image: number,
  png: Uint8Array,
  log: Log,
): Promise<string | undefined> {
  const files = [output.replaceAll("%d", String(image))];
  if (prefix !== undefined) files.push(storedName(prefix, image));
  for (const file of files) {
    try {
      await write(file, png);
    } catch (error) {
      log.error(`cannot write ${file}: ${fileProblem(error)}`, { event: "notWritten", file });
      return undefined;
    }
  }
  return files[0];
}

/** Puts an image in the place of the last one, which stays whole until then; where that cannot be, it is overwritten. */
async function write(file: string, png: Uint8Array): Promise<void> {
  const place = await freePlace(file);
  try {
    if (place !== undefined) return putInPlace(place.path, (fresh) => writeFileSync(fresh, png, place));
  } catch (error) {
    // What hinders a new file, as a name that is long or a file that is mounted by itself, need not hinder writing to the old.
    if (LACKS_ROOM.has(String((error as { code?: unknown }).code))) throw error;
  }
  await writeFile(file, png);
}

/** Then the old image would be lost as well. */
const LACKS_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EIO"]);

/**
 * Where a file may be put in the place of another one, and its mode.
 *
 * @returns undefined where that cannot be: nothing is put in the place of a device, of what standard output may be, of a file
 * that is protected, nor into a folder that takes no files
 */
async function freePlace(
  file: string,
): Promise<{ readonly path: string; readonly mode: number } | undefined> {
  if (/^\/(dev|proc)\//.test(file)) return undefined;
  try {
    const isThere = await lstat(file).then(() => true, () => false);
    const path = isThere ? await realpath(file) : file;
    const old = isThere ? await stat(path) : undefined;
    if (old?.isFile() === false) return undefined;
    if (old !== undefined) await access(path, constants.W_OK);
    await access(dirname(path), constants.W_OK);
    return { path, mode: (old?.mode ?? 0o666) & 0o777 };
  } catch {
    return undefined; // whoever writes there says why not
  }
}

/** Where `-imagestorageprefix` keeps an image. */
function storedName(prefix: string, image: number): string {
  return `${prefix}${String(image).padStart(6, "0")}.png`;
}

async function checkOutput(option: string, path: string): Promise<void> {
  const folder = dirname(path);
  if (!await isFolder(folder)) throw new OptionError(`option -${option}: there is no folder ${folder}`);
  if (path.endsWith("/") || await isFolder(path)) {
    throw new OptionError(`option -${option}: ${path} is a folder, not a file to write`);
  }
  const target = await stat(path).then(() => path, () => folder);
  await access(target, constants.W_OK).catch(() => {
    throw new OptionError(`option -${option}: ${target} may not be written`);
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}
