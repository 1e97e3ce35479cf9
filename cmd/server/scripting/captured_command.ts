/** Runs a program that answers and ends. */
import { fileProblem } from "../../driver/file_problem.ts";

/** What a program said. */
export interface Captured {
  readonly success: boolean;
  readonly stderr: string;
}

/** Octets that are kept of what a program says beside its work. */
const MAX_WORDS = 64 * 1024;

/** What to run. */
export interface CapturedPlan {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes its standard output, piece by piece; what it throws ends the program and is thrown. */
  readonly onOutput: (chunk: Uint8Array) => Promise<void>;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program without the server's environment.
 *
 * @throws {Error} when it cannot be started: the message is a sentence
 */
export async function runCaptured({ program, args, env, onOutput, signal }: CapturedPlan): Promise<Captured> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LC_ALL: "C", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal,
    }).spawn();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Deno.errors.NotFound) throw new Error(`the program ${program} is not installed`);
    throw new Error(`cannot start ${program}: ${fileProblem(error)}`, { cause: error });
  }
  const words = firstWords(child.stderr);
  try {
    for await (const chunk of child.stdout) await onOutput(chunk);
  } catch (error) {
    try {
      child.kill("SIGKILL");
    } catch { // it has ended
    }
    await Promise.allSettled([words, child.status]);
    throw error;
  }
  const { success } = await child.status;
  signal.throwIfAborted();
  return { success, stderr: await words };
}

async function firstWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MAX_WORDS) text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
