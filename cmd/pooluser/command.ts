/** `rsp pooluser` and `rsp fractalpooluser`: has fractal images computed by a pool. */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import type { Driver } from "../driver/drive.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { LogLevel, openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { openOutputFile } from "../driver/output_file.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { pause } from "../driver/pause.ts";
import { randomIdentifier } from "../driver/random.ts";
import { wallTime } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";
import { OptionError } from "../options.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import { runClient } from "../pool/run_client.ts";
import { LiveBlock } from "../tui/screen.ts";
import { FractalClient } from "../../protocol/app/fractal/client.ts";
import type {
  FractalClientInput,
  FractalClientReport,
  FractalPoints,
  ImageStatistics,
} from "../../protocol/app/fractal/client_types.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { Prng } from "../../protocol/machine.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { describeId, showId } from "../../protocol/param/describe.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { chooseImage } from "./choose_image.ts";
import { describeFractal } from "./describe.ts";
import { hasTrueColour, LineDisplay, LiveDisplay } from "./display.ts";
import type { Display, ImageProgress } from "./display.ts";
import { poolUserOptions } from "./options.ts";
import type { PoolUserOptionValues } from "./options.ts";
import { Picture } from "./picture.ts";
import { imageLines, IMAGES_HEADER } from "./statistics_file.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "pooluser",
  aliases: ["fractalpooluser"],
  summary: "Has fractal images computed by a server pool",
  description: [
    "Finds a registrar, resolves the pool, opens sessions with its elements, shows the image while it grows " +
    "and writes it as a PNG file. When an element fails, another one goes on where it stopped.",
    "Exit codes: 0 the images are complete, 1 an image could not be completed or written, 2 the command " +
    "line is wrong.",
  ],
  options: poolUserOptions,
  examples: [
    { line: "rsp pooluser -fractal", text: "Compute one image into fractal.png" },
    { line: "rsp fractalpooluser -threads=9 -width=1600 -height=1000", text: "Use nine sessions" },
    { line: "rsp fractalpooluser -images=0", text: "One random image after another" },
    {
      line: "rsp fractalpooluser -config=seahorse-valley",
      text: "One of the images that come with the program",
    },
  ],
  run: (context) => runPoolUser(context),
});

async function runPoolUser(context: Context<PoolUserOptionValues>): Promise<number> {
  const { options, stdout, stderr, variable } = context;
  const live = !options.json &&
    (options.picture === "on" || (options.picture === "auto" && hasTrueColour(stdout, variable)));
  await checkOutput("output", options.output);
  if (options.imagestorageprefix !== undefined) {
    await checkOutput("imagestorageprefix", storedName(options.imagestorageprefix, 1));
  }
  const poolHandle = poolHandleOption(options.poolhandle);
  const block = new LiveBlock(stdout);
  const shared = live && stderr.isTerminal;
  const log = openLog(
    shared ? { ...context, stderr: { ...stderr, write: (text) => block.print(text) } } : context,
  );
  const display = live
    ? new LiveDisplay(stdout, block, options.caption)
    : new LineDisplay(stdout, log, options.json);
  // Here already, so that a wrong file is found before the network is opened.
  const firstImage = chooseImage(options, log, Math.random);
  const statistics = openStatistics(options.statsfile, log);
  const user = new PoolUserProgram(context, log, display, firstImage, statistics);
  try {
    return await runClient<FractalClientInput, never, FractalClientReport>(context, log, {
      sessions: options.threads,
      status: user.status,
      wrap: (client) => {
        const prng = new Prng(randomIdentifier());
        return new FractalClient(client, { poolHandle, receiveTimeoutMs: options.recvtimeout, prng });
      },
      onEffect: () => {},
      onReport: (report) => user.report(report),
      work: (driver) => user.run(driver),
    });
  } finally {
    await statistics?.close();
    display.end();
  }
}

function openStatistics(path: string | undefined, log: Log): OutputFile | undefined {
  if (path === undefined) return undefined;
  const onProblem = (sentence: string) => log.warning(sentence, { event: "statistics" });
  const file = openOutputFile({ path, option: "statsfile", onProblem });
  file.write(IMAGES_HEADER);
  return file;
}

