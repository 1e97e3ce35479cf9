/** What the fractal user's page is told: values of JSON. The page's scripts have the same types in their comments. */
import type { FractalParameter } from "../../../protocol/app/fractal/messages.ts";

/** All that a page needs to know at first, and again whenever an image begins. */
export interface PageSnapshot {
  /** Tells a program from one that was started in its place: when it was, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly caption: string;
  readonly version: string;
  /** Names of the images that come with the program. */
  readonly names: readonly string[];
  /** How the options want the image to be marked, as the file is. */
  readonly marks: { readonly sessions: boolean; readonly colormarks: boolean };
  readonly maxSessions: number;
  readonly image: PageImage | null;
  readonly status: PageStatus;
  readonly elements: readonly PageElement[];
  readonly parts: readonly PagePart[];
  readonly failovers: readonly PageFailover[];
  readonly events: readonly PageEvent[];
  /** Number of the last update that is in it. */
  readonly sequence: number;
}

/** An image that is computed, or complete. */
export interface PageImage {
  /** From 1. */
  readonly number: number;
  readonly name: string;
  readonly parameter: Omit<FractalParameter, "type">;
  readonly sessions: number;
  /** How many views there are to go back to. */
  readonly depth: number;
  /** The parts' left, top, width and height. */
  readonly areas: readonly (readonly [number, number, number, number])[];
}

/** How far it is. */
export interface PageStatus {
  readonly state: "starting" | "computing" | "complete" | "failed" | "ended";
  /** Points that are not there yet. */
  readonly missing: number;
  readonly elapsedMs: number;
  /** All failovers of the image, also those that are not listed any more. */
  readonly failoverCount: number;
  /** Where the complete image was written to. */
  readonly file?: string;
  readonly slideShow: boolean;
  /** When the slide show goes on; absent = it does not. */
  readonly nextInMs?: number;
}

/** A pool element and its share of the image. */
export interface PageElement {
  /** As in logs. */
  readonly id: string;
  readonly messages: number;
  /** Points that were new. */
  readonly points: number;
  /** Points that were there already. */
  readonly repeated: number;
}

/** A part of the image, and the session that has it computed. */
export interface PagePart {
  readonly phase: "seeking" | "working" | "done";
  /** Index of the element that computes it, or did; -1 = none yet. */
  readonly element: number;
  readonly points: number;
  readonly failovers: number;
}

/** A session has left its element, or lost it. */
export interface PageFailover {
  /** Of the image's, from 1. */
  readonly number: number;
  readonly part: number;
  readonly elementId: string;
  readonly reason: string;
  readonly cookie: boolean;
  /** The first point of the image that the element did not compute any more. */
  readonly x: number;
  readonly y: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Something that happened, in words. */
export interface PageEvent {
  /** From 1; a page that has come between two updates may get an event twice. */
  readonly number: number;
  readonly level: "error" | "warning" | "note";
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What has changed since the last update; what is absent has not. */
export interface PageUpdate {
  readonly sequence: number;
  readonly status: PageStatus;
  /** Index and element. */
  readonly elements?: readonly (readonly [number, PageElement])[];
  /** Index and part. */
  readonly parts?: readonly (readonly [number, PagePart])[];
  /** New ones. */
  readonly failovers?: readonly PageFailover[];
  /** New ones. */
  readonly events?: readonly PageEvent[];
  /** New points. */
  readonly points?: PagePoints;
  /** There are more new points than are worth telling: the whole picture is to be fetched. */
  readonly isStale?: true;
}

/** Points in runs, each within one part. */
export interface PagePoints {
  /** Part, index of the element, changes of the element before, first point within the part, number of points. */
  readonly runs: readonly (readonly [number, number, number, number, number])[];
  /** Their colours without marks, 0 to 71, an octet each, in the order of the runs; Base64. */
  readonly hues: string;
}
