/**
 * Unpacks archives that somebody sent.
 *
 * Theory of operation: the directory is empty at first and nobody but this function writes there, so a table of what has been
 * unpacked knows what each path is, without asking the file system: no entry goes through a symbolic link, nothing that is
 * there is followed. What an archive may not have – paths and links that lead out, devices, too much of anything – ends the
 * work with a sentence; what has been unpacked by then is the caller's to remove.
 */
import { createTarDecoder } from "modern-tar";
import type { TarHeader } from "modern-tar";
import { fileProblem } from "../../driver/file_problem.ts";
import { writeAll } from "../../driver/write_all.ts";
import { JobStatus } from "../../../protocol/app/scripting/job_status.ts";
import { checkLink, entryPath, showPath } from "./archive_path.ts";
import { openArchive } from "./decompress.ts";
import { showSize } from "./limits.ts";
import type { ArchiveLimits } from "./limits.ts";
import { PackageError } from "./package_error.ts";

/** What came out of an archive. */
export interface UnpackSummary {
  /** Files, directories and links. */
  readonly entries: number;
  /** Of all files together. */
  readonly bytes: number;
}

/** What to unpack, and where. */
export interface UnpackPlan {
  /** The archive: tar, plain or packed by gzip, bzip2, xz or zstd. */
  readonly archive: string;
  /** An empty directory. */
  readonly directory: string;
  readonly limits: ArchiveLimits;
  /** Ends the work. */
  readonly signal: AbortSignal;
}

/**
 * Unpacks an archive.
 *
 * @throws {PackageError} when it is not to be unpacked
 */
export async function unpackArchive(plan: UnpackPlan): Promise<UnpackSummary> {
  const unpacker = new Unpacker(plan);
  const end = new AbortController();
  const signal = AbortSignal.any([plan.signal, end.signal]);
  let ended: Promise<void> | undefined;
  try {
    const { octets, ended: programEnded } = await openArchive(plan.archive, plan.limits, signal);
    ended = programEnded;
    const entries = octets.pipeThrough(createTarDecoder({ strict: true }), { signal });
    for await (const { header, body } of entries) await unpacker.take(header, body);
  } catch (error) {
    plan.signal.throwIfAborted();
    throw asPackageError(error);
  } finally {
    end.abort(); // a program that unpacks a bomb does not go on by itself
    await ended;
  }
  if (unpacker.entries === 0) throw new PackageError("the archive is empty");
  return unpacker;
}

type Kind = "file" | "directory" | "link";

/** Times of files that all file systems take: until the year 2106. */
const MAX_SECONDS = 2 ** 32;

/** Permissions that are left of an entry's: no set-user-ID, and its owner can read and remove it. */
const FILE_MODE = { keep: 0o777, add: 0o600 } as const;
const DIRECTORY_MODE = { keep: 0o777, add: 0o700 } as const;

class Unpacker implements UnpackSummary {
  readonly #plan: UnpackPlan;
  readonly #kinds = new Map<string, Kind>();
  #taken = 0;
  #bytes = 0;

  constructor(plan: UnpackPlan) {
    this.#plan = plan;
  }

  get entries(): number {
    return this.#kinds.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Unpacks one entry. Its body has been read to the end when the promise resolves. */
  async take(header: TarHeader, body: ReadableStream<Uint8Array>): Promise<void> {
    this.#countEntries(++this.#taken); // one that takes the place of another costs as much
    const type = header.type ?? "file";
    if (type === "pax-global-header") return await body.cancel();
    const names = entryPath(header.name);
    switch (type) {
      case "file":
        return await this.#file(names, header, body);
      case "directory":
        await body.cancel();
        return await this.#directory(names, header.mode);
      case "symlink":
        await body.cancel();
        return await this.#symbolicLink(names, header.linkname ?? "");
      case "link":
        await body.cancel();
        return await this.#hardLink(names, header.linkname ?? "");
      default:
        throw new PackageError(`the archive's entry ${showPath(header.name)} is a ${words(type)}`);
    }
  }

  async #file(names: readonly string[], header: TarHeader, body: ReadableStream<Uint8Array>): Promise<void> {
    if (Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse."))) {
      throw new PackageError(
        `the archive's entry ${showPath(header.name)} is a sparse file: pack it as a whole`,
      );
    }
    this.#count(header.size); // refused before anything of it is written
    await this.#place(names, "file");
    const path = this.#path(names);
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    for await (const chunk of body) {
      await writeAll(file, chunk);
    }
    await Deno.chmod(path, mode(header.mode ?? 0o644, FILE_MODE));
    const seconds = (header.mtime?.getTime() ?? 0) / 1000;
    if (seconds > 0 && seconds < MAX_SECONDS) await file.utime(seconds, seconds);
  }

