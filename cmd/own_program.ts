/** How this program can be called again: by links, by a service manager, by scripts. */
import { fileURLToPath } from "node:url";
import { packed } from "./packed.ts";

/** One file, or Deno with a module of the sources. */
export type OwnProgram =
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "sources"; readonly deno: string; readonly main: string };

/** How this program was called. */
export function ownProgram(): OwnProgram {
  if (packed() !== undefined) return { type: "file", path: Deno.realPathSync(Deno.execPath()) };
  return { type: "sources", deno: Deno.execPath(), main: fileURLToPath(Deno.mainModule) };
}

/** The program's command line, without options. */
export function ownCommandLine(program: OwnProgram): string[] {
  if (program.type === "file") return [program.path];
  return [program.deno, "run", "--allow-all", "--quiet", program.main];
}

/** The path that people know the program by. */
export function ownPath(program: OwnProgram): string {
  return program.type === "file" ? program.path : program.main;
}
