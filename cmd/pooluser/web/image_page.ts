/** The fractal user's page: what it is told of the images while they grow. */
import { LogLevel } from "../../driver/log.ts";
import { wallTime } from "../../driver/wall_time.ts";
import { VERSION } from "../../version.ts";
import type { Asset, CommandOutcome, WebPlan, WebServer } from "../../web/web_server.ts";
import type {
  FractalClientReport,
  FractalPoints,
  ImageStatistics,
} from "../../../protocol/app/fractal/client_types.ts";
import type { Display, ImageProgress } from "../display.ts";
import { ownImages } from "../own_images.ts";
import { MAX_WISHED_SESSIONS, readWish } from "../wish.ts";
import type { Wish } from "../wish.ts";
import { pageAssets } from "./assets.ts";
import { PageModel } from "./page_model.ts";
import type { CourseFacts } from "./page_model.ts";
import type { PageEvent, PageSnapshot, PageStatus, PageUpdate } from "./page_words.ts";

/** Updates are at least so far apart: 20 a second look like growth, and more are a burden. */
const UPDATE_MS = 50;

/** Octets before the planes of `/picture`: number of the image, of the last update in it, and of its points. */
const PICTURE_HEADER_LENGTH = 12;

const LEVELS: ReadonlyMap<LogLevel, PageEvent["level"]> = new Map([
  [LogLevel.error, "error"],
  [LogLevel.warning, "warning"],
]);

/** What the page takes from the course of the images, and what it gives to it. */
export interface ImagePageOptions {
  readonly caption: string;
  /** How the options want the image to be marked. */
  readonly marks: { readonly sessions: boolean; readonly colormarks: boolean };
  readonly facts: () => CourseFacts;
  /** Takes a wish of a person at a page. */
  readonly onWish: (wish: Wish) => CommandOutcome;
  /** So many pages are open. */
  readonly onPages: (count: number) => void;
}

/**
 * What is told: everything when a page comes and when an image begins (`snapshot`), and what has changed, at most 20 times a
 * second (`update`). The points that a page has missed are in `/picture`: the planes of the picture as they are. Points are
 * not collected while no page is open.
 */
export class ImagePage implements Display {
  readonly #options: ImagePageOptions;
  readonly #model = new PageModel();
  readonly #startedAt = Math.round(wallTime());
  #server: Pick<WebServer, "publish" | "listenerCount"> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sequence = 0;
  #progress: ImageProgress | undefined;
  #state: PageStatus["state"] = "starting";
  #elapsedMs = 0;
  #file: string | undefined;
  #png: Uint8Array<ArrayBuffer> | undefined;
  #nextAt: number | undefined;

  constructor(options: ImagePageOptions) {
    this.#options = options;
  }

