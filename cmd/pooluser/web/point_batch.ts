/** Points that wait to be told to pages. */
import { COLOUR_COUNT } from "../../../protocol/app/fractal/colour.ts";
import type { FractalPoints } from "../../../protocol/app/fractal/client_types.ts";
import { CHANGES_ROUND } from "../picture.ts";
import type { PagePoints } from "./page_words.ts";

/**
 * Most points of an update. In 50 ms a fast pool gives some 100,000; when there are more, the program is behind, and the
 * picture as a whole is less work than its parts.
 */
export const MAX_BATCH_POINTS: number = 256 * 1024;

/** Collects points from message to message. */
export class PointBatch {
  readonly #hues = new Uint8Array(MAX_BATCH_POINTS);
  #count = 0;
  #runs: [number, number, number, number, number][] = [];
  #isTooMuch = false;

  /** Takes the points of a message. */
  add({ part, area, x, y, values, ...points }: FractalPoints, element: number): void {
    const peChanges = points.peChanges % CHANGES_ROUND;
    if (this.#isTooMuch || this.#count + values.length > MAX_BATCH_POINTS) {
      this.clear();
      this.#isTooMuch = true;
      return;
    }
    for (const value of values) this.#hues[this.#count++] = value % COLOUR_COUNT;
    const first = (y - area.top) * area.width + x - area.left;
    const last = this.#runs.at(-1);
    const goesOn = last !== undefined && last[0] === part && last[1] === element && last[2] === peChanges &&
      last[3] + last[4] === first;
    if (goesOn) last[4] += values.length;
    else this.#runs.push([part, element, peChanges, first, values.length]);
  }

  /** Takes out what has come since the last time; undefined = nothing. */
  take(): { readonly points: PagePoints } | { readonly isStale: true } | undefined {
    const isTooMuch = this.#isTooMuch;
    const points = { runs: this.#runs, hues: this.#hues.subarray(0, this.#count).toBase64() };
    this.clear();
    if (isTooMuch) return { isStale: true };
    return points.runs.length === 0 ? undefined : { points };
  }

  /** Forgets what has come. */
  clear(): void {
    this.#count = 0;
    this.#runs = [];
    this.#isTooMuch = false;
  }
}
