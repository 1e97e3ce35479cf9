/** Carries out the commands of `rsp doctor -fix`. */
import { fileProblem } from "../driver/file_problem.ts";
import type { Runner } from "./treatment.ts";

/** Folders that a user's PATH may lack, and root's commands live in. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin";

/**
 * Runs a command line of words without quotes. `sysctl -w NAME=VALUE` needs no program: the value is written into
 * /proc/sys, which is all that the program would do.
 */
export const runCommand: Runner = async (command) => {
  const setting = /^sysctl -w ([a-z0-9_.]+)=(\S+)$/.exec(command);
  if (setting !== null) return await writeSetting(setting[1] ?? "", setting[2] ?? "");
  const [program = "", ...line] = command.split(" ");
  try {
    const PATH = `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:${SYSTEM_PATH}`;
    const { success, stdout, stderr } = await new Deno.Command(findProgram(program, PATH) ?? program, {
      args: line,
      env: { PATH, LC_ALL: "C" },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return {
      ok: success,
      words: `${text.decode(stderr)}${text.decode(stdout)}`.trim().replaceAll("\n", "; "),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { ok: false, words: `${program} is not installed` };
    return { ok: false, words: error instanceof Error ? error.message : String(error) };
  }
};

async function writeSetting(name: string, value: string): Promise<{ ok: boolean; words: string }> {
  try {
    await Deno.writeTextFile(`/proc/sys/${name.replaceAll(".", "/")}`, `${value}\n`, { create: false });
    return { ok: true, words: "" };
  } catch (error) {
    return { ok: false, words: fileProblem(error) };
  }
}

/**
 * Where a program is.
 *
 * @param path folders, as in the environment variable PATH
 * @returns undefined when it is in none of them
 */
export function findProgram(name: string, path: string): string | undefined {
  for (const folder of path.split(":")) {
    if (folder === "") continue;
    try {
      const file = `${folder}/${name}`;
      const { isFile, mode } = Deno.statSync(file);
      if (isFile && ((mode ?? 0o111) & 0o111) !== 0) return file;
    } catch { // not here
      continue;
    }
  }
  return undefined;
}

/** Where programs are looked for: the user's folders, then those of root's commands. */
export function searchPath(): string {
  return `${Deno.env.get("PATH") ?? ""}:${SYSTEM_PATH}`;
}
