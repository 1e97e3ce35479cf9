/** The program as one text: the bundle of all its modules, with all that they read and the facts of the build. */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildFacts } from "../../cmd/build_facts.ts";
import { run } from "./run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the program is told by {@linkcode setPacked}, besides its workers. */
export interface ProgramFacts {
  readonly facts: Omit<BuildFacts, "kind">;
  readonly licences: string;
}

/**
 * Bundles the program.
 *
 * As a function of `require` it can be evaluated wherever its text comes from, and quickly: other than of modules, nobody
 * looks for its imports, and V8 compiles what is called. It is strict, as all modules are.
 *
 * @param stage a folder to work in
 * @returns an expression: the function; the same for the same sources, wherever they lie
 */
export async function bundleProgram(stage: string, about: ProgramFacts): Promise<string> {
  const workers: Record<string, string> = {};
  for (const path of await findWorkers(`${ROOT}cmd`)) {
    const name = basename(path);
    if (name in workers) throw new Error(`Two workers are called ${name}`);
    workers[name] = await bundle(path, `${stage}/worker.js`, "esm");
  }
  const entry = `${stage}/entry.ts`;
  await Deno.writeTextFile(entry, entryText(about, workers));
  return programFunction(await bundle(entry, `${stage}/program.js`, "cjs"));
}

/** Makes a CommonJS module a function of `require`. */
export function programFunction(module: string): string {
  return `(function(require){"use strict";const module={exports:{}};let exports=module.exports;${module}\n})`;
}

/** What a program of that form is called with: Deno's built-in modules. */
export const REQUIRE = "(n=>process.getBuiltinModule(n))";

/** The first module of a packed program. */
function entryText({ facts, licences }: ProgramFacts, workers: Readonly<Record<string, string>>): string {
  return `import { setPacked } from ${JSON.stringify(`${ROOT}cmd/packed.ts`)};
import { main } from ${JSON.stringify(`${ROOT}cmd/main.ts`)};
const facts = { ...${JSON.stringify(facts)}, kind: Deno.build.standalone ? "compiled" : "attached" } as const;
setPacked({ facts, licences: ${JSON.stringify(licences)}, workers: ${JSON.stringify(workers)} });
void main();
`;
}

/** A worker runs in a world of its own, and so it is a bundle of its own. */
async function findWorkers(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await findWorkers(`${folder}/${name}`));
    else if (name.endsWith("_worker.ts")) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

async function bundle(entry: string, output: string, form: "cjs" | "esm"): Promise<string> {
  const line = [
    "bundle",
    "--quiet",
    `--config=${ROOT}deno.json`,
    "--platform=deno",
    `--format=${form}`,
    "--minify",
  ];
  await run(Deno.execPath(), ...line, `--output=${output}`, entry);
  return await Deno.readTextFile(output);
}
