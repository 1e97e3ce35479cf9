/** A program of the project as a benchmark sees it: its lines, its memory, and the processor time that it takes. */

/** Hertz of the times in /proc, on all of Linux. */
const TICKS_PER_SECOND = 100;

/** How often an ending program is looked at: what it took since is not known. */
const LOOK_MS = 20;

/** What a program has taken. */
export interface Usage {
  /** Of all its threads. */
  readonly cpuMs: number;
  /** The most at any time. */
  readonly peakMegabytes: number;
}

const NOTHING: Usage = { cpuMs: 0, peakMegabytes: 0 };

/** A program that runs. */
export class Program {
  readonly #child: Deno.ChildProcess;
  readonly #piped: boolean;
  readonly #watch: ReturnType<typeof setInterval>;
  #usage = NOTHING;

  /** @param piped whether its lines are wanted; `lines` reads them */
  constructor(args: readonly string[], piped: boolean) {
    const main = new URL("../../cmd/main.ts", import.meta.url).pathname;
    this.#piped = piped;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", "--no-check", main, ...args],
      stdin: "null",
      stdout: piped ? "piped" : "null",
      stderr: "inherit",
    }).spawn();
    this.#watch = setInterval(() => this.usage(), LOOK_MS);
  }

  /** What it has taken by now, or had taken shortly before its end. */
  usage(): Usage {
    return this.#usage = usageOf(this.#child.pid) ?? this.#usage;
  }

  /** Its output, as one JSON object a line; then it has ended. */
  async *lines(): AsyncGenerator<Readonly<Record<string, unknown>>> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield JSON.parse(line);
    }
    await this.#end();
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    if (this.#piped) await this.#child.stdout.cancel();
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#child.status;
    clearInterval(this.#watch);
  }
}

function usageOf(pid: number): Usage | undefined {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    const peak = /^VmHWM:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    if (peak === undefined) return undefined; // it has ended, and nobody has asked how
    const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, proc(5)
    return { cpuMs: 1000 * ticks / TICKS_PER_SECOND, peakMegabytes: Math.round(Number(peak) / 1024) };
  } catch {
    return undefined;
  }
}
