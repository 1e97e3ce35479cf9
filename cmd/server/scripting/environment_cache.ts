/**
 * Environments that work packages have in common, kept by their hash (reference/rsplib.md §5.5): files of 40 hex digits and
 * `.data`, as RSPLIB's server keeps them, so that a directory can be handed from the one to the other.
 */
import { createHash } from "node:crypto";
import { fileProblem } from "../../driver/file_problem.ts";
import { writeAll } from "../../driver/write_all.ts";
import { markOwner } from "./leftovers.ts";
import { showSize } from "./limits.ts";
import { removeTree } from "./remove_tree.ts";

/** What is kept, and where. */
export interface EnvironmentCacheOptions {
  /** Kept from one run of the server to the next; undefined = a temporary one, which goes with the server. */
  readonly directory: string | undefined;
  /** Where a temporary one is made. */
  readonly temporaryDirectory: string;
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Takes a line about what it does. */
  readonly onNote: (text: string) => void;
}

/** What names of temporary caches begin with. */
export const CACHE_PREFIX = "rspSS-EnvironmentCache-";

/** Octets that are read at once. */
const BLOCK_BYTES = 256 * 1024;

const FILE_NAME = /^([0-9a-f]{40})\.data$/;

/** Environments in a directory, of which the least recently used go first. */
export class EnvironmentCache {
  readonly #directory: string;
  readonly #options: EnvironmentCacheOptions;
  /** Octets by hash, the least recently used first. */
  readonly #entries = new Map<string, number>();
  #copies = 0;

  /** Made by {@linkcode open}, which knows what is in the directory. */
  constructor(directory: string, options: EnvironmentCacheOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /**
   * Opens the cache. A kept one is checked: files whose content is not that of their name are removed.
   *
   * @throws {Error} whose message is a sentence
   */
  static async open(options: EnvironmentCacheOptions): Promise<EnvironmentCache> {
    const { directory, temporaryDirectory, onNote } = options;
    try {
      if (directory !== undefined) await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      const path = directory ?? await Deno.makeTempDir({ dir: temporaryDirectory, prefix: CACHE_PREFIX });
      if (directory === undefined) await markOwner(path);
      const cache = new EnvironmentCache(path, options);
      await cache.#scan();
      const kind = directory === undefined ? "temporary" : "permanent";
      onNote(`initialized ${kind} cache of environments in ${path}: ${cache.#describe()}`);
      return cache;
    } catch (error) {
      throw new Error(
        `cannot use ${directory ?? "a temporary directory"} as cache of environments: ${fileProblem(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Environments in it. */
  get size(): number {
    return this.#entries.size;
  }

  /** Octets of all together. */
  get bytes(): number {
    return this.#entries.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * Copies an environment out of the cache. What has changed on the disk meanwhile is dropped.
   *
   * @param into a file that does not exist
   * @returns whether it is there
   */
  async retrieve(hash: Uint8Array, into: string): Promise<boolean> {
    const key = hash.toHex();
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return false;
    this.#entries.delete(key);
    this.#entries.set(key, bytes); // the most recently used now
    let found: string | undefined;
    try {
      found = await copyAndHash(this.#path(key), into);
    } catch { // somebody has removed it, or the disk is full
      found = undefined;
    }
    if (found === key) {
      const now = new Date();
      await Deno.utime(this.#path(key), now, now).catch(() => {}); // so that the next run knows, too
      this.#options.onNote(`retrieved environment ${key} (${showSize(bytes)})`);
      return true;
    }
    await removeIfThere(into);
    await this.#drop(key);
    return false;
  }

  /**
   * Keeps an environment, if there is room for it.
   *
   * @param from a file whose hash this is
   */
  async add(hash: Uint8Array, from: string): Promise<void> {
    const { maxBytes, maxEntries, onNote } = this.#options;
    const key = hash.toHex();
    const bytes = (await Deno.stat(from)).size;
    if (this.#entries.has(key) || bytes > maxBytes || maxEntries === 0) return;
    const copy = `${this.#directory}/copy-${++this.#copies}.part`;
    try {
      if (await copyAndHash(from, copy) !== key) return;
      await Deno.rename(copy, this.#path(key));
    } finally {
      await removeIfThere(copy);
    }
    this.#entries.set(key, bytes);
    await this.#purge();
    onNote(`caching environment ${key} (${showSize(bytes)}) => ${this.#describe()}`);
  }

  /** Removes a temporary cache. */
  async close(): Promise<void> {
    this.#entries.clear();
    if (this.#options.directory === undefined) await removeTree(this.#directory);
  }

  async #scan(): Promise<void> {
    const found: { key: string; bytes: number; usedAt: number }[] = [];
    for await (const { name, isFile } of Deno.readDir(this.#directory)) {
      const key = FILE_NAME.exec(name)?.[1];
      if (/^copy-\d+\.part$/.test(name)) await removeIfThere(`${this.#directory}/${name}`); // of a server that was killed
      if (!isFile || key === undefined) continue;
      const { size, mtime } = await Deno.stat(this.#path(key));
      if (await hashFile(this.#path(key)) === key) {
        found.push({ key, bytes: size, usedAt: mtime?.getTime() ?? 0 });
      } else {
        await removeIfThere(this.#path(key));
      }
    }
    found.sort((one, other) => one.usedAt - other.usedAt);
    for (const { key, bytes } of found) this.#entries.set(key, bytes);
    await this.#purge();
  }

  async #purge(): Promise<void> {
    const { maxBytes, maxEntries } = this.#options;
    for (const key of [...this.#entries.keys()]) {
      if (this.#entries.size <= maxEntries && this.bytes <= maxBytes) return;
      await this.#drop(key);
    }
  }

  async #drop(key: string): Promise<void> {
    this.#entries.delete(key);
    await removeIfThere(this.#path(key));
  }

  #path(key: string): string {
    return `${this.#directory}/${key}.data`;
  }

  #describe(): string {
    return `${showSize(this.bytes)} in ${this.size} ${this.size === 1 ? "entry" : "entries"}`;
  }
}

/** SHA-1 of a file's content, in hex digits. */
export async function hashFile(path: string): Promise<string> {
  return await readAndHash(path, async () => {});
}

async function copyAndHash(from: string, into: string): Promise<string> {
  using file = await Deno.open(into, { write: true, createNew: true, mode: 0o600 });
  return await readAndHash(from, (block) => writeAll(file, block));
}

async function readAndHash(path: string, each: (block: Uint8Array) => Promise<void>): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha1");
  const block = new Uint8Array(BLOCK_BYTES);
  for (let length = await file.read(block); length !== null; length = await file.read(block)) {
    const octets = block.subarray(0, length);
    hash.update(octets);
    await each(octets);
  }
  return hash.digest("hex");
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch { // it is not there
    return;
  }
}