  async #directory(names: readonly string[], permissions = 0o755): Promise<void> {
    if (names.length === 0) return; // the directory itself, which is as it is
    const key = names.join("/");
    if (this.#kinds.get(key) !== "directory") await this.#place(names, "directory");
    const path = this.#path(names);
    await Deno.mkdir(path, { recursive: true });
    await Deno.chmod(path, mode(permissions, DIRECTORY_MODE));
  }

  async #symbolicLink(names: readonly string[], target: string): Promise<void> {
    checkLink(names, target);
    await this.#place(names, "link");
    await Deno.symlink(target, this.#path(names));
  }

  async #hardLink(names: readonly string[], target: string): Promise<void> {
    const other = entryPath(target);
    if (this.#kinds.get(other.join("/")) !== "file") {
      throw new PackageError(
        `the hard link ${showPath(names.join("/"))} is to ${showPath(target)}, which is no file before it`,
      );
    }
    if (other.join("/") === names.join("/")) return; // GNU tar has this for a file that it was given twice
    await this.#place(names, "link");
    await Deno.link(this.#path(other), this.#path(names));
    this.#kinds.set(names.join("/"), "file");
  }

  /** Makes room for an entry: its directories are there, and it is not. Later entries take the place of earlier ones. */
  async #place(names: readonly string[], kind: Kind): Promise<void> {
    const key = names.join("/");
    if (key === "") throw new PackageError("the archive has an entry that is to be the directory of the job");
    await this.#parents(names);
    const there = this.#kinds.get(key);
    if (there === "directory") {
      throw new PackageError(`the archive has ${showPath(key)} twice, and once as a directory`);
    }
    if (there !== undefined) await Deno.remove(this.#path(names));
    this.#note(key, kind);
  }

  async #parents(names: readonly string[]): Promise<void> {
    for (let depth = 1; depth < names.length; depth++) {
      const key = names.slice(0, depth).join("/");
      const there = this.#kinds.get(key);
      if (there === "directory") continue;
      if (there !== undefined) {
        const path = names.join("/");
        throw new PackageError(
          `the archive's entry ${showPath(path)} goes through ${showPath(key)}, which is no directory`,
        );
      }
      this.#note(key, "directory");
      await Deno.mkdir(this.#path(names.slice(0, depth)), { mode: 0o755 });
    }
  }

  #note(key: string, kind: Kind): void {
    this.#kinds.set(key, kind);
    this.#countEntries(this.#kinds.size);
  }

  #countEntries(count: number): void {
    const { entries } = this.#plan.limits;
    if (count > entries) throw new PackageError(`the archive has more than ${entries} entries`);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    const { limits } = this.#plan;
    if (!(this.#bytes <= limits.bytes)) {
      throw new PackageError(`the archive unpacks to more than ${showSize(limits.bytes)}`);
    }
  }

  #path(names: readonly string[]): string {
    return [this.#plan.directory, ...names].join("/");
  }
}

function mode(permissions: number, { keep, add }: { readonly keep: number; readonly add: number }): number {
  return (permissions & keep) | add;
}

function words(type: string): string {
  return type === "fifo" ? "named pipe" : type.replaceAll("-", " ");
}

/** The library's errors and the file system's, in words. */
function asPackageError(error: unknown): PackageError {
  if (error instanceof PackageError) return error;
  // Errors of the system have a code, such as ENOSPC: another server may have room.
  if (error instanceof Error && typeof (error as { code?: unknown }).code === "string") {
    const reason = `the archive cannot be unpacked here: ${fileProblem(error)}`;
    return new PackageError(reason, JobStatus.serverFailure);
  }
  const message = fileProblem(error);
  if (/truncated/i.test(message)) return new PackageError("the archive is cut off");
  if (/checksum|tar header|tar number|Invalid EOF/i.test(message)) {
    return new PackageError("the archive is no tar archive, or it is damaged");
  }
  return new PackageError(`the archive cannot be unpacked: ${message}`);
}
