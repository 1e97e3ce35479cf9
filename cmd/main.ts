/** The entry point of `rsp`: joins the process to {@linkcode runProgram}. The only place that ends the process. */
import { basename } from "node:path";
import process from "node:process";
import type { Output } from "./command.ts";
import { isBackground } from "./driver/daemon.ts";
import { listenForEnd } from "./driver/signals.ts";
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

/** The name the binary was called by; scripts and bundles hand it over in RSP_CALLED_AS. */
function calledAs(): string {
  const name = Deno.env.get("RSP_CALLED_AS") ?? (Deno.build.standalone ? firstArgument() : "rsp");
  return basename(name).replace(/\.exe$/, "");
}

/** How the shell called the compiled binary. Deno itself only tells the file behind the link. */
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

if (import.meta.main) {
  const stderr = output(Deno.stderr);
  const end = listenForEnd({
    onSecond: (exitCode) => Deno.exit(exitCode),
    outlivesTerminal: isBackground((name) => Deno.env.get(name)),
  });
  let exitCode = 1;
  try {
    exitCode = await runProgram({
      calledAs: calledAs(),
      arguments: Deno.args,
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
