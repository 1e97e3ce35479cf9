/** Runs the programs that building takes. */

/** Longer than a slow network takes to fetch a program. */
const LIMIT_MS = 10 * 60_000;

/** What a program did. */
export interface Outcome {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and keeps what it prints. */
export async function tryRun(
  program: string,
  line: readonly string[],
  limitMs: number = LIMIT_MS,
): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...line],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(limitMs),
  }).output();
  const text = new TextDecoder();
  return { success, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/**
 * As {@linkcode tryRun}, for what has to succeed.
 *
 * @returns what it printed on standard output
 * @throws {Error} when it fails; says what it printed
 */
export async function run(program: string, ...line: string[]): Promise<string> {
  const { success, stdout, stderr } = await tryRun(program, line);
  if (!success) throw new Error(`Failed: ${program} ${line.join(" ")}\n${stderr}${stdout}`);
  return stdout;
}