/** The images one after another, and what is shown of them. */
class PoolUserProgram {
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.fractalGenerator);
  #messageCount = 0;
  readonly #context: Context<PoolUserOptionValues>;
  readonly #log: Log;
  readonly #display: Display;
  readonly #firstImage: FractalParameter;
  readonly #statistics: OutputFile | undefined;
  readonly #startedAt: WallTime = wallTime();
  #lineCount = 0;
  #progress: ImageProgress | undefined;
  #completed: ((statistics: ImageStatistics) => void) | undefined;

  constructor(
    context: Context<PoolUserOptionValues>,
    log: Log,
    display: Display,
    firstImage: FractalParameter,
    statistics: OutputFile | undefined,
  ) {
    this.#firstImage = firstImage;
    this.#statistics = statistics;
    this.#context = context;
    this.#log = log;
    this.#display = display;
  }

  /** Computes the images. Resolves with the exit code. */
  async run(driver: Driver<FractalClientInput>): Promise<number> {
    const { options, signal } = this.#context;
    for (let image = 1; options.images === 0 || image <= options.images; image++) {
      if (image > 1 && !await pause(1000 * options.interimagetime, signal)) break;
      const statistics = await this.#compute(driver, image);
      if (statistics === "ended") {
        const text = `ended before image ${image} was complete`;
        this.#log.note(text, { event: "ended" });
        this.#display.status(text);
        return options.images === 0 ? 0 : 1;
      }
      if (statistics === "late") {
        const text = `image ${image} is not complete after ${options.timeout} s`;
        this.#log.error(text, { event: "timeout" });
        this.#display.status(text);
        return 1;
      }
      const file = await this.#store(image);
      if (file === undefined) return 1;
      this.#display.completed(this.#progress!, statistics, file);
      this.#writeStatistics(this.#progress!, statistics);
    }
    return 0;
  }

  /** Writes the image that is complete. @returns its file; undefined = it could not be written, as a line in the log says */
  async #store(image: number): Promise<string | undefined> {
    const { output, imagestorageprefix } = this.#context.options;
    const files = [output.replaceAll("%d", String(image))];
    if (imagestorageprefix !== undefined) files.push(storedName(imagestorageprefix, image));
    const png = this.#progress!.picture.png();
    for (const file of files) {
      try {
        await writeFile(file, png);
      } catch (error) {
        this.#log.error(`cannot write ${file}: ${fileProblem(error)}`, { event: "notWritten", file });
        return undefined;
      }
    }
    return files[0];
  }

  #writeStatistics(
    { image, parameter: { width, height } }: ImageProgress,
    statistics: ImageStatistics,
  ): void {
    if (this.#statistics === undefined) return;
    const [startedAt, completedAt] = [this.#startedAt, wallTime()];
    const completed = { image, width, height, completedAt, startedAt, statistics };
    const lines = imageLines(this.#lineCount + 1, completed);
    this.#lineCount += lines.length;
    this.#statistics.write(lines.join(""));
  }

  /** Takes a report of the machine. */
  report(report: FractalClientReport | SessionReport): void {
    this.#note(report);
    if (report.type === "points") {
      this.#paint(report);
      this.#logPoints(report);
      return;
    }
    if (report.type === "imageCompleted") this.#completed?.(report.statistics);
    const { level, text, fields } = describeFractal(report) ??
      describeReport(report as SessionReport);
    this.#log.write(level, text, fields);
    if (level <= LogLevel.note) this.#display.status(text);
  }

  /** What a monitor may want to know, in the words of RSPLIB's program. */
  #note(report: FractalClientReport | SessionReport): void {
    switch (report.type) {
      case "imageStarted":
        this.#messageCount = 0;
        return;
      case "partRequested":
        return this.status.says("Requesting calculation ...");
      case "points":
        this.#messageCount++;
        return this.status.says(
          `Processed packet #${this.#messageCount} of PE ${describeId(report.elementId)}`,
        );
      case "imageCompleted":
        return this.status.says("Image completed!");
      case "partFailover":
      case "partResumed":
      case "partIncomplete":
      case "partInvalid":
      case "partCompleted":
        return;
      default:
        this.status.report(report, performance.now());
    }
  }

  #paint(points: FractalPoints): void {
    const progress = this.#progress;
    if (progress === undefined) return;
    const { options } = this.#context;
    progress.picture.paint(points, {
      run: options.colormarks ? progress.image - 1 : 0,
      peChanges: options.colormarks ? points.peChanges : 0,
      session: options.sessions ? points.part : 0,
    });
    progress.missing = points.missing;
    const before = progress.elements.get(points.elementId) ?? 0;
    progress.elements.set(points.elementId, before + points.values.length);
    this.#display.grown(progress, points);
  }

  #logPoints({ part, elementId, x, y, values, missing }: FractalPoints): void {
    const count = values.length, element = showId(elementId);
    const text = `part ${part + 1}: ${count} points from (${x}, ${y}) on by ${element}, ${missing} missing`;
    this.#log.verbose(text, { event: "points", part, element, x, y, count, missing });
  }

  async #compute(
    driver: Driver<FractalClientInput>,
    image: number,
  ): Promise<ImageStatistics | "ended" | "late"> {
    const { options, signal } = this.#context;
    const parameter = image === 1 ? this.#firstImage : chooseImage(options, this.#log, Math.random);
    this.#progress = {
      image,
      parameter,
      picture: new Picture(parameter.width, parameter.height),
      startedAt: performance.now(),
      missing: parameter.width * parameter.height,
      elements: new Map(),
    };
    this.#display.started(this.#progress);
    const completed = Promise.withResolvers<ImageStatistics>();
    this.#completed = completed.resolve;
    driver.input({ type: "image", parameter, sessions: options.threads });
    const over = new AbortController();
    const limitMs = options.timeout === 0 ? Infinity : 1000 * options.timeout;
    const limit = pause(limitMs, AbortSignal.any([signal, over.signal]));
    try {
      return await Promise.race([completed.promise, limit.then((passed) => passed ? "late" : "ended")]);
    } finally {
      over.abort();
    }
  }
}

/** Where `-imagestorageprefix` keeps an image. */
function storedName(prefix: string, image: number): string {
  return `${prefix}${String(image).padStart(6, "0")}.png`;
}

/** Finds out before the work starts that its result could not be written. */
async function checkOutput(option: string, path: string): Promise<void> {
  const folder = dirname(path);
  if (!await isFolder(folder)) throw new OptionError(`option -${option}: there is no folder ${folder}`);
  if (path.endsWith("/") || await isFolder(path)) {
    throw new OptionError(`option -${option}: ${path} is a folder, not a file to write`);
  }
  const target = await stat(path).then(() => path, () => folder);
  await access(target, constants.W_OK).catch(() => {
    throw new OptionError(`option -${option}: ${target} may not be written`);
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}
