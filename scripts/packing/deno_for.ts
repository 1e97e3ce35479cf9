/** Deno for the processors that the program is packed for. */
import { fileURLToPath } from "node:url";
import { run, tryRun } from "./run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Processors, as `Deno.build.arch` and `uname -m` call them. */
export type Processor = "x86_64" | "aarch64";

/** The processors, by the names of the packages that Deno's makers publish its executables in. */
const PACKAGES: Readonly<Record<Processor, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/** An executable of Deno. */
export interface DenoFile {
  readonly path: string;
  readonly version: string;
}

/**
 * The executable of Deno for a processor: the one that runs this, or one from npm, of the same version where that can be
 * had, or else of the nearest one that differs in its last number only.
 *
 * @throws {Error} when there is none to be had
 */
export async function denoFor(processor: Processor): Promise<DenoFile> {
  const own = Deno.version.deno;
  if (processor === Deno.build.arch) return { path: Deno.execPath(), version: own };
  const folder = `${ROOT}build/tools/deno-${processor}`;
  const name = PACKAGES[processor];
  const options = [
    "install",
    `--prefix=${folder}`,
    "--no-save",
    "--no-fund",
    "--no-audit",
    "--loglevel=error",
    "--force",
  ];
  const machine = ["--os=linux", "--libc=glibc", `--cpu=${name.includes("arm64") ? "arm64" : "x64"}`];
  const exact = await tryRun("npm", [...options, ...machine, `${name}@${own}`]);
  if (!exact.success) await run("npm", ...options, ...machine, `${name}@~${own.replace(/\d+$/, "0")}`);
  const { version } = JSON.parse(await Deno.readTextFile(`${folder}/node_modules/${name}/package.json`));
  return { path: `${folder}/node_modules/${name}/deno`, version: String(version) };
}