  /** What a web server serves. */
  plan(): Omit<WebPlan, "at"> {
    return {
      assets: pageAssets,
      live: new Map([["/picture", () => this.#picture()], ["/image.png", () => this.#imageFile()]]),
      snapshot: () => this.snapshot(),
      onCommand: (command) => {
        const wish = readWish(command);
        return typeof wish === "string" ? { ok: false, problem: wish } : this.#options.onWish(wish);
      },
      onListeners: this.#options.onPages,
    };
  }

  /** From now on, pages are told what happens. */
  attach(server: Pick<WebServer, "publish" | "listenerCount">): void {
    this.#server = server;
  }

  started(progress: ImageProgress): void {
    this.#progress = progress;
    this.#model.begin(progress, this.#options.facts());
    this.#state = "computing";
    this.#file = this.#png = this.#nextAt = undefined;
    const { image, parameter: { width, height } } = progress, { name, sessions } = this.#options.facts();
    const parts = sessions === 1 ? "1 session" : `${sessions} sessions`;
    this.status(`image ${image} begins: ${name}, ${width} × ${height} points, ${parts}`, LogLevel.note);
    this.#publishAll();
  }

  grown(_progress: ImageProgress, points: FractalPoints, fresh: number): void {
    this.#model.grown(points, fresh, this.#isWatched());
    this.#changed();
  }

  /** Takes a report of the fractal machine. */
  report(report: FractalClientReport): void {
    this.#model.report(report, Math.round(wallTime()));
    this.#changed();
  }

  status(text: string, level: LogLevel): void {
    this.#model.event({ level: LEVELS.get(level) ?? "note", text, at: Math.round(wallTime()) });
    this.#changed();
  }

  /** The file's octets are kept, so that the page gives the very file. */
  completed({ image }: ImageProgress, statistics: ImageStatistics, file: string, png: Uint8Array): void {
    const seconds = (statistics.durationMs / 1000).toFixed(1);
    this.status(`image ${image} is complete after ${seconds} s, and written to ${file}`, LogLevel.note);
    this.#state = "complete";
    this.#elapsedMs = statistics.durationMs;
    this.#file = file;
    this.#png = new Uint8Array(png);
    this.#changed();
  }

  /** The image is not computed any further. */
  failed(): void {
    this.#elapsedMs = this.#elapsed();
    this.#state = "failed";
    this.#changed();
  }

  /** The next image is computed at an instant of `performance.now()`; Infinity = when somebody wishes. */
  waits(until: number): void {
    this.#nextAt = Number.isFinite(until) ? until : undefined;
    this.#changed();
  }

  end(): void {
    this.#elapsedMs = this.#elapsed();
    if (this.#state !== "complete") this.#state = "ended";
    clearTimeout(this.#timer);
    this.#update();
    this.#server = undefined;
  }

  /** Everything, for a page that comes. */
  snapshot(): PageSnapshot {
    const { caption, marks } = this.#options;
    return {
      startedAt: this.#startedAt,
      caption,
      version: VERSION,
      names: [...ownImages.keys()],
      marks,
      maxSessions: MAX_WISHED_SESSIONS,
      status: this.#status(),
      ...this.#model.snapshot(),
      sequence: this.#sequence,
    };
  }

  #status(): PageStatus {
    const { slideShow } = this.#options.facts();
    return {
      state: this.#state,
      missing: this.#progress?.missing ?? 0,
      elapsedMs: Math.round(this.#elapsed()),
      failoverCount: this.#model.failoverCount,
      slideShow,
      ...this.#file === undefined ? {} : { file: this.#file },
      ...this.#nextAt === undefined ? {} : { nextInMs: Math.round(this.#nextAt - performance.now()) },
    };
  }

  #elapsed(): number {
    if (this.#state !== "computing" || this.#progress === undefined) return this.#elapsedMs;
    return performance.now() - this.#progress.startedAt;
  }

  #isWatched(): boolean {
    return this.#server !== undefined && this.#server.listenerCount > 0;
  }

  #changed(): void {
    if (!this.#isWatched()) return;
    this.#timer ??= setTimeout(() => this.#update(), UPDATE_MS);
  }

  #update(): void {
    this.#timer = undefined;
    const changes = this.#model.takeChanges();
    const update: PageUpdate = { sequence: ++this.#sequence, status: this.#status(), ...changes };
    this.#server?.publish("update", update);
  }

  #publishAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#model.takeChanges(); // they are in the snapshot
    this.#server?.publish("snapshot", this.snapshot());
  }

  /**
   * The planes of the picture: colours without marks, changes of the element, elements. It may be ahead of the last update:
   * the next one brings the same points again then.
   */
  #picture(): Asset | undefined {
    if (this.#progress === undefined) return undefined;
    const { image, picture: { hues, peChanges, elements } } = this.#progress;
    const points = hues.length;
    const body = new Uint8Array(PICTURE_HEADER_LENGTH + 3 * points);
    const view = new DataView(body.buffer);
    view.setUint32(0, image);
    view.setUint32(4, this.#sequence);
    view.setUint32(8, points);
    for (const [plane, octets] of [hues, peChanges, elements].entries()) {
      body.set(octets, PICTURE_HEADER_LENGTH + plane * points);
    }
    return { type: "application/octet-stream", body };
  }

  /** The file that was written. */
  #imageFile(): Asset | undefined {
    return this.#png === undefined ? undefined : { type: "image/png", body: this.#png };
  }
}
