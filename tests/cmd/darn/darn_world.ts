import { PassThrough } from "node:stream";
import { runProgram } from "../../../cmd/run.ts";
import { jitter } from "../../jitter.ts";
import { recordOutput } from "../world.ts";

/** How long something may take before a test gives up. */
const DEADLINE_MS = 30_000;

/** On loopback, in UDP, without privileges. */
export const LOOPBACK: readonly string[] = ["-H", "127.0.0.1", "-transport=embedded", "-encapsulation=udp"];

/** A program that runs within the test. */
export interface Darn {
  /** Resolves with the exit code. */
  readonly exitCode: Promise<number>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** A line of its input. */
  say(line: string): void;
  /** The end of its input. */
  endInput(): void;
  /** Ctrl+C. */
  interrupt(): void;
  /** Waits until its output has something; what matched does not match again. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** The SCTP port that its first lines tell. */
  port(): Promise<number>;
}

/** Those that run: a test that fails must not leave them to the next one. */
const running = new Set<Darn>();

/** Ends all that runs. */
export async function endAll(): Promise<void> {
  const left = [...running];
  for (const program of left) program.interrupt();
  await Promise.allSettled(left.map(({ exitCode }) => exitCode));
}

/** Starts `rsp darn` with some options. */
export function darn(...line: readonly string[]): Darn {
  return start([...LOOPBACK, ...line]);
}

/** As {@linkcode darn}, with nothing before the options. @param name by which the command is called */
export function start(line: readonly string[], name: string = "darn"): Darn {
  const stdout = recordOutput(), stderr = recordOutput();
  const input = new PassThrough(), end = new AbortController();
  let wake = () => {};
  let seen = 0;
  const write = (text: string) => {
    stdout.write(text);
    wake();
  };
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const match = pattern.exec(stdout.text().slice(seen));
      if (match !== null) {
        seen += match.index + match[0].length;
        await jitter();
        return match;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${pattern} in:\n${stdout.text()}\nerrors:\n${stderr.text()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, left);
      wake = resolve;
      await promise;
      clearTimeout(timer);
    }
  };
  const exitCode = runProgram({
    calledAs: "rsp",
    arguments: [name, ...line],
    stdin: { isTerminal: false, open: () => input },
    stdout: { ...stdout, write },
    stderr,
    variable: () => undefined,
    signal: end.signal,
  });
  const program: Darn = {
    exitCode,
    stdout: stdout.text,
    stderr: stderr.text,
    say: (text) => void input.write(`${text}\n`),
    endInput: () => void input.end(),
    interrupt: () => end.abort(),
    until,
    port: async () =>
      Number((await until(/SCTP port (\d+),|"port":(\d+)/)).slice(1).find((one) => one !== undefined)),
  };
  running.add(program);
  exitCode.finally(() => {
    running.delete(program);
    wake();
  });
  return program;
}

/** A listener with some options, ended by Ctrl+C when the work is done. */
export async function withListener(
  options: readonly string[],
  work: (listener: Darn, port: string) => Promise<void>,
): Promise<void> {
  const listener = darn("-l", ...options);
  try {
    await work(listener, String(await listener.port()));
  } finally {
    await endAll();
  }
}
