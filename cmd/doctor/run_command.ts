/** Carries out the commands of `rsp doctor -fix`. */
import { fileProblem } from "../driver/file_problem.ts";
import { findProgram, SYSTEM_PATH } from "../driver/programs.ts";
import type { Runner } from "./treatment.ts";

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
