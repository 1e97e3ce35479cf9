/** The licences of all that is in the one file: of the project, of the packages in its bundle, of Deno, and of V8. */
import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LINE = "-".repeat(100);

/** A package from npm, as `deno info --json` tells of it. */
interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath?: string;
}

interface ModuleGraph {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

/** All licences, one behind the other. */
export async function licences(): Promise<string> {
  const parts = [
    part("rsp", await Deno.readTextFile(`${ROOT}LICENSE`)),
    part("Deno, which runs it", await ownText("deno")),
    part("V8, a part of Deno", await ownText("v8")),
    "Deno is put together from some hundred more libraries. Their names, versions and licences stand in its repository,\n" +
    "https://github.com/denoland/deno, in the files Cargo.lock and LICENSE.md of the version that `rsp version` tells.\n",
  ];
  for (const { name, version, localPath } of await npmPackages()) {
    parts.push(part(`${name} ${version} (npm)`, await packageLicence(name, localPath)));
  }
  return parts.join("\n");
}

function part(title: string, text: string): string {
  return `${LINE}\n${title}\n${LINE}\n\n${text.trim()}\n`;
}

async function ownText(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`./licences/${name}.txt`, import.meta.url));
}

/** The packages that the program imports, and theirs, by name. */
async function npmPackages(): Promise<NpmPackage[]> {
  const graph: ModuleGraph = JSON.parse(await run(Deno.execPath(), "info", "--json", `${ROOT}cmd/main.ts`));
  const found = new Map<string, NpmPackage>();
  const waiting = graph.modules.flatMap(({ npmPackage }) => npmPackage ?? []);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const one = graph.npmPackages[id];
    if (one === undefined || found.has(id)) continue;
    found.set(id, one);
    waiting.push(...one.dependencies);
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** @throws {Error} when a package has no such text: then somebody has to look */
async function packageLicence(name: string, path: string | undefined): Promise<string> {
  if (path === undefined) throw new Error(`Where the package ${name} lies is not known`);
  for await (const entry of Deno.readDir(path)) {
    if (/^licen[cs]e(\.(md|txt))?$/i.test(entry.name)) {
      return await Deno.readTextFile(`${path}/${entry.name}`);
    }
  }
  throw new Error(`The package ${name} has no file with its licence in ${path}`);
}
