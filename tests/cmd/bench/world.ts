/** `rsp bench` within one process, over the embedded stack and loopback. */
import type { Output } from "../../../cmd/command.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { command } from "../../../cmd/bench/command.ts";
import { jitter } from "../../jitter.ts";

/** Nothing here takes longer unless it is broken. */
const DEADLINE_MS = 20_000;

/** A line of `-json`. */
export type Line = Readonly<Record<string, unknown>>;

/** A call that runs. */
export class Call {
  readonly ended: Promise<number>;
  readonly #abort = new AbortController();
  #stdout = "";
  #stderr = "";
  #waiting: (() => void) | undefined;

  /** @param line as behind `rsp bench` */
  constructor(...line: readonly string[]) {
    const transport = ["-transport=embedded", "-encapsulation=udp"];
    if (!line.some((word) => word.startsWith("-local="))) transport.push("-local=127.0.0.1");
    const { values, given, positionals } = parseOptions(
      command.options,
      [...line, ...transport],
      () => undefined,
    );
    const output = (take: (text: string) => void): Output => ({
      isTerminal: false,
      write: (text) => {
        take(text);
        this.#waiting?.();
      },
      size: () => ({ columns: 80, rows: 24 }),
    });
    this.ended = command.run({
      program: "rsp bench",
      calledAs: "bench",
      options: values,
      given,
      positionals,
      stdout: output((text) => this.#stdout += text),
      stderr: output((text) => this.#stderr += text),
      variable: () => undefined,
      signal: this.#abort.signal,
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Standard output as objects, without the line about the transport. */
  get results(): Line[] {
    return this.#stdout.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
      .filter(({ type }) => type !== "transport");
  }

  /** Waits until standard output matches. */
  async says(pattern: RegExp): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (!pattern.test(this.#stdout)) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = resolve;
        deadline.onabort = () => reject(new Error(`no ${pattern} in ${this.#stdout}${this.#stderr}`));
      });
    }
    await jitter();
  }

  /** Ctrl+C. */
  interrupt(): void {
    this.#abort.abort("SIGINT");
  }
}

/** Runs a client against a server that ends with it. */
export async function measure(
  port: number,
  ...line: readonly string[]
): Promise<{ readonly exitCode: number; readonly client: Call; readonly server: Call }> {
  const server = new Call("-listen", "-once", "-json", `-port=${port}`);
  await server.says(/listening/);
  const client = new Call(`127.0.0.1:${port}`, "-json", ...line);
  const exitCode = await client.ended;
  server.interrupt(); // where the client did not get as far as an association
  await server.ended;
  return { exitCode, client, server };
}
