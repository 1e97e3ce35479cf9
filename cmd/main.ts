/** The entry point of `rsp`: joins the process to {@linkcode runProgram}. The only place that ends the process. */
import type { Output } from "./command.ts";
import { isBackground } from "./driver/background.ts";
import { listenForEnd } from "./driver/signals.ts";
import { packed } from "./packed.ts";
import { runProgram } from "./run.ts";

type StandardStream = Pick<typeof Deno.stdout, "writeSync" | "isTerminal">;

const encoder = new TextEncoder();

function output(stream: StandardStream): Output {
  let broken = false;
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      let rest = encoder.encode(text);
      while (rest.length > 0 && !broken) {
        try {
          rest = rest.subarray(stream.writeSync(rest));
        } catch (error) {
          // A reader that has gone, as in `rsp … | head -1`, must not end a server; a slow one is waited for.
          broken = !(error instanceof Deno.errors.WouldBlock || error instanceof Deno.errors.Interrupted);
        }
      }
    },
    isBroken: () => broken,
    size() {
      try {
        return Deno.consoleSize();
      } catch { // not a terminal
        return { columns: 80, rows: 24 };
      }
    },
  };
}

/** The file that the program was called by, or its name alone; RSP_CALLED_AS has the last word. */
function calledBy(): string {
  const given = Deno.env.get("RSP_CALLED_AS");
  Deno.env.delete("RSP_CALLED_AS"); // which programs that this one starts have nothing to do with
  return given ?? (packed() === undefined ? "rsp" : firstArgument());
}

/** How the shell called the packed program. Deno itself only tells the file behind the link. */
function firstArgument(): string {
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0")[0] ?? "rsp";
  } catch { // not Linux
    return Deno.execPath();
  }
}

/** One line for what no command foresaw, and the whole story with RSP_DEBUG. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (Deno.env.get("RSP_DEBUG") ?? "") === "" ? error.message : error.stack ?? error.message;
}

/** Runs the program, and ends the process with its exit code. */
export async function main(): Promise<never> {
  const stderr = output(Deno.stderr);
  const end = listenForEnd({
    onSecond: (exitCode) => Deno.exit(exitCode),
    outlivesTerminal: isBackground((name) => Deno.env.get(name)),
  });
  const file = calledBy();
  let exitCode = 1;
  try {
    exitCode = await runProgram({
      calledAs: file.slice(file.lastIndexOf("/") + 1).replace(/\.exe$/, ""),
      arguments: Deno.args,
      // Importing node:process would cost every start what only those who read need.
      // deno-lint-ignore no-process-global
      stdin: { isTerminal: Deno.stdin.isTerminal(), open: () => process.stdin },
      stdout: output(Deno.stdout),
      stderr,
      variable: (name) => Deno.env.get(name),
      signal: end.signal,
    });
  } catch (error) {
    stderr.write(`rsp: ${explain(error)}\n`);
  }
  Deno.exit(exitCode);
}

// No `await` here: the form in which the program is packed has none outside functions.
if (import.meta.main) void main();
