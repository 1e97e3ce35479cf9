/**
 * All checks that need no test run: format, lint, types, purity of `protocol/`, pages for browsers, direction of imports,
 * documentation of the public module, README. Prints one line a check; exits non-zero when one fails.
 *
 *     deno task check
 */
// deno-lint-ignore-file no-console
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { floorViolations } from "./floors.ts";
import type { ImportEdge } from "./floors.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Folders with sources. */
const SOURCE_FOLDERS = ["protocol", "ffi", "cmd", "scripts", "tests"] as const;

interface Outcome {
  readonly ok: boolean;
  /** What is wrong, for people; empty when all is well. */
  readonly complaint: string;
}

async function deno(...line: string[]): Promise<Outcome & { readonly stdout: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: line,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  const output = text.decode(stdout);
  return { ok: success, stdout: output, complaint: success ? "" : text.decode(stderr) + output };
}

/** All TypeScript files below a folder, or all with another ending, as paths within the project. */
async function sources(folder: string, ending = ".ts"): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${ROOT}/${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await sources(path, ending));
    else if (entry.name.endsWith(ending)) found.push(path);
  }
  return found.sort();
}

async function allSources(): Promise<string[]> {
  return ["mod.ts", ...(await Promise.all(SOURCE_FOLDERS.map((folder) => sources(folder)))).flat()];
}

/** The project's configuration, as far as it is read here. */
interface Configuration {
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** Checks types with changes to the project's configuration. */
async function checkIn(
  change: (configuration: Configuration) => Configuration,
  files: readonly string[],
): Promise<Outcome> {
  const { compilerOptions, imports }: Configuration = JSON.parse(
    await Deno.readTextFile(`${ROOT}/deno.json`),
  );
  const path = await Deno.makeTempFile({ prefix: "rsp-check-", suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(change({ compilerOptions, imports })));
    return await deno("check", "--quiet", "--no-lock", "--config", path, ...files);
  } finally {
    await Deno.remove(path);
  }
}

/** `protocol/` again, in a world without Deno, timers, console and text encoders. */
async function purity(): Promise<Outcome> {
  return await checkIn(
    ({ compilerOptions }) => ({ compilerOptions: { ...compilerOptions, lib: ["esnext"] }, imports: {} }),
    await sources("protocol"),
  );
}

/** The scripts of pages, in a browser's world and with the import map that pages have. */
async function pages(): Promise<Outcome> {
  const files = (await sources("cmd", ".js")).filter((path) => path.includes("/page/"));
  const unmarked = files.filter((path) =>
    !/^\/\/ @ts-check\n/.test(Deno.readTextFileSync(`${ROOT}/${path}`))
  );
  if (unmarked.length > 0) {
    return { ok: false, complaint: `no // @ts-check at the top of ${unmarked.join(", ")}` };
  }
  return await checkIn(({ compilerOptions, imports }) => {
    // What TypeScript asks of declarations in modules of its own has no meaning for scripts.
    const { isolatedDeclarations: _1, erasableSyntaxOnly: _2, ...rest } = compilerOptions;
    return {
      compilerOptions: { ...rest, checkJs: true, lib: ["esnext", "dom", "dom.iterable"] },
      imports: { ...imports, "shared/": new URL("../cmd/web/page/", import.meta.url).href },
    };
  }, files);
}

/** What `deno info --json` tells of a module, as far as it is read here. */
interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** Every import of the project, type imports included. */
async function imports(): Promise<ImportEdge[]> {
  const directory = await Deno.makeTempDir({ prefix: "rsp-imports-" });
  try {
    const all = `${directory}/all.ts`;
    const lines = (await allSources()).map((path) =>
      `import ${JSON.stringify(new URL(`../${path}`, import.meta.url).href)};`
    );
    await Deno.writeTextFile(all, lines.join("\n"));
    const { stdout } = await deno("info", "--json", "--config", `${ROOT}/deno.json`, all);
    const graph: { modules: readonly ModuleInfo[] } = JSON.parse(stdout);
    const edges: ImportEdge[] = [];
    for (const { specifier, dependencies } of graph.modules) {
      if (!specifier.startsWith("file:")) continue;
      const from = relative(ROOT, fileURLToPath(specifier));
      if (from.startsWith("..")) continue;
      for (const dependency of dependencies ?? []) {
        const target = dependency.code?.specifier ?? dependency.type?.specifier;
        if (target === undefined) continue;
        const to = target.startsWith("file:") ? relative(ROOT, fileURLToPath(target)) : target;
        edges.push({ from, to });
      }
    }
    return edges;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function direction(): Promise<Outcome> {
  const edges = await imports();
  const complaints = floorViolations(edges);
  if (edges.length === 0) complaints.push("no import was found at all: is `deno info --json` as expected?");
  return { ok: complaints.length === 0, complaint: complaints.join("\n") };
}

/**
 * Documentation of the public module: every exported symbol has a text, and all types it names are exported too. `deno doc`
 * also wants a text for every field, where names such as `port` speak for themselves.
 */
async function documentation(): Promise<Outcome> {
  const { complaint } = await deno("doc", "--lint", "--quiet", "mod.ts");
  const errors = complaint.split(/\n(?=error)/).filter((text) => text.startsWith("error["));
  const weighty = errors.filter((text) =>
    !(text.includes("[missing-jsdoc]") && /\.ts:\d+:(?!1\n)\d+\n/.test(text))
  );
  return { ok: weighty.length === 0, complaint: weighty.join("\n") };
}

const CHECKS: readonly (readonly [string, () => Promise<Outcome>])[] = [
  ["format", () => deno("fmt", "--check", "--quiet")],
  ["lint", () => deno("lint", "--quiet")],
  ["types", async () => await deno("check", "--quiet", ...await allSources())],
  ["purity of protocol/", purity],
  ["pages for browsers", pages],
  ["direction of imports", direction],
  ["documentation of mod.ts", documentation],
  ["README option tables", () => deno("run", "--allow-all", "--quiet", "scripts/readme.ts", "--check")],
];

let failed = 0;
for (const [name, check] of CHECKS) {
  const { ok, complaint } = await check();
  console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
  if (ok) continue;
  failed++;
  console.log(complaint.trimEnd().replaceAll(/^/gm, "       "));
}
console.log(`${CHECKS.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
