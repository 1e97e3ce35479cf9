/** How a pool user shows its progress: a live picture, lines of text, or JSON objects. */
import type { Output } from "../command.ts";
import { wantsColour } from "../driver/colour.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import type { LiveBlock } from "../tui/screen.ts";
import type { FractalPoints, ImageStatistics } from "../../protocol/app/fractal/client_types.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { Picture } from "./picture.ts";
import { renderImage } from "./view.ts";

/** An image that is being computed. */
export interface ImageProgress {
  /** Number of the image, from 1. */
  readonly image: number;
  readonly parameter: FractalParameter;
  readonly picture: Picture;
  /** By `performance.now()`. */
  readonly startedAt: number;
  missing: number;
  /** New points by PE. */
  readonly elements: Map<number, number>;
  /** Numbers by PE, for {@linkcode elementNumber}. */
  readonly elementNumbers: Map<number, number>;
}

/** Largest number of a PE: the planes of a picture have an octet for it. */
export const MAX_ELEMENT_NUMBER = 255;

/** The number of a PE within an image, from 0, in the order in which they were met; later ones share the largest. */
export function elementNumber({ elementNumbers }: ImageProgress, elementId: number): number {
  const known = elementNumbers.get(elementId);
  if (known !== undefined) return known;
  const { size } = elementNumbers;
  if (size < MAX_ELEMENT_NUMBER) elementNumbers.set(elementId, size);
  return size;
}

/** Shows images to a person or a program. */
export interface Display {
  started(progress: ImageProgress): void;
  /** Points were painted; so many of them were not there before. */
  grown(progress: ImageProgress, points: FractalPoints, fresh: number): void;
  /** Something happened that is worth a line. */
  status(text: string, level: LogLevel): void;
  /** The image is in a file, with these octets. */
  completed(progress: ImageProgress, statistics: ImageStatistics, file: string, png: Uint8Array): void;
  /** Nothing more comes. */
  end(): void;
}

/** A line of text or a JSON object is written each time so many percent more are there. */
const STEP_PERCENT = 10;

/** Lines of text: for pipes, files, and terminals without colour. With `-json` the log writes them as objects. */
export class LineDisplay implements Display {
  readonly #write: (
    text: string,
    fields: Readonly<Record<string, string | number | readonly string[]>>,
  ) => void;
  #nextPercent = STEP_PERCENT;

  constructor(output: Output, log: Log, json: boolean) {
    this.#write = json
      ? (text, fields) => log.write(LogLevel.note, text, fields)
      : (text) => output.write(`${text}\n`);
  }

  started({ image, parameter: { width, height } }: ImageProgress): void {
    this.#nextPercent = STEP_PERCENT;
    this.#write(`image ${image}: ${width} x ${height} points`, {
      event: "imageStarted",
      image,
      width,
      height,
    });
  }

  grown({ image, picture, elements }: ImageProgress, { missing }: FractalPoints): void {
    const points = picture.width * picture.height;
    const percent = Math.floor(100 * (points - missing) / points);
    if (percent < this.#nextPercent) return;
    this.#nextPercent = percent - percent % STEP_PERCENT + STEP_PERCENT;
    const ids = [...elements.keys()].map(showId);
    this.#write(`image ${image}: ${percent} % (PEs: ${ids.join(", ")})`, {
      event: "progress",
      image,
      percent,
      elements: ids,
    });
  }

  status(): void {} // the log has it

  completed({ image }: ImageProgress, statistics: ImageStatistics, file: string): void {
    const { durationMs, failovers, repairs, elements } = statistics;
    this.#write(
      `image ${image}: complete in ${(durationMs / 1000).toFixed(1)} s, ${
        count(failovers, "failover")
      }, written to ${file}`,
      {
        event: "imageCompleted",
        image,
        file,
        durationMs: Math.round(durationMs),
        failovers,
        repairs,
        elements: elements.map(({ elementId }) => showId(elementId)),
      },
    );
    for (const { elementId, points, messages, repeated } of elements) {
      this.#write(
        `image ${image}: ${
          showId(elementId)
        } gave ${points} points in ${messages} messages, ${repeated} of them again`,
        { event: "elementStatistics", image, element: showId(elementId), points, messages, repeated },
      );
    }
  }

  end(): void {}
}

/** Shortest time between two drawings, in milliseconds. */
const FRAME_MS = 100;

/** A picture that grows in a terminal. */
export class LiveDisplay implements Display {
  readonly #output: Output;
  readonly #block: LiveBlock;
  readonly #caption: string;
  #progress: ImageProgress | undefined;
  #status = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param block draws on the output, which is a terminal */
  constructor(output: Output, block: LiveBlock, caption: string) {
    this.#output = output;
    this.#block = block;
    this.#caption = caption;
  }

  started(progress: ImageProgress): void {
    this.#progress = progress;
    this.#say(`${this.#caption}: requesting calculation`);
  }

  grown(_progress: ImageProgress, { elementId, x, y }: FractalPoints): void {
    this.#say(`${this.#caption}: points from (${x}, ${y}) on by ${showId(elementId)}`);
  }

  status(text: string): void {
    this.#say(text);
  }

  #say(text: string): void {
    this.#status = text;
    this.#timer ??= setTimeout(() => this.#draw(), FRAME_MS);
  }

  completed({ elements }: ImageProgress, statistics: ImageStatistics, file: string): void {
    const failovers = count(statistics.failovers, "failover");
    this.#status = `${this.#caption}: complete, ${
      count(elements.size, "PE")
    }, ${failovers}, written to ${file}`;
    this.#draw();
    this.#block.finish();
    this.#progress = undefined;
  }

  end(): void {
    if (this.#timer !== undefined) this.#draw(); // how it ended is worth seeing
    this.#block.finish();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const progress = this.#progress;
    if (progress === undefined) return;
    const elements = [...progress.elements].map(([elementId, points]) => ({ elementId, points }));
    const model = {
      image: progress.image,
      picture: progress.picture,
      missing: progress.missing,
      elapsedMs: performance.now() - progress.startedAt,
      status: this.#status,
      elements,
    };
    this.#block.draw(renderImage(model, this.#output.size()));
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Whether a terminal shows 24-bit colours, as far as its environment says. */
export function hasTrueColour(output: Output, variable: (name: string) => string | undefined): boolean {
  if (!wantsColour(output, variable)) return false;
  return /^(truecolor|24bit)$/.test(variable("COLORTERM") ?? "") ||
    /direct|kitty|alacritty|foot|wezterm|ghostty/.test(variable("TERM") ?? "");
}
