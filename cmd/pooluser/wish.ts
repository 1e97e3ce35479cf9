/** What a person at the page may wish, as it comes over HTTP: any JSON value, which nobody has checked yet. */
import { MAX_HEIGHT, MAX_WIDTH, MIN_SIZE } from "./options.ts";
import { ownImages } from "./own_images.ts";
import type { Region } from "./views.ts";

/** A wish. Those about a view name the image that the person sees, so that one that comes late does no harm. */
export type Wish =
  /** Another image; `name` = one of the own set, absent = as the options say. */
  | { readonly type: "next"; readonly name?: string }
  /** The same view in so many sessions. */
  | { readonly type: "sessions"; readonly sessions: number }
  /** The same view, this one and all later ones, in so many points. */
  | { readonly type: "size"; readonly width: number; readonly height: number }
  | { readonly type: "zoom"; readonly image: number; readonly region: Region }
  | { readonly type: "back"; readonly image: number }
  | { readonly type: "reset"; readonly image: number }
  /** Whether images follow each other by themselves. */
  | { readonly type: "slideShow"; readonly on: boolean };

/** Most sessions that a page may ask for, as in the menu of RSPLIB's window. */
export const MAX_WISHED_SESSIONS = 400;

/**
 * Checks a wish.
 *
 * @returns a sentence when it is none
 */
export function readWish(value: unknown): Wish | string {
  if (typeof value !== "object" || value === null) return "A command is an object.";
  const { type, name, sessions, width, height, image, region, on } = value as Readonly<
    Record<string, unknown>
  >;
  switch (type) {
    case "next":
      if (name === undefined) return { type };
      if (typeof name === "string" && ownImages.has(name)) return { type, name };
      return "There is no image of this name.";
    case "sessions":
      if (isWhole(sessions, MAX_WISHED_SESSIONS)) return { type, sessions };
      return `The number of sessions must be 1 to ${MAX_WISHED_SESSIONS}.`;
    case "size":
      if (isSize(width, MAX_WIDTH) && isSize(height, MAX_HEIGHT)) return { type, width, height };
      return `An image has ${MIN_SIZE} to ${MAX_WIDTH} times ${MIN_SIZE} to ${MAX_HEIGHT} points.`;
    case "zoom": {
      const read = readRegion(region);
      if (read === undefined || !isWhole(image)) return "A zoom needs an image and a region of four numbers.";
      return { type, image, region: read };
    }
    case "back":
    case "reset":
      return isWhole(image) ? { type, image } : "It must be said from which image to go back.";
    case "slideShow":
      return typeof on === "boolean" ? { type, on } : "The slide show is on or off: true or false.";
    default:
      return "There is no such command.";
  }
}

function readRegion(value: unknown): Region | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { left, top, right, bottom } = value as Readonly<Record<string, unknown>>;
  return [left, top, right, bottom].every((edge) => typeof edge === "number")
    ? { left, top, right, bottom } as Region
    : undefined;
}

function isSize(value: unknown, max: number): value is number {
  return isWhole(value, max) && value >= MIN_SIZE;
}

function isWhole(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max;
}
