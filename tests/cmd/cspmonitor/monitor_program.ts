/** `rsp cspmonitor` within a test's own process. */
import dgram from "node:dgram";
import { PassThrough } from "node:stream";
import { command } from "../../../cmd/cspmonitor/command.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { writeComponentReport } from "../../../protocol/csp/mod.ts";
import type { ComponentReport } from "../../../protocol/csp/mod.ts";
import { reportOf } from "../../protocol/csp/components.ts";
import { jitter } from "../../jitter.ts";

const DEADLINE_MS = 30_000;

/** Who reports by the minute is not taken for silent while a busy machine lets a test wait. */
const INTERVAL_US = 60_000_000;

/** A monitor that runs in the test's own process, on a port of its own. */
export class MonitorProgram implements AsyncDisposable {
  readonly ended: Promise<number>;
  readonly input: PassThrough = new PassThrough();
  /** What it has written. */
  text: string = "";
  /** The same without its log. */
  shown: string = "";
  size: { columns: number; rows: number } = { columns: 100, rows: 24 };
  readonly #abort = new AbortController();
  readonly #sockets = new Map<string, dgram.Socket>();
  #wake: (() => void) | undefined;
  #port: Promise<number> | undefined;

  constructor(isTerminal: boolean, ...line: string[]) {
    const { values, given, positionals } = parseOptions(
      command.options,
      [
        ...(line.some((word) => word.startsWith("-localaddress")) ? [] : ["-localaddress=127.0.0.1:0"]),
        "-updateinterval=100",
        ...line,
      ],
      () => undefined,
    );
    const output = (terminal: boolean, isLog = false) => ({
      isTerminal: terminal,
      write: (text: string) => {
        this.text += text;
        if (!isLog) this.shown += text;
        this.#wake?.();
      },
      size: () => this.size,
    });
    this.ended = command.run({
      program: command.name,
      calledAs: command.name,
      options: values,
      given,
      positionals,
      stdin: { isTerminal, open: () => this.input },
      stdout: output(isTerminal),
      stderr: output(isTerminal, true),
      variable: (name) => name === "NO_COLOR" ? "1" : undefined,
      signal: this.#abort.signal,
    });
  }

  /** Waits until it has written something. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) {
        await jitter();
        return found;
      }
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`no ${pattern} in ${this.text}`));
      });
    }
  }

  /** Where it awaits reports. Looked for once: thousands of reports may be sent. */
  port(): Promise<number> {
    return this.#port ??= this.says(
      /awaiting reports at 127\.0\.0\.1:(\d+)|-cspserver=127\.0\.0\.1:(\d+)/,
    ).then(([, text, number]) => Number(text ?? number));
  }

  /**
   * Sends it a report, or what is none.
   *
   * @param from any address of the loopback interface
   */
  async send(sent: Partial<ComponentReport> | Uint8Array, from = "127.0.0.1"): Promise<void> {
    const port = await this.port();
    let socket = this.#sockets.get(from);
    if (socket === undefined) {
      const opened = socket = dgram.createSocket("udp4");
      this.#sockets.set(from, opened);
      await new Promise<void>((resolve) => opened.bind(0, from, resolve));
    }
    const data = sent instanceof Uint8Array
      ? sent
      : writeComponentReport(reportOf({ intervalUs: INTERVAL_US, ...sent }));
    await new Promise((resolve) => socket.send(data, port, "127.0.0.1", resolve));
  }

  /** The lines so far, as objects. */
  objects(): Record<string, unknown>[] {
    return this.text.trim().split("\n").map((line) => JSON.parse(line));
  }

  async stop(): Promise<number> {
    this.#abort.abort("SIGINT");
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const socket of this.#sockets.values()) await new Promise<void>((resolve) => socket.close(resolve));
  }
}
