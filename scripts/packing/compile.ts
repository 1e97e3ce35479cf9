/** Packing by `deno compile`, which needs a base program that it downloads, or that DENORT_BIN names. */
import type { Processor } from "./deno_for.ts";
import { Machine, machineOf } from "./elf.ts";
import { REQUIRE } from "./program.ts";
import { tryRun } from "./run.ts";

/** Enough to download the base program over a slow line; a network that answers nothing is not waited for any longer. */
const LIMIT_MS = 180_000;

const MACHINES: Readonly<Record<Processor, Machine>> = { x86_64: Machine.x86, aarch64: Machine.arm };

/**
 * Makes one file of a program.
 *
 * @param stage a folder to work in
 * @param program a function of `require`, as `bundleProgram()` makes it
 * @returns undefined when it is made, or else why it is not
 */
export async function compileProgram(
  stage: string,
  program: string,
  processor: Processor,
  output: string,
): Promise<string | undefined> {
  const main = `${stage}/main.js`;
  await Deno.writeTextFile(main, compiledModule(program));
  const options = ["--quiet", "--allow-all", "--no-check", "--no-config", "--no-lock"];
  const target = `--target=${processor}-unknown-linux-gnu`;
  const line = ["compile", ...options, target, `--output=${output}`, main];
  const { success, stderr } = await tryRun(Deno.execPath(), line, LIMIT_MS);
  if (!success) return reason(stderr);
  if (machineOf(await Deno.readFile(output)) !== MACHINES[processor]) {
    return "DENORT_BIN is for another processor";
  }
  return undefined;
}

/** The module that Deno compiles. */
export function compiledModule(program: string): string {
  return `${program}${REQUIRE};\n`;
}

/** The innermost cause that Deno names, or else its first line. */
export function reason(text: string): string {
  const [message = ""] = text.split("\nStack backtrace:");
  const causes = [...message.matchAll(/^ *\d+: (.*)$/gm)].map(([, cause]) => cause);
  return causes.at(-1) ?? message.split("\n", 1)[0]!.replace(/^error: /, "");
}
