/**
 * Where jobs run: in bubblewrap's namespaces with a system that they can only read and without a network, or, where that is
 * not to be had, as plain processes.
 */
import { existsSync } from "node:fs";
import { findProgram, searchPath } from "../../driver/programs.ts";
import { DISPENSABLE_PLACES, findSecrets } from "./secrets.ts";
import type { Secret } from "./secrets.ts";
import type { Workspace } from "./workspace.ts";

/** What `-sssandbox` says. */
export type SandboxMode = "auto" | "bwrap" | "none";

/** How jobs are kept from the rest of the machine. */
export interface Sandbox {
  readonly kind: "bwrap" | "none";
  /** In words, for the log: what it is, or why it is none. */
  readonly description: string;
  /** The command line that goes before the job's own. */
  wrap(workspace: Workspace): readonly string[];
  /** How the job's directory is called where the job runs. */
  jobDirectory(workspace: Workspace): string;
  /** How its directory for temporary files is called there. */
  temporaryDirectory(workspace: Workspace): string;
}

/** A sandbox is demanded and cannot be had. The message is a sentence. */
export class SandboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SandboxError";
  }
}

/** The job's directory in the sandbox: the server's paths are nobody's business. */
const JOB_DIRECTORY = "/job";

/**
 * Time for bubblewrap to show that it can. With a thousand secrets it takes some seconds, and on a busy machine many times
 * that: jobs would run without a sandbox where there could be one.
 */
const PROBE_LIMIT_MS = 60_000;

/** Directories of the system beside /usr; on most systems they are links into it. */
const SYSTEM_DIRECTORIES = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/** What programs look for elsewhere, where it exists. */
const MORE_DIRECTORIES = ["/opt", "/nix/store", "/var/cache/fontconfig"];

/**
 * Nothing can be written here. Behind /dev and / is memory, which no limit on files would count. In /proc/sys are settings of
 * the whole machine, which the kernel lets root change, and a job of a server that runs as root is root there, in spite of its
 * namespace and without a capability.
 */
const LOCKED = ["/proc", "/dev", "/"].flatMap((path) => ["--remount-ro", path]);

/** Jobs as plain processes of the server's user. */
export function noSandbox(description: string): Sandbox {
  return {
    kind: "none",
    description,
    wrap: () => [],
    jobDirectory: ({ work }) => work,
    temporaryDirectory: ({ temporary }) => temporary,
  };
}

/**
 * Finds out what can be had.
 *
 * @param program for tests: another program than bubblewrap
 * @param find for tests: finds other secrets than those of the system
 * @throws {SandboxError} when bubblewrap is demanded and cannot do it
 */
export async function chooseSandbox(
  mode: SandboxMode,
  program = "bwrap",
  find: () => readonly Secret[] = findSecrets,
): Promise<Sandbox> {
  if (mode === "none") return noSandbox("jobs run without a sandbox, as -sssandbox=none says");
  const path = findProgram(program, searchPath());
  if (path === undefined) return refuse(mode, "bubblewrap is not installed (package bubblewrap)");
  const secrets = Deno.uid() === 0 ? find() : []; // other users are kept out by the system
  const hidden = DISPENSABLE_PLACES.filter((place) => secrets.some((secret) => secret.path === place));
  let problem: string | undefined;
  // Older ones do not have it.
  for (const hardening of [["--disable-userns"], []]) {
    const words = () => [path, ...hardening, ...systemArguments(secrets)];
    problem = await probe(words());
    if (problem === undefined) return bubblewrap(words, hidden);
  }
  return refuse(mode, `bubblewrap cannot make namespaces here: ${problem}`);
}

function refuse(mode: SandboxMode, why: string): Sandbox {
  if (mode === "auto") return noSandbox(`jobs run without a sandbox: ${why}`);
  throw new SandboxError(`-sssandbox=bwrap is not possible: ${why}`);
}

function bubblewrap(words: () => readonly string[], hidden: readonly string[]): Sandbox {
  return {
    kind: "bwrap",
    description: [
      "jobs run in a sandbox: no network, no other processes, a system to read only",
      ...hidden.map((place) => `nothing of ${place}, where too much is, or too much that is secret`),
    ].join(", "),
    wrap: ({ work, temporary, sharedMemory }) => [
      ...words(),
      ...["--bind", work, JOB_DIRECTORY, "--bind", temporary, "/tmp", "--bind", sharedMemory, "/dev/shm"],
      ...LOCKED,
      ...["--chdir", JOB_DIRECTORY, "--"],
    ],
    jobDirectory: () => JOB_DIRECTORY,
    temporaryDirectory: () => "/tmp",
  };
}

/** Runs the smallest job, with all that a real one gets. */
async function probe(words: readonly string[]): Promise<string | undefined> {
  const [program = "", ...args] = words;
  const limit = AbortSignal.timeout(PROBE_LIMIT_MS);
  try {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args, ...LOCKED, "--", "/bin/sh", "-c", ":"],
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: limit,
    }).output();
    if (success) return undefined;
    if (limit.aborted) return `it is not done within ${PROBE_LIMIT_MS / 1000} s`;
    const said = new TextDecoder().decode(stderr).trim().replace(/^bwrap: /, "").replaceAll("\n", "; ");
    return said === "" ? "it does not say why" : said;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Namespaces and the system as every job sees it. */
function systemArguments(secrets: readonly Secret[]): readonly string[] {
  return [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"],
    ...["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--ro-bind", "/usr", "/usr"],
    ...SYSTEM_DIRECTORIES.flatMap(systemDirectory),
    ...["--ro-bind", "/etc", "/etc"],
    ...MORE_DIRECTORIES.flatMap((directory) => ["--ro-bind-try", directory, directory]),
    ...secrets.flatMap(hide),
    ...["--proc", "/proc", "--dev", "/dev", "--dir", "/tmp", "--dir", JOB_DIRECTORY],
    ...["--symlink", "/tmp", "/var/tmp", "--symlink", "/dev/shm", "/run/shm"],
  ];
}

function systemDirectory(directory: string): readonly string[] {
  try {
    const { isSymlink, isDirectory } = Deno.lstatSync(directory);
    if (isSymlink) return ["--symlink", Deno.readLinkSync(directory), directory];
    return isDirectory ? ["--ro-bind", directory, directory] : [];
  } catch { // this system does not have it
    return [];
  }
}

/** Arguments that hide a secret; none when it has gone since, as there would be nothing to put something else upon. */
function hide({ path, isDirectory }: Secret): readonly string[] {
  if (!existsSync(path)) return [];
  return isDirectory ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
}
