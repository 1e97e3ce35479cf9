/**
 * What servers leave behind that are killed: directories, and jobs that ran without a sandbox. Each directory has a note of
 * whose it is, so that the next server on the machine finds those whose owner has gone.
 */
import { ProcessFamily, startTimeOf } from "./process_family.ts";
import { removeTree } from "./remove_tree.ts";

/** Name of the note in a directory. */
const OWNER_NAME = "owner.json";

/** Directories that are looked at: those of other programs are in the same place. */
const MAX_DIRECTORIES = 10_000;

/** Who made a directory. A number alone would do until it is another process's. */
interface Owner {
  readonly processId: number;
  readonly startTime: string;
  /** In which namespace of processes: containers may share a directory, and have numbers of their own. */
  readonly namespace: string;
}

/** Writes down that a directory is this process's. */
export async function markOwner(directory: string): Promise<void> {
  const owner: Owner = {
    processId: Deno.pid,
    startTime: startTimeOf(Deno.pid) ?? "",
    namespace: ownNamespace(),
  };
  await Deno.writeTextFile(`${directory}/${OWNER_NAME}`, JSON.stringify(owner), { mode: 0o600 });
}

/**
 * Removes directories whose makers have gone without doing so, and kills what still runs in them.
 *
 * @param parent where to look
 * @param prefix of their names
 * @returns the directories that were removed
 */
export async function removeLeftovers(parent: string, prefix: string): Promise<readonly string[]> {
  const removed: string[] = [];
  let left = MAX_DIRECTORIES;
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (--left < 0) break;
    const directory = `${parent}/${name}`;
    if (!isDirectory || !name.startsWith(prefix) || !await isOrphan(directory)) continue;
    await new ProcessFamily({ processId: undefined, mark: undefined, directory, isNamespace: false }).kill();
    await removeTree(directory);
    removed.push(directory);
  }
  return removed;
}

/** Whether the maker of a directory is known and has gone. What cannot be read is somebody else's, and stays. */
async function isOrphan(directory: string): Promise<boolean> {
  try {
    if ((await Deno.lstat(directory)).uid !== Deno.uid()) return false; // the note may be made up
    const owner: Partial<Owner> = JSON.parse(await Deno.readTextFile(`${directory}/${OWNER_NAME}`));
    const { processId, startTime, namespace } = owner;
    if (typeof processId !== "number" || typeof startTime !== "string") return false;
    return namespace === ownNamespace() && startTimeOf(processId) !== startTime;
  } catch { // no note: it is being made, or kept by somebody
    return false;
  }
}

function ownNamespace(): string {
  try {
    return Deno.readLinkSync("/proc/self/ns/pid");
  } catch { // not Linux
    return "";
  }
}
