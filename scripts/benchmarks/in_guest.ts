/** The part of a benchmark that runs in the kernel lab: one boot, one script, a result a line. */
import { fileURLToPath } from "node:url";
import { missingPackages, runGuest } from "../kernel_lab/guest.ts";
import type { Result } from "./result.ts";

/** Where the project is. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** What to run there. */
export interface GuestScript<Task> {
  /** Path of the script from the project's root. It prints results as JSON, one a line; the rest is for people. */
  readonly script: string;
  /** Its only argument, as JSON. */
  readonly task: Task;
  /** Further files that it runs; the guest has no network, so all that is imported is fetched and compiled before. */
  readonly files: readonly string[];
  readonly timeoutSeconds: number;
}

/**
 * Runs a script under a kernel with SCTP.
 *
 * @throws {Error} when the lab lacks something or the script fails
 */
export async function runInGuest<Task>(
  { script, task, files, timeoutSeconds }: GuestScript<Task>,
  emit: (result: Result) => void,
): Promise<void> {
  const missing = missingPackages();
  if (missing.length > 0) throw new Error(`these Debian packages are missing: ${missing.join(" ")}`);
  await run(Deno.execPath(), "cache", "--quiet", script, ...files);
  const status = await runGuest({
    command: [
      Deno.execPath(),
      ..."run --quiet --allow-all --no-check --cached-only".split(" "),
      script,
      JSON.stringify(task),
    ],
    directory: ROOT,
    timeoutSeconds,
    onOutput: byLine((line) => {
      if (line.startsWith("{")) emit(JSON.parse(line));
      else Deno.stderr.writeSync(new TextEncoder().encode(`guest: ${line}\n`));
    }),
  });
  if (status !== 0) throw new Error(`the guest's half ended with status ${status}`);
}

/** Runs a program in the project's root. @throws {Error} with what it said when it fails */
export async function run(program: string, ...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: words, cwd: ROOT }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Says a result to the host. */
export function sayResult(result: Result): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}

function byLine(onLine: (line: string) => void): (octets: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  return (octets) => {
    const lines = (rest + decoder.decode(octets, { stream: true })).replaceAll("\r", "").split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  };
}
