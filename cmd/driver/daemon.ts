/**
 * Running in the background. A process of Deno cannot fork, so the command line is run again by a process of its own,
 * which belongs to no terminal; the first one waits until that serves, passing on what it says, and ends.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { Output } from "../command.ts";
import { OptionError } from "../options.ts";
import { packed } from "../packed.ts";
import { BACKGROUND_TOKEN } from "./background.ts";
import { fileProblem } from "./file_problem.ts";

/** The side that stays in the background. */
export interface BackgroundSide {
  /** Tells the side that waits: from now on this one serves. */
  ready(): void;
  /** It ends: takes its process ID file away. */
  ended(): void;
}

/** What a background process has to do; undefined in any other process. */
export function backgroundSide(
  pidFile: string,
  stdout: Output,
  variable: (name: string) => string | undefined,
): BackgroundSide | undefined {
  const token = variable(BACKGROUND_TOKEN) ?? "";
  if (token === "") return undefined;
  let told = false;
  return {
    ready() {
      if (!told) stdout.write(`${token}\n`);
      told = true;
    },
    ended() {
      try {
        if (!statSync(pidFile).isFile()) return; // to read from a pipe could last for ever
        if (readFileSync(pidFile, "utf8").trim() === String(Deno.pid)) rmSync(pidFile);
      } catch { // somebody else took it away
      }
    },
  };
}

/** What to run in the background. */
export interface BackgroundOptions {
  /** Gets the process ID. */
  readonly pidFile: string;
  /** The name of the command and its arguments. */
  readonly line: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output;
  /** The user wants an end while the process starts. */
  readonly signal: AbortSignal;
}

/**
 * Runs the program once more, in the background.
 *
 * @returns the exit code: 0 = it serves; else its own, after it has said why
 * @throws {OptionError} when the process ID cannot be written down
 */
export async function runInBackground(options: BackgroundOptions): Promise<number> {
  const { pidFile, stdout, stderr, signal } = options;
  const wasThere = existsSync(pidFile);
  const file = openPidFile(pidFile);
  const token = crypto.randomUUID();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...ownArguments(), ...options.line],
    env: { [BACKGROUND_TOKEN]: token, RSP_CALLED_AS: "rsp" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const onEnd = () => {
    try {
      child.kill("SIGTERM");
    } catch { // it has just ended by itself
    }
  };
  signal.addEventListener("abort", onEnd);
  try {
    const errors = forward(child.stderr, stderr);
    if (await forwardUntil(child.stdout, stdout, token)) {
      writeFileSync(pidFile, `${child.pid}\n`);
      child.unref();
      await errors.stop();
      return 0;
    }
    const { code } = await child.status;
    await errors.ended;
    if (!wasThere && fstatSync(file).size === 0) rmSync(pidFile, { force: true });
    return code === 0 ? 1 : code;
  } finally {
    signal.removeEventListener("abort", onEnd);
    closeSync(file);
  }
}

/** What is in the file stays there until somebody else serves: it may be of a process that runs. */
function openPidFile(path: string): number {
  try {
    return openSync(path, "a");
  } catch (error) {
    throw new OptionError(`option -daemonpidfile: cannot write ${path}: ${fileProblem(error)}`);
  }
}

/** How Deno is told to run this program: nothing when it is one file, else the program's main module. */
function ownArguments(): string[] {
  return packed() === undefined ? ["run", "--allow-all", "--quiet", Deno.mainModule] : [];
}

/** Passes a stream on as it comes. */
function forward(
  stream: ReadableStream<Uint8Array>,
  output: Output,
): { readonly ended: Promise<void>; stop(): Promise<void> } {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const pump = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) output.write(part.value);
  };
  return { ended: pump(), stop: () => reader.cancel() };
}

/** Passes lines on until one is the token. @returns whether it came */
async function forwardUntil(
  stream: ReadableStream<Uint8Array>,
  output: Output,
  token: string,
): Promise<boolean> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === token) return true;
      output.write(`${line}\n`);
    }
  }
  output.write(rest);
  return false;
}
