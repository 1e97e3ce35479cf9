/** Archives as streams, unpacked by what the first octets say: gzip here, the others by their programs. */
import { PackageError } from "./package_error.ts";
import { showSize } from "./limits.ts";
import type { ArchiveLimits } from "./limits.ts";

/** A way of packing that a program undoes. */
interface Packing {
  readonly program: string;
  readonly magic: readonly number[];
  readonly args: readonly string[];
}

/** Memory that a decompressor may take: xz's largest preset needs 65 MiB. */
const DECOMPRESSOR_MEMORY = "256MiB";

const PACKINGS: readonly Packing[] = [
  { program: "bzip2", magic: [0x42, 0x5a, 0x68], args: ["-dc"] },
  {
    program: "xz",
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    args: ["-dc", `--memlimit-decompress=${DECOMPRESSOR_MEMORY}`],
  },
  { program: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], args: ["-dcq", `--memory=${DECOMPRESSOR_MEMORY}`] },
];

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * Octets that are given to the gzip decompressor at once. What they unpack to is in memory as a whole, and gzip packs by up
 * to 1032.
 */
const GZIP_SLICE = 8192;

/** An archive that is read. */
export interface OpenArchive {
  /** What is in it, unpacked. Fails with a {@linkcode PackageError} when it is damaged or a bomb. */
  readonly octets: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The program that unpacks it has ended. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Opens an archive.
 *
 * @param path a file
 * @param signal ends reading, and the program if there is one
 */
export async function openArchive(
  path: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<OpenArchive> {
  const file = await Deno.open(path);
  const first = new Uint8Array(6);
  const length = await file.read(first) ?? 0;
  await file.seek(0, Deno.SeekMode.Start);
  const packedBytes = (await file.stat()).size;
  const begins = (magic: readonly number[]) =>
    length >= magic.length && magic.every((octet, index) => octet === first[index]);
  if (begins(GZIP_MAGIC)) {
    const unpacked = file.readable.pipeThrough(slices(GZIP_SLICE), { signal })
      .pipeThrough(new DecompressionStream("gzip"));
    const octets = explained(unpacked, "gzip").pipeThrough(guard(packedBytes, limits));
    return { octets, ended: Promise.resolve() };
  }
  const packing = PACKINGS.find(({ magic }) => begins(magic));
  if (packing === undefined) return { octets: file.readable, ended: Promise.resolve() };
  file.close();
  const { octets, ended } = runDecompressor(packing, path, signal);
  return { octets: octets.pipeThrough(guard(packedBytes, limits)), ended };
}

/** Runs the program of a packing, whose end is the stream's. */
function runDecompressor(
  { program, args }: Packing,
  path: string,
  signal: AbortSignal,
): OpenArchive {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args, "--", path],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LC_ALL: "C" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PackageError(
      `the archive is packed by ${program}, which this server does not have: pack it by gzip`,
    );
  }
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch { // it has ended already
      return;
    }
  };
  signal.addEventListener("abort", kill);
  if (signal.aborted) kill();
  const reader = child.stdout.getReader();
  const octets = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      const { success } = await child.status;
      signal.removeEventListener("abort", kill);
      if (success) controller.close();
      else controller.error(damaged(program));
    },
    async cancel() {
      kill();
      signal.removeEventListener("abort", kill);
      await Promise.allSettled([reader.cancel(), child.status]);
    },
  });
  return { octets, ended: child.status.then(() => {}) };
}

/** The same stream, but its error says what is wrong. */
function explained(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  program: string,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        controller.error(damaged(program));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function damaged(program: string): PackageError {
  return new PackageError(`the archive is damaged: ${program} cannot unpack it`);
}

/** Passes octets on in pieces of at most so many. */
function slices(
  length: number,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += length) controller.enqueue(chunk.subarray(at, at + length));
    },
  });
}

/** Counts what comes out of a decompressor and ends it when that is too much. */
function guard(
  packedBytes: number,
  { bytes, ratio, ratioFromBytes }: ArchiveLimits,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let unpacked = 0;
  // Headers and padding of the archive come on top of its files, which are counted again when they are written.
  const most = 2 * bytes + ratioFromBytes;
  return new TransformStream({
    transform(chunk, controller) {
      unpacked += chunk.length;
      if (unpacked > most) {
        throw new PackageError(`the archive unpacks to more than ${showSize(most)}`);
      }
      if (unpacked > ratioFromBytes && unpacked > ratio * packedBytes) {
        throw new PackageError(
          `the archive is a bomb: its ${showSize(packedBytes)} unpack to more than ${ratio} times as much`,
        );
      }
      controller.enqueue(chunk);
    },
  });
}
