/**
 * The main job, end to end: starts a registrar and a fractal server, lets a pool user draw an image, stops them all.
 *
 *     scripts/demo [OPTION of rsp pooluser…]
 *
 * The three programs find each other by multicast, in a group of their own, so that a demonstration neither disturbs nor
 * is disturbed by what else runs on the network.
 */
// deno-lint-ignore-file no-console
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const IMAGE = "fractal.png";

/** Points a second that the server computes: the default image takes seconds instead of a tenth, so that one sees it grow. */
const POINTS_PER_SECOND = 30_000;

/** Far more than the job takes; only there so that nothing hangs for ever. */
const START_LIMIT_MS = 60_000, JOB_LIMIT_MS = 300_000, STOP_LIMIT_MS = 60_000;

/** Ports below the ephemeral range that no service is known for. */
const GROUP_PORT = 23_000 + Math.floor(Math.random() * 5000);

/** Whether Ctrl+C was pressed: the terminal tells it to all programs at once. */
let interrupted = false;

/** A started program whose lines are shown, behind its name, when it may speak. */
class Program {
  readonly name: string;
  readonly child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #streams: Promise<void>[];
  readonly #firstLine = Promise.withResolvers<boolean>();
  #mayWrite = true;

  constructor(name: string, line: readonly string[]) {
    this.name = name;
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--quiet", `${ROOT}/cmd/main.ts`, ...line],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#streams = [this.#follow(this.child.stdout), this.#follow(this.child.stderr)];
    void Promise.all(this.#streams).then(() => this.#firstLine.resolve(false));
  }

  /** Whether it said anything before it ended. */
  async started(): Promise<boolean> {
    const timer = setTimeout(() => this.#firstLine.resolve(false), START_LIMIT_MS);
    const spoke = await this.#firstLine.promise;
    clearTimeout(timer);
    return spoke;
  }

  /** Keeps its lines back while something else has the screen. */
  hush(): void {
    this.#mayWrite = false;
  }

  /** Shows the lines that were kept back, and those that come. */
  speak(): void {
    this.#mayWrite = true;
    for (const line of this.#lines.splice(0)) this.#show(line);
  }

  /** Ends it as Ctrl+C does, which in a terminal may have reached it already. */
  async stop(): Promise<boolean> {
    if (!interrupted) this.#kill("SIGINT");
    const timer = setTimeout(() => this.#kill("SIGKILL"), STOP_LIMIT_MS);
    const { success } = await this.child.status;
    clearTimeout(timer);
    await Promise.all(this.#streams);
    return success;
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.child.kill(signal);
    } catch { // it has ended already
    }
  }

  async #follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    }
    if (rest !== "") this.#take(rest);
  }

  #take(line: string): void {
    if (this.#mayWrite) this.#show(line);
    else this.#lines.push(line);
    this.#firstLine.resolve(true);
  }

  #show(line: string): void {
    console.log(`${this.name.padEnd(9)} | ${line}`);
  }
}

async function main(options: readonly string[]): Promise<number> {
  const group = `-asapannounce=239.0.0.50:${GROUP_PORT}`;
  const startedAt = performance.now();
  const isOutput = (option: string) => /^--?output=./.test(option);
  const image = resolve(ROOT, options.find(isOutput)?.replace(/^.*?=/, "") ?? IMAGE);
  const rest = options.filter((option) => !isOutput(option));
  const programs: Program[] = [];
  let complete = false;
  try {
    for (
      const [name, line] of [
        ["registrar", ["registrar", group, "-enrpannounce=off"]],
        ["server", ["server", "-fractal", group, `-fgpmaxrate=${POINTS_PER_SECOND}`]],
      ] as const
    ) {
      console.log(`$ rsp ${line.join(" ")}`);
      const program = new Program(name, line);
      programs.push(program);
      if (!await program.started()) throw new Error(`the ${name} did not start`);
    }
    // An image from before would prove nothing.
    await Deno.remove(image).catch(() => {});
    complete = await draw(["pooluser", "-fractal", group, `-output=${image}`, ...rest], programs);
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  }
  const stopped = await stopAll(programs);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (!complete || !stopped) {
    const how = interrupted || terminated.signal.aborted ? "ended before the image was complete," : "failed";
    console.error(`demo: ${how} after ${seconds} s${stopped ? "" : ": a program did not end in order"}`);
    return 1;
  }
  const { size } = await Deno.stat(image);
  console.log(
    `demo: the image is complete: ${relative(ROOT, image)}, ${size} bytes, ${seconds} s from start to end`,
  );
  return 0;
}

/** Runs the pool user, with the screen to itself where there is one. */
async function draw(line: readonly string[], others: readonly Program[]): Promise<boolean> {
  console.log(`$ rsp ${line.join(" ")}`);
  if (Deno.stdout.isTerminal()) others.forEach((program) => program.hush());
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", `${ROOT}/cmd/main.ts`, ...line],
    cwd: ROOT,
    signal: AbortSignal.any([AbortSignal.timeout(JOB_LIMIT_MS), terminated.signal]),
  }).spawn().status;
  others.forEach((program) => program.speak());
  return success;
}

async function stopAll(programs: readonly Program[]): Promise<boolean> {
  let orderly = true;
  for (const program of programs.toReversed()) orderly = await program.stop() && orderly;
  return orderly;
}

const terminated = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupted = true);
Deno.addSignalListener("SIGTERM", () => terminated.abort());
Deno.exit(await main(Deno.args));
