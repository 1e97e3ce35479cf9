/** Shows a text or a page to a person, by the programs that people have for it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, searchPath } from "../driver/programs.ts";
import { leaveInterrupts } from "../driver/signals.ts";

/** Programs that show texts page by page, the best first. */
const PAGERS: readonly string[] = ["less", "more"];

/**
 * Shows a page by `man`.
 *
 * @param name of the page, for its headline
 * @returns whether it could
 */
export async function showPage(name: string, page: string): Promise<boolean> {
  const man = findProgram("man", searchPath());
  if (man === undefined) return false;
  const folder = mkdtempSync(join(tmpdir(), "rsp-man-"));
  try {
    const file = join(folder, `${name}.1`);
    writeFileSync(file, page);
    // `./` would do for some, an absolute path does for all of them; -l says that it is a file.
    return await runInForeground(man, ["-l", file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Shows a text page by page.
 *
 * @param variable looks up an environment variable
 * @returns whether it could
 */
export async function showText(
  text: string,
  variable: (name: string) => string | undefined,
): Promise<boolean> {
  const wanted = variable("PAGER") ?? "";
  const line = wanted !== "" ? ["sh", "-c", wanted] : PAGERS.map((name) => findProgram(name, searchPath()))
    .filter((found) => found !== undefined).slice(0, 1);
  const [program, ...rest] = line;
  return program !== undefined && await runInForeground(program, rest, text);
}

/** Runs a program on this terminal until it ends. @returns whether it went well */
async function runInForeground(program: string, line: readonly string[], input?: string): Promise<boolean> {
  try {
    using _interrupts = leaveInterrupts();
    const child = new Deno.Command(program, {
      args: [...line],
      stdin: input === undefined ? "inherit" : "piped",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    if (input !== undefined) await feed(child.stdin, input);
    return (await child.status).success;
  } catch { // it cannot be run
    return false;
  }
}

async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch { // whoever reads has seen enough
    return;
  }
}
