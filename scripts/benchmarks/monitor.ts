/** What `rsp cspmonitor` takes of a machine while a big classroom reports to it. */
import { fileURLToPath } from "node:url";
import { TestBrowser } from "../../tests/browser/browser.ts";
import { delay, type Result, round, type Settings, type Target } from "./result.ts";

/** What there is to see, and the limits that are to be kept. */
const COMPONENTS = 500, INTERVAL_MS = 250, MAX_PERCENT = 25, MAX_MEGABYTES = 150;

/** Before it is measured: all have appeared, and the code has become warm. */
const WARM_UP_MS = 5000;

/** A monitor is looked at for so many times the seconds of a run: it works by the second. */
const LENGTH = 5;

/** No task of the page may take longer: a person would feel it. */
const MAX_TASK_MS = 200;

const PORT = 38_960, WEB_PORT = 38_961, PAGE = `http://127.0.0.1:${WEB_PORT}/`;

/** The ways in which it is used. */
const USES: Readonly<Record<string, Use>> = {
  "lines in a pipe": { line: ["-web=off"] },
  "JSON in a pipe, four times a second": { line: ["-json", "-updateinterval=250", "-web=off"] },
  "a window of a terminal": { line: ["-web=off"], isTerminal: true },
  "lines, and a page that nobody looks at": { line: [`-web=127.0.0.1:${WEB_PORT}`] },
  "lines, and a page four times a second": {
    line: [`-web=127.0.0.1:${WEB_PORT}`, "-updateinterval=250"],
    reader: "stream",
  },
  "lines, and a page in chromium": { line: [`-web=127.0.0.1:${WEB_PORT}`], reader: "browser" },
};

interface Use {
  readonly line: readonly string[];
  readonly isTerminal?: boolean;
  /** Who reads what its page is told: what does nothing but that, or a browser that shows it. */
  readonly reader?: "stream" | "browser";
}

/** Each way in which it is used, one after another. */
export async function monitor({ seconds }: Settings, emit: (result: Result) => void): Promise<void> {
  for (const [what, use] of Object.entries(USES)) {
    const { percentOfCore, megabytes, page } = await measure(use, LENGTH * seconds * 1000);
    emit({
      name: "monitor",
      what,
      figures: { percentOfCore: round(percentOfCore, 1) },
      target: limit("percentOfCore", "25 % of a core", MAX_PERCENT),
    });
    emit({
      name: "monitor",
      what: `${what}: memory`,
      figures: { megabytes },
      target: limit("megabytes", `${MAX_MEGABYTES} MB`, MAX_MEGABYTES),
    });
    if (page === undefined) continue;
    emit({
      name: "monitor",
      what: `${what}: the page`,
      figures: { ...page },
      target: limit("longestTaskMs", `${MAX_TASK_MS} ms`, MAX_TASK_MS),
    });
  }
}

function limit(figure: string, reference: string, referenceValue: number): Target {
  return { figure, reference, referenceValue, factor: 1, isLimit: true };
}

/** What a monitor took. */
interface Taken {
  readonly percentOfCore: number;
  /** The most memory at any time. */
  readonly megabytes: number;
  readonly page: PageFigures | undefined;
}

/** How a page felt. */
interface PageFigures {
  readonly framesPerSecond: number;
  /** For so long a click waits at worst. */
  readonly longestTaskMs: number;
  /** Of the time, in tasks that take longer than 50 ms. */
  readonly percentInLongTasks: number;
}

async function measure(use: Use, lengthMs: number): Promise<Taken> {
  await using program = await startMonitor(use);
  await using _components = startComponents();
  await using reader = use.reader === "stream" ? await PageReader.open() : undefined;
  await using browser = use.reader === "browser" ? await TestBrowser.start() : undefined;
  await using shown = await browser?.open(PAGE);
  await delay(WARM_UP_MS);
  const begin = performance.now(), ticks = cpuTicks(program.pid), readBefore = reader?.octets ?? 0;
  const page = shown === undefined
    ? await delay(lengthMs).then(() => undefined)
    : await shown.ask<PageFigures>(pageFigures(lengthMs));
  const seconds = (performance.now() - begin) / 1000;
  if (reader !== undefined && reader.octets === readBefore) throw new Error("The page was told nothing");
  return {
    percentOfCore: (cpuTicks(program.pid) - ticks) / TICKS_PER_SECOND / seconds * 100,
    megabytes: peakMegabytes(program.pid),
    page,
  };
}

