/** Options of the scripting service's driver (reference/rsplib.md §1.4, and limits that RSPLIB does not have). */
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { fileProblem } from "../../driver/file_problem.ts";
import { choice, flag, integer, OptionError, text } from "../../options.ts";
import type { Option, OptionValues } from "../../options.ts";
import type { ScriptingDriverOptions } from "./driver.ts";
import { DEFAULT_JOB_LIMITS } from "./limits.ts";
import type { SandboxMode } from "./sandbox.ts";

const group = "Scripting service";

const KIBI = 2 ** 10, MEBI = 2 ** 20;

/** The options, by name. */
export interface ScriptingRunOptions {
  readonly sssandbox: Option<SandboxMode>;
  readonly ssmaxtime: Option<number>;
  readonly ssmaxmemory: Option<number>;
  readonly ssmaxprocesses: Option<number>;
  readonly ssmaxdisk: Option<number>;
  readonly ssmaxoutput: Option<number>;
  readonly ssmaxconsole: Option<number>;
  readonly sskeeptempdirs: Option<boolean>;
  readonly sskeyring: Option<string | undefined>;
  readonly sstrustdb: Option<string | undefined>;
  readonly sscachemaxsize: Option<number>;
  readonly sscachemaxentries: Option<number>;
  readonly sscachedirectory: Option<string | undefined>;
  readonly [name: string]: Option<unknown>;
}

/** Options that say how jobs are run. */
export const scriptingRunOptions: ScriptingRunOptions = {
  sssandbox: choice(
    ["auto", "bwrap", "none"],
    "Keep jobs from the network and the rest of the machine by bubblewrap; auto = where it works",
    { group, defaultValue: "auto" },
  ),
  ssmaxtime: integer("Longest time of a job; 0 = any", {
    group,
    valueName: "s",
    min: 0,
    max: 2_000_000,
    defaultValue: DEFAULT_JOB_LIMITS.timeMs / 1000,
  }),
  ssmaxmemory: limit(
    "Memory of a job's processes together; 0 = any",
    "MiB",
    DEFAULT_JOB_LIMITS.memoryBytes / MEBI,
  ),
  ssmaxprocesses: limit("Processes and threads of a job; 0 = any", "n", DEFAULT_JOB_LIMITS.processes),
  ssmaxdisk: limit(
    "Room on the disk for a job and its package; 0 = any",
    "MiB",
    DEFAULT_JOB_LIMITS.diskBytes / MEBI,
  ),
  ssmaxoutput: limit("Size of a job's result; 0 = any", "MiB", DEFAULT_JOB_LIMITS.outputBytes / MEBI),
  ssmaxconsole: limit(
    "Length of what a job may write to its standard output and error; 0 = any",
    "KiB",
    DEFAULT_JOB_LIMITS.consoleBytes / KIBI,
  ),
  sskeeptempdirs: flag("Keep the directories of sessions, to look for errors in jobs", { group }),
  sskeyring: text("Run only what is signed by a key of this keyring (gpg --export writes one)", {
    group,
    valueName: "file",
    defaultValue: undefined,
    defaultText: "anything is run",
  }),
  sstrustdb: text("GnuPG's trust database that says which keys of the keyring are valid", {
    group,
    valueName: "file",
    defaultValue: undefined,
    defaultText: "all of them",
  }),
  sscachemaxsize: integer("Size of the cache of environments", {
    group,
    valueName: "KiB",
    min: 128,
    max: 1_000_000_000,
    defaultValue: 131_072,
  }),
  sscachemaxentries: integer("Environments in the cache", {
    group,
    min: 1,
    max: 100_000,
    defaultValue: 16,
  }),
  sscachedirectory: text("Where the cache of environments is kept from one run to the next", {
    group,
    valueName: "directory",
    defaultValue: undefined,
    defaultText: "a temporary one",
  }),
};

/**
 * What the options mean to a driver.
 *
 * @throws {OptionError} when two of them contradict each other, or name a file that cannot be read
 */
export function scriptingDriverOptions(
  values: OptionValues<ScriptingRunOptions>,
): Omit<ScriptingDriverOptions, "log"> {
  const { sskeyring: keyring, sstrustdb: trustDatabase } = values;
  if (trustDatabase !== undefined && keyring === undefined) {
    throw new OptionError("option -sstrustdb needs -sskeyring, too: the keys that it says something of");
  }
  for (const [name, path] of [["sskeyring", keyring], ["sstrustdb", trustDatabase]] as const) {
    if (path !== undefined) checkReadable(name, path);
  }
  return {
    directory: tmpdir(),
    sandbox: values.sssandbox,
    keepDirectories: values.sskeeptempdirs,
    limits: {
      timeMs: values.ssmaxtime * 1000,
      memoryBytes: values.ssmaxmemory * MEBI,
      processes: values.ssmaxprocesses,
      diskBytes: values.ssmaxdisk * MEBI,
      outputBytes: values.ssmaxoutput * MEBI,
      consoleBytes: values.ssmaxconsole * KIBI,
    },
    // GnuPG looks for files without a slash in a directory of its own.
    keys: keyring === undefined ? undefined : {
      keyring: resolve(keyring),
      trustDatabase: trustDatabase === undefined ? undefined : resolve(trustDatabase),
    },
    cache: {
      directory: values.sscachedirectory,
      maxBytes: values.sscachemaxsize * KIBI,
      maxEntries: values.sscachemaxentries,
    },
  };
}

function limit(summary: string, valueName: string, defaultValue: number): Option<number> {
  return integer(summary, { group, valueName, min: 0, max: 1_000_000_000, defaultValue });
}

function checkReadable(name: string, path: string): void {
  try {
    Deno.openSync(path).close();
  } catch (error) {
    throw new OptionError(`option -${name}: cannot read ${path}: ${fileProblem(error)}`);
  }
}
