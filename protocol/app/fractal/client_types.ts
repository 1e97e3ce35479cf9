import type { ApplicationEffect, ApplicationInput } from "../application.ts";
import type { FractalParameter } from "./messages.ts";
import type { Rectangle } from "./subimage.ts";

/** The words of a fractal pool user: what it takes and what it tells. */

/** Computes an image, in as many sessions as said (at least 1). One image at a time. */
export interface ImageInput {
  /** Says which input it is. */
  readonly type: "image";
  /** The image. */
  readonly parameter: FractalParameter;
  /** How many parts it is cut into. */
  readonly sessions: number;
}

/** Gives the image up that is being computed; harmless when there is none. Another one may be asked for at once. */
export interface CancelInput {
  /** Says which input it is. */
  readonly type: "cancel";
}

/** What a fractal pool user takes. */
export type FractalClientInput = ApplicationInput<ImageInput | CancelInput>;

/** What a fractal pool user asks for. */
export type FractalClientEffect = ApplicationEffect<never, FractalClientReport>;

/** What one PE did for an image. */
export interface ElementStatistics {
  /** PE identifier. */
  readonly elementId: number;
  /** Data messages. */
  readonly messages: number;
  /** Points that were new. */
  readonly points: number;
  /** Points that were there already: what a failover cost. */
  readonly repeated: number;
}

/** How an image came about. */
export interface ImageStatistics {
  /** From the `image` input to the last point, in milliseconds. */
  readonly durationMs: number;
  /** How often a session left its PE, or lost it. */
  readonly failovers: number;
  /** How often points were missing at the end marker and were asked for again. */
  readonly repairs: number;
  /** Messages that were ignored because they were wrong. */
  readonly invalid: number;
  /** The PEs that sent points, in order of their first. */
  readonly elements: readonly ElementStatistics[];
}

/** What a fractal pool user tells. `part` is the index of a sub-image. */
export type FractalClientReport =
  | {
    readonly type: "imageStarted";
    readonly parameter: FractalParameter;
    readonly parts: readonly Rectangle[];
  }
  /** The Parameter was sent. */
  | {
    readonly type: "partRequested";
    readonly part: number;
    readonly elementId: number;
    readonly points: number;
  }
  | FractalPoints
  /** A PE was lost or left. */
  | {
    readonly type: "partFailover";
    readonly part: number;
    readonly elementId: number;
    /** Whether there is a cookie to go on from. */
    readonly hasCookie: boolean;
    readonly reason: string;
    /** How long the session waits before it tries again, in milliseconds. */
    readonly pauseMs: number;
  }
  /** Another PE goes on from a cookie. */
  | { readonly type: "partResumed"; readonly part: number; readonly elementId: number }
  /** The end marker came, but not all points: the whole part is asked for again. */
  | {
    readonly type: "partIncomplete";
    readonly part: number;
    readonly elementId: number;
    readonly missing: number;
  }
  /** A message that cannot be right was ignored. */
  | {
    readonly type: "partInvalid";
    readonly part: number;
    readonly elementId: number;
    readonly reason: string;
  }
  | { readonly type: "partCompleted"; readonly part: number; readonly elementId: number }
  /** The image was given up when so many points were missing. */
  | { readonly type: "imageCancelled"; readonly missing: number }
  /** Every point is there. */
  | { readonly type: "imageCompleted"; readonly statistics: ImageStatistics };

/** Points have come. They run row by row from (x, y) and wrap within the part's area. */
export interface FractalPoints {
  /** Says which report it is. */
  readonly type: "points";
  /** Index of the sub-image. */
  readonly part: number;
  /** The sub-image within the image. */
  readonly area: Rectangle;
  /** Column of the first point in the image. */
  readonly x: number;
  /** Row of the first point in the image. */
  readonly y: number;
  /** Iterations of each point. */
  readonly values: Uint32Array;
  /** The PE that computed them. */
  readonly elementId: number;
  /** How often the session had changed its PE before. */
  readonly peChanges: number;
  /** Points of the whole image that are still missing. */
  readonly missing: number;
}
