import { assert } from "../../wire/assert.ts";
import type { FractalData, FractalParameter } from "./messages.ts";
import { subParameter } from "./subimage.ts";
import type { Rectangle } from "./subimage.ts";

/** Rows of a part that were asked for in one Parameter. Data counts from the first of them. */
interface Request {
  readonly top: number;
  readonly height: number;
}

/**
 * One sub-image at the pool user: which of its points are there, and what to ask for next.
 *
 * The first Parameter asks for the whole part. A later one (because a PE was lost before it gave a cookie, or because
 * the end marker came and points are missing) asks only for the rows from the first to the last one with a missing point.
 */
export class FractalPart {
  /** The part within the image. */
  readonly area: Rectangle;
  readonly #image: FractalParameter;
  readonly #have: Uint8Array;
  #missing: number;
  #request: Request;

  /** @param image the whole image */
  constructor(image: FractalParameter, area: Rectangle) {
    this.area = area;
    this.#image = image;
    this.#missing = area.width * area.height;
    this.#have = new Uint8Array(this.#missing);
    this.#request = { top: 0, height: area.height };
  }

  /** Points that are not there yet. */
  get missing(): number {
    return this.#missing;
  }

  /** Points that the last request asked for. */
  get requestedPoints(): number {
    return this.#request.height * this.area.width;
  }

  /**
   * What to ask a PE for now. From here on, Data is understood as the answer to this.
   *
   * @returns the Parameter of the rows that have missing points; there must be some
   */
  nextRequest(): FractalParameter {
    assert(this.#missing > 0, "a complete part asks for nothing");
    const { width, left, top } = this.area;
    const firstRow = Math.floor(this.#have.indexOf(0) / width);
    const lastRow = Math.floor(this.#have.lastIndexOf(0) / width);
    this.#request = { top: firstRow, height: lastRow - firstRow + 1 };
    return subParameter(this.#image, { left, top: top + firstRow, width, height: this.#request.height });
  }

  /**
   * Why Data cannot belong to what was asked for, in words.
   *
   * @returns undefined when it lies inside the request
   */
  fault({ startX, startY, values }: FractalData): string | undefined {
    const { width } = this.area;
    const { height } = this.#request;
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
    const row = this.#request.top + startY;
    const first = row * width + startX;
    const end = first + values.length;
    let fresh = 0;
    for (let index = first; index < end; index++) {
      fresh += 1 - this.#have[index]!;
      this.#have[index] = 1;
    }
    this.#missing -= fresh;
    return { fresh, x: left + startX, y: top + row };
  }
}
