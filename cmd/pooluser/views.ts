/** Views into an image: a region of it becomes an image of its own, and there is a way back. Pure. */
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";

/** A part of an image, in fractions of its width and height: 0, 0 is its upper left corner, 1, 1 the lower right one. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A view, or a sentence that says why there is none. */
export type RegionView =
  | { readonly ok: true; readonly parameter: FractalParameter }
  | { readonly ok: false; readonly problem: string };

/** Largest coordinate, as for the options: everything that is worth seeing lies within 2. */
export const MAX_COORDINATE = 1e6;

/** How far a region may reach beyond the image, in images: enough to go far out at once, and no infinity. */
const MAX_REACH = 100;

/**
 * Two points beside each other must differ by so much more than a double of their size can tell: below it, an image is made
 * of blocks.
 */
const MIN_STEP = 4 * Number.EPSILON;

/** So many views are kept to go back to; a person gets to the depth of doubles in about 50. */
const MAX_VIEWS = 100;

/**
 * The image that shows a region of another one, as large as it. The shape stays: a region of another shape is widened
 * around its middle.
 *
 * @param image the image that the region lies in, or reaches beyond
 * @param region what to show
 */
export function viewOf(image: FractalParameter, region: Region): RegionView {
  const { left, top, right, bottom } = region;
  const fits = [left, top, right, bottom].every((edge) => Math.abs(edge) <= MAX_REACH); // NaN does not
  if (!fits || left >= right || top >= bottom) {
    return { ok: false, problem: "The region must have a width and a height, and lie near the image." };
  }
  const scale = Math.max(right - left, bottom - top);
  const real = edges(image.c1Real, image.c2Real, (left + right) / 2, scale);
  const imag = edges(image.c1Imag, image.c2Imag, (top + bottom) / 2, scale);
  if ([...real, ...imag].some((edge) => Math.abs(edge) > MAX_COORDINATE)) {
    return { ok: false, problem: `The region reaches beyond ${MAX_COORDINATE}, where there is nothing.` };
  }
  if (isTooDeep(real, image.width) || isTooDeep(imag, image.height)) {
    return {
      ok: false,
      problem: "The region is so small that the servers' numbers cannot tell its points apart.",
    };
  }
  const [c1Real, c2Real] = real, [c1Imag, c2Imag] = imag;
  return { ok: true, parameter: { ...image, c1Real, c1Imag, c2Real, c2Imag } };
}

/** Both edges of the region on one axis; the image's own, exactly, when that is what is meant. */
function edges(from: number, to: number, middle: number, scale: number): [number, number] {
  const at = (fraction: number) =>
    fraction === 0 ? from : fraction === 1 ? to : from + fraction * (to - from);
  return [at(middle - scale / 2), at(middle + scale / 2)];
}

function isTooDeep([from, to]: [number, number], points: number): boolean {
  const largest = Math.max(Math.abs(from), Math.abs(to));
  return from === to || Math.abs(to - from) / points < MIN_STEP * largest;
}

/** The views of an image, the newest last. */
export class Views {
  #views: FractalParameter[];

  /** @param image the whole image */
  constructor(image: FractalParameter) {
    this.#views = [image];
  }

  /** What is shown. */
  get current(): FractalParameter {
    return this.#views.at(-1)!;
  }

  /** How many views there are to go back to. */
  get depth(): number {
    return this.#views.length - 1;
  }

  /** Goes to a region of the present view. */
  go(region: Region): RegionView {
    const view = viewOf(this.current, region);
    if (!view.ok) return view;
    this.#views.push(view.parameter);
    if (this.#views.length > MAX_VIEWS) this.#views.splice(1, 1); // the whole image stays reachable
    return view;
  }

  /** All views in so many points. @returns whether that is another size */
  resize(width: number, height: number): boolean {
    if (this.current.width === width && this.current.height === height) return false;
    this.#views = this.#views.map((view) => ({ ...view, width, height }));
    return true;
  }

  /** Goes back to the view before. @returns whether there was one */
  back(): boolean {
    if (this.depth === 0) return false;
    this.#views.pop();
    return true;
  }

  /** Goes back to the whole image. @returns whether it was not shown anyway */
  reset(): boolean {
    if (this.depth === 0) return false;
    this.#views = this.#views.slice(0, 1);
    return true;
  }
}
