/** Commands within the test's own process, over the embedded stack and loopback. */
import type { Readable } from "node:stream";
import type { Command, Output } from "../../cmd/command.ts";
import { parseOptions } from "../../cmd/parse_options.ts";
import { command as registrar } from "../../cmd/registrar/command.ts";
import { jitter } from "../jitter.ts";

/** Nothing here takes longer unless it is broken. A command that hangs is ended, as by Ctrl+C. */
const DEADLINE_MS = 30_000, LIFE_MS = 120_000;

const TRANSPORT = ["-transport=embedded", "-encapsulation=udp", "-asapannounce=off", "-json"];

/** A line of a log. */
export type Line = Readonly<Record<string, unknown>>;

/** A command with what is around it. */
export interface StartedCommand {
  readonly command: Command;
  readonly stdin?: Readable;
  readonly variables?: Readonly<Record<string, string>>;
}

/** A command that runs, with its log as JSON objects. */
export class Program {
  readonly lines: Line[] = [];
  readonly ended: Promise<number>;
  readonly #abort = new AbortController();
  #waiting: (() => void) | undefined;

  /** Starts a command, with something to read and an environment if they are given. */
  constructor(started: Command | StartedCommand, ...line: string[]) {
    const { command, stdin, variables = {} } = "command" in started ? started : { command: started };
    const variable = (name: string) => variables[name];
    const { values, given, positionals } = parseOptions(command.options, [...TRANSPORT, ...line], variable);
    const output: Output = {
      isTerminal: false,
      write: (text) => {
        for (const one of text.trim().split("\n")) this.lines.push(JSON.parse(one));
        this.#waiting?.();
      },
      size: () => ({ columns: 80, rows: 24 }),
    };
    this.ended = command.run({
      program: command.name,
      calledAs: command.name,
      options: values,
      given,
      positionals,
      stdin: stdin === undefined ? undefined : { isTerminal: false, open: () => stdin },
      stdout: output,
      stderr: output,
      variable,
      signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(LIFE_MS)]),
    });
  }

  /** The first line with this event, or the one of that number. */
  async event(event: string, number = 1): Promise<Line> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = this.lines.filter((line) => line["event"] === event)[number - 1];
      if (found !== undefined) {
        await jitter();
        return found;
      }
      await new Promise<void>((resolve, reject) => {
        this.#waiting = resolve;
        deadline.onabort = () => reject(new Error(`no ${event} in ${JSON.stringify(this.lines, null, 1)}`));
      });
    }
  }

  /** Ctrl+C. */
  async stop(): Promise<number> {
    this.#abort.abort("SIGINT");
    return await this.ended;
  }
}

/** Starts a registrar. @returns it, and the option by which others find it */
export async function startRegistrar(
  ...line: string[]
): Promise<{ readonly program: Program; readonly option: string }> {
  const program = new Program(
    registrar,
    "-asap=127.0.0.1:0",
    "-enrp=127.0.0.1:0",
    "-enrpannounce=off",
    ...line,
  );
  const { asapPort } = await program.event("ports");
  return { program, option: `-registrar=127.0.0.1:${asapPort}` };
}
