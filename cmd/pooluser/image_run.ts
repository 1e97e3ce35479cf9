/** The images of a pool user, one after another. */
import type { Context } from "../command.ts";
import type { Driver } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { pause } from "../driver/pause.ts";
import { wallTime } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";
import { describeReport } from "../pool/describe_reports.ts";
import type { CommandOutcome } from "../web/web_server.ts";
import type {
  FractalClientInput,
  FractalClientReport,
  FractalPoints,
  ImageStatistics,
} from "../../protocol/app/fractal/client_types.ts";
import { UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { describeId, showId } from "../../protocol/param/describe.ts";
import { DATA_ENDPOINT } from "../../protocol/session/mod.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import type { Course } from "./course.ts";
import { describeFractal } from "./describe.ts";
import { elementNumber } from "./display.ts";
import type { Display, ImageProgress } from "./display.ts";
import type { PoolUserOptionValues } from "./options.ts";
import { storeImage } from "./output_files.ts";
import { Picture } from "./picture.ts";
import { imageLines } from "./statistics_file.ts";
import type { ImagePage } from "./web/image_page.ts";
import type { Wish } from "./wish.ts";

/** How the computation of an image ended: complete, or why not. */
type ImageOutcome = ImageStatistics | "ended" | "late" | "replaced";

/** What the images are computed with. */
export interface ImageRunPlan {
  readonly context: Pick<Context<PoolUserOptionValues>, "options" | "signal">;
  readonly log: Log;
  readonly course: Course;
  readonly displays: readonly Display[];
  /** One of the displays. */
  readonly page: ImagePage;
  readonly statistics: OutputFile | undefined;
}

/** Computes images, shows them, and writes them to files. */
export class ImageRun {
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.fractalGenerator);
  readonly #plan: ImageRunPlan;
  readonly #startedAt: WallTime = wallTime();
  #driver: Driver<FractalClientInput> | undefined;
  /** Sessions that there are endpoints for. */
  #endpointCount: number;
  #image = 0;
  #messageCount = 0;
  #lineCount = 0;
  #progress: ImageProgress | undefined;
  #ends: ((outcome: ImageStatistics | "replaced") => void) | undefined;
  /** Aborted when what waits is to look again. */
  #news = new AbortController();

  constructor(plan: ImageRunPlan) {
    this.#plan = plan;
    this.#endpointCount = plan.course.sessions;
  }

  /** Computes the images. Resolves with the exit code. */
  async run(driver: Driver<FractalClientInput>): Promise<number> {
    this.#driver = driver;
    do {
      const outcome = await this.#compute(driver, ++this.#image);
      const exitCode = typeof outcome === "string"
        ? this.#incomplete(outcome)
        : await this.#completed(outcome);
      if (exitCode !== undefined) return exitCode;
    } while (await this.#another());
    const { images } = this.#plan.context.options;
    if (images === 0 || this.#plan.course.isDone) return 0;
    return this.#ended(`ended before all ${images} images were complete`);
  }

  /** Takes a wish of a person at a page. */
  wish(wish: Wish): CommandOutcome {
    const { course, log, context: { signal } } = this.#plan;
    if (this.#driver === undefined) return { ok: false, problem: "The program is still starting." };
    if (signal.aborted) return { ok: false, problem: "The program ends." };
    if (wish.type === "sessions" && !this.#openEndpoints(this.#driver, wish.sessions)) {
      return { ok: false, problem: "The system does not allow so many sessions; the log says why." };
    }
    const outcome = course.wish(wish, this.#image);
    if (!outcome.ok) return outcome;
    log.action(`a wish of the page: ${wish.type}`, { event: "wish", wish: wish.type });
    if (outcome.anew) this.#ends?.("replaced");
    this.#tellNews();
    return { ok: true };
  }

  /** So many pages are open. */
  pages(count: number): void {
    this.#plan.course.pages(count, performance.now());
    this.#tellNews();
  }

  /** Takes a report of the machine. */
  report(report: FractalClientReport | SessionReport): void {
    const { log, page, displays } = this.#plan;
    this.#note(report);
    if (report.type === "points") {
      this.#paint(report);
      this.#logPoints(report);
      return;
    }
    if (isOfImage(report)) page.report(report);
    if (report.type === "imageCompleted") this.#ends?.(report.statistics);
    const { level, text, fields } = describeFractal(report) ??
      describeReport(report as SessionReport);
    log.write(level, text, fields);
    if (level <= LogLevel.note) { for (const display of displays) display.status(text, level); }
  }

  async #compute(driver: Driver<FractalClientInput>, image: number): Promise<ImageOutcome> {
    const { context: { options, signal }, course, displays } = this.#plan;
    const { parameter, sessions } = course;
    course.started();
    this.#progress = {
      image,
      parameter,
      picture: new Picture(parameter.width, parameter.height),
      startedAt: performance.now(),
      missing: parameter.width * parameter.height,
      elements: new Map(),
      elementNumbers: new Map(),
    };
    for (const display of displays) display.started(this.#progress);
    const ended = Promise.withResolvers<ImageStatistics | "replaced">();
    this.#ends = ended.resolve;
    driver.input({ type: "image", parameter, sessions });
    const over = new AbortController();
    const limitMs = options.timeout === 0 ? Infinity : 1000 * options.timeout;
    const limit = pause(limitMs, AbortSignal.any([signal, over.signal]));
    try {
      return await Promise.race([ended.promise, limit.then((passed) => passed ? "late" : "ended")]);
    } finally {
      this.#ends = undefined;
      over.abort();
    }
  }

  /** @returns the exit code; undefined = it goes on */
  async #completed(statistics: ImageStatistics): Promise<number | undefined> {
    const { context: { options }, course, displays, log } = this.#plan;
    const progress = this.#progress!;
    const wasDone = course.isDone;
    const png = progress.picture.png();
    const file = await storeImage(options, progress.image, png, log);
    if (file === undefined) return this.#failed(`image ${progress.image} could not be written`, wasDone);
    course.completed(performance.now());
    for (const display of displays) display.completed(progress, statistics, file, png);
    this.#writeStatistics(progress, statistics);
    return undefined;
  }

  /** @returns the exit code; undefined = it goes on */
  #incomplete(outcome: "ended" | "late" | "replaced"): number | undefined {
    const { context: { options }, course, log } = this.#plan;
    if (outcome === "ended") return this.#ended(`ended before image ${this.#image} was complete`);
    this.#driver!.input({ type: "cancel" });
    if (outcome === "replaced") return undefined;
    const text = `image ${this.#image} is not complete after ${options.timeout} s`;
    log.error(text, { event: "timeout" });
    return this.#failed(text, course.isDone);
  }

  /** Somebody wanted an end. @returns whether images of the options are missing, as exit code */
  #ended(text: string): 0 | 1 {
    const { context: { options }, course, log } = this.#plan;
    log.note(text, { event: "ended" });
    this.#say(text, LogLevel.note);
    return options.images === 0 || course.isDone ? 0 : 1;
  }

  /** An image that somebody wished for after those of the options does not end the program. */
  #failed(text: string, isExtra: boolean): 1 | undefined {
    const { course, page } = this.#plan;
    this.#say(text, LogLevel.error);
    if (!isExtra) return 1;
    course.failed(performance.now());
    page.failed();
    return undefined;
  }

  /** Waits until there is another image to compute. @returns false when there is none */
  async #another(): Promise<boolean> {
    const { context: { signal }, course, page, log } = this.#plan;
    let isTold = false;
    while (!signal.aborted) {
      const news = this.#news = new AbortController();
      const now = performance.now();
      const step = course.next(now);
      if (step.type !== "wait") return step.type === "compute";
      page.waits(step.until);
      if (step.until === Infinity && !isTold) {
        log.note("the page stays; Ctrl+C ends the program", { event: "stays" });
        isTold = true;
      }
      await pause(step.until - now, AbortSignal.any([signal, news.signal]));
    }
    return false;
  }

  #tellNews(): void {
    this.#news.abort();
  }

  /** Opens what more sessions need. @returns whether all of it could be opened */
  #openEndpoints(driver: Driver<FractalClientInput>, sessions: number): boolean {
    try {
      for (; this.#endpointCount < sessions; this.#endpointCount++) {
        driver.open(`data ${this.#endpointCount + 1}`, DATA_ENDPOINT);
      }
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#plan.log.warning(`cannot open an endpoint for another session: ${reason}`, { event: "endpoint" });
      return false;
    }
  }

  #say(text: string, level: LogLevel): void {
    for (const display of this.#plan.displays) display.status(text, level);
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
      default:
        if (!isOfImage(report)) this.status.report(report, performance.now());
    }
  }

  #paint(points: FractalPoints): void {
    const progress = this.#progress;
    if (progress === undefined) return;
    const { context: { options }, displays } = this.#plan;
    const { elementId, peChanges, missing, part } = points;
    const marks = {
      run: options.colormarks ? progress.image - 1 : 0,
      peChanges: options.colormarks ? peChanges : 0,
      session: options.sessions ? part : 0,
    };
    progress.picture.paint(points, marks, { peChanges, element: elementNumber(progress, elementId) });
    const fresh = progress.missing - missing;
    progress.missing = missing;
    progress.elements.set(elementId, (progress.elements.get(elementId) ?? 0) + fresh);
    for (const display of displays) display.grown(progress, points, fresh);
  }

  #logPoints({ part, elementId, x, y, values, missing }: FractalPoints): void {
    const count = values.length, element = showId(elementId);
    const text = `part ${part + 1}: ${count} points from (${x}, ${y}) on by ${element}, ${missing} missing`;
    this.#plan.log.verbose(text, { event: "points", part, element, x, y, count, missing });
  }

  #writeStatistics(
    { image, parameter: { width, height } }: ImageProgress,
    statistics: ImageStatistics,
  ): void {
    const { statistics: file } = this.#plan;
    if (file === undefined) return;
    const [startedAt, completedAt] = [this.#startedAt, wallTime()];
    const completed = { image, width, height, completedAt, startedAt, statistics };
    const lines = imageLines(this.#lineCount + 1, completed);
    this.#lineCount += lines.length;
    file.write(lines.join(""));
  }
}

/** Whether it is the fractal machine's, not the session layer's. */
function isOfImage(report: FractalClientReport | SessionReport): report is FractalClientReport {
  switch (report.type) {
    case "imageStarted":
    case "partRequested":
    case "points":
    case "partFailover":
    case "partResumed":
    case "partIncomplete":
    case "partInvalid":
    case "partCompleted":
    case "imageCancelled":
    case "imageCompleted":
      return true;
    default:
      return false;
  }
}
