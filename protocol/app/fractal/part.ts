import type { FractalData, FractalParameter } from "./messages.ts";
import { subParameter } from "./subimage.ts";
import type { Rectangle } from "./subimage.ts";

/**
 * One sub-image at the pool user: which of its points are there, and what to ask for.
 *
 * It is always the whole part that is asked for, also when only some points are missing (because a PE was lost before it gave
 * a cookie, or because the end marker came too early). A Parameter for some rows would have corners of its own, whose
 * rounding changes points on the edge of the set: the image would not be the one that comes without failures.
 */
export class FractalPart {
  /** The part within the image. */
  readonly area: Rectangle;
  /** What to ask a PE for. */
  readonly parameter: FractalParameter;
  readonly #have: Uint8Array;
  #missing: number;

  /** @param image the whole image */
  constructor(image: FractalParameter, area: Rectangle) {
    this.area = area;
    this.parameter = subParameter(image, area);
    this.#missing = area.width * area.height;
    this.#have = new Uint8Array(this.#missing);
  }

  /** Points in all. */
  get points(): number {
    return this.#have.length;
  }

  /** Points that are not there yet. */
  get missing(): number {
    return this.#missing;
  }

  /**
   * Why Data cannot belong to what was asked for, in words.
   *
   * @returns undefined when it lies inside the part
   */
  fault({ startX, startY, values }: FractalData): string | undefined {
    const { width, height } = this.area;
    if (startX >= width || startY >= height) return `point ${startX}, ${startY} outside ${width} x ${height}`;
    if (values.length === 0) return "no points";
    if (startY * width + startX + values.length > width * height) {
      return `${values.length} points from ${startX}, ${startY} reach beyond ${width} x ${height}`;
    }
    return undefined;
  }

  /**
   * Notes that points have come. The Data must be without fault.
   *
   * @returns how many of them are new, and where the first one lies in the image
   */
  add(
    { startX, startY, values }: FractalData,
  ): { readonly fresh: number; readonly x: number; readonly y: number } {
    const { width, left, top } = this.area;
    const first = startY * width + startX;
    const end = first + values.length;
    let fresh = 0;
    for (let index = first; index < end; index++) {
      fresh += 1 - this.#have[index]!;
      this.#have[index] = 1;
    }
    this.#missing -= fresh;
    return { fresh, x: left + startX, y: top + startY };
  }
}