/** What has a page watch itself. */
function pageFigures(lengthMs: number): string {
  return `new Promise((resolve) => {
    const tasks = [];
    let frames = 0, isOver = false;
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)));
    observer.observe({ entryTypes: ["longtask"] });
    const count = () => {
      frames++;
      if (!isOver) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    setTimeout(() => {
      isOver = true;
      observer.disconnect();
      resolve({
        framesPerSecond: Math.round(frames / ${lengthMs / 1000}),
        longestTaskMs: Math.round(Math.max(0, ...tasks)),
        percentInLongTasks: Math.round(tasks.reduce((sum, one) => sum + one, 0) / ${lengthMs} * 100),
      });
    }, ${lengthMs});
  })`;
}

interface Running extends AsyncDisposable {
  readonly pid: number;
}

/** Starts the monitor, in a terminal if it is wanted. */
async function startMonitor({ line, isTerminal = false, reader }: Use): Promise<Running> {
  const main = fileURLToPath(new URL("../../cmd/main.ts", import.meta.url));
  const command = [
    ...[Deno.execPath(), "run", "--quiet", "--allow-all", "--no-check", main],
    ...["cspmonitor", `-localaddress=127.0.0.1:${PORT}`, "-maxpr=100", "-maxpe=1000", "-maxpu=1000", ...line],
  ];
  const pidFile = await Deno.makeTempFile();
  const shellLine = `stty columns 200 rows 60 2>/dev/null; echo $$ >${pidFile}; exec ${
    command.join(" ")
  } 2>&1`;
  const [program = "", ...rest] = isTerminal
    ? ["script", "--quiet", "--return", "--command", shellLine, "/dev/null"]
    : ["sh", "-c", shellLine];
  // Its end is the terminal's, so it stays open.
  const process = new Deno.Command(program, { args: rest, stdin: "piped", stdout: "piped" }).spawn();
  const ready = Promise.withResolvers<void>(), place = reader === undefined ? "127.0.0.1" : PAGE;
  const reading = process.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => text.includes(place) ? ready.resolve() : undefined }),
  );
  await ready.promise;
  return {
    pid: Number(await Deno.readTextFile(pidFile)),
    async [Symbol.asyncDispose]() {
      Deno.kill(Number(await Deno.readTextFile(pidFile)), "SIGTERM");
      await Promise.all([reading, process.status]);
      await process.stdin.close().catch(() => {}); // nobody is left to read it
      await Deno.remove(pidFile);
    },
  };
}

function startComponents(): AsyncDisposable {
  const script = fileURLToPath(new URL("./made_up_components.ts", import.meta.url));
  const words = [PORT, COMPONENTS, INTERVAL_MS].map(String);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", script, ...words],
    stdin: "piped",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await process.status;
    },
  };
}

/** What a page does that is open, as far as the monitor's process is concerned: it reads all that it is told. */
class PageReader implements AsyncDisposable {
  octets = 0;
  readonly #events: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;

  constructor(events: ReadableStream<Uint8Array>) {
    this.#events = events.getReader();
    this.#reading = this.#read();
  }

  static async open(): Promise<PageReader> {
    const { body } = await fetch(`${PAGE}events`);
    if (body === null) throw new Error("The page has no events");
    return new PageReader(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events.cancel();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for (let part = await this.#events.read(); !part.done; part = await this.#events.read()) {
      this.octets += part.value.length;
    }
  }
}

/** The kernel's unit of a process's time on Linux. */
const TICKS_PER_SECOND = 100;

/** Time that a process has had on CPUs, all of its threads, in user mode and in the kernel. */
function cpuTicks(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function peakMegabytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) * 1024 / 1e6);
}
