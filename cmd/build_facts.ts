/** From what this program was built, and how. */
import { fileURLToPath } from "node:url";
import { packed } from "./packed.ts";

/** How the program came to this machine: from a checkout, as a binary by `deno compile`, or attached to a copy of Deno. */
export type BuildKind = "sources" | "compiled" | "attached";

/** What is known of a build. */
export interface BuildFacts {
  readonly kind: BuildKind;
  /** The commit's hash in hexadecimal; undefined = not known. */
  readonly commit: string | undefined;
  /** Whether files differ from those of the commit. */
  readonly changed: boolean;
  /** When the commit was made, or what SOURCE_DATE_EPOCH said, as ISO 8601 in UTC. */
  readonly date: string | undefined;
}

/** Git answers in some milliseconds; this is for folders on a network that is gone. */
const GIT_LIMIT_MS = 2000;

/** What is known of this build. From sources Git is asked, if there is any. */
export async function buildFacts(): Promise<BuildFacts> {
  const own = packed();
  if (own !== undefined) return own.facts;
  return { ...await askGit(), kind: "sources" };
}

const UNKNOWN = { commit: undefined, changed: false, date: undefined } as const;

async function askGit(): Promise<Omit<BuildFacts, "kind">> {
  const [head, changes] = await Promise.all([
    git("log", "-1", "--format=%H %ct"),
    git("status", "--porcelain", "--untracked-files=no"),
  ]);
  const [commit, seconds] = head?.trim().split(" ") ?? [];
  if (commit === undefined || seconds === undefined) return UNKNOWN;
  const date = new Date(Number(seconds) * 1000).toISOString().replace(".000", "");
  return { commit, changed: changes !== undefined && changes !== "", date };
}

/** What Git says of the folder that this file belongs to; undefined = there is no Git, or no history. */
async function git(...line: string[]): Promise<string | undefined> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  try {
    // Named outright, or Git would take the history of a folder above, which may be anybody's.
    const { success, stdout } = await new Deno.Command("git", {
      args: [`--git-dir=${root}.git`, `--work-tree=${root}`, ...line],
      env: { GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(GIT_LIMIT_MS),
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch { // there is no Git here
    return undefined;
  }
}
