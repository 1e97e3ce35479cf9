/** How much room a directory takes. */

/** Files that are looked at: with more, a job is over any limit anyhow, and looking would take seconds. */
const MAX_FILES = 200_000;

/** Directories within one another; below, nothing can be opened by its path any more. */
const MAX_DEPTH = 200;

/** Octets of a block, as the file system counts them whatever its own block size is. */
const BLOCK_BYTES = 512;

/** What a directory takes. */
export interface DiskUsage {
  readonly bytes: number;
  /** Whether there was more than could be looked at. */
  readonly isBeyondCounting: boolean;
}

/**
 * Adds up what all files in a directory take on the disk, without following links. Files may come and go meanwhile.
 *
 * @param signal ends the counting: what has been counted is the result
 */
export async function diskUsage(directory: string, signal?: AbortSignal): Promise<DiskUsage> {
  const waiting = [{ path: directory, depth: 0 }];
  const linked = new Set<string>();
  let bytes = 0, files = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, depth } = next;
    if (depth > MAX_DEPTH) return { bytes, isBeyondCounting: true };
    for await (const { name, isDirectory } of entriesOf(path)) {
      if (signal?.aborted) return { bytes, isBeyondCounting: false };
      if (++files > MAX_FILES) return { bytes, isBeyondCounting: true };
      const entry = `${path}/${name}`;
      const information = await informationOf(entry);
      if (information === undefined) continue;
      if (isDirectory) waiting.push({ path: entry, depth: depth + 1 });
      else if ((information.nlink ?? 1) > 1) {
        const inode = `${information.dev}:${information.ino}`;
        if (linked.has(inode)) continue;
        linked.add(inode);
      }
      bytes += (information.blocks ?? 0) * BLOCK_BYTES;
    }
  }
  return { bytes, isBeyondCounting: false };
}

async function* entriesOf(path: string): AsyncIterable<Deno.DirEntry> {
  try {
    yield* Deno.readDir(path);
  } catch { // removed meanwhile, or closed by its owner, who cannot use it then, either
    return;
  }
}

async function informationOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch { // removed meanwhile
    return undefined;
  }
}
