import type { Prng } from "../../machine.ts";
import type { SessionId, SessionLoss } from "../../session/types.ts";
import type { FractalPart } from "./part.ts";

/** First pause before a session that got nothing out of its PE tries again, in milliseconds; it doubles. */
const FIRST_PAUSE_MS = 100;

/**
 * Longest of these pauses, in milliseconds. The session layer waits by itself, and longer, after PEs that say nothing
 * at all, such as full ones; this pause is for those that say something and give no points.
 */
const LONGEST_PAUSE_MS = 1000;

/**
 * So many PEs in a row may be lost without a new point after a cookie; then the cookie is dropped and the part is asked for
 * anew. A cookie that no PE of the pool can read would otherwise block the image for ever; but computing all again has its
 * price, and PEs that die or have no place are not the cookie's fault.
 */
const MAX_BARREN_COOKIES = 12;

/** A part of an image on its way from PE to PE: where it is, and what the present PE and those before were good for. */
export class PartSession {
  readonly part: FractalPart;
  readonly index: number;
  /** Undefined between two sessions. */
  session: SessionId | undefined;
  /** `working`: a PE has been asked. `pausing`: left one and waits a moment. `seeking`: the session layer finds one. */
  phase: "seeking" | "working" | "pausing" | "done" = "seeking";
  elementId = 0;
  peChanges = 0;
  /** Points received since the present PE was found, repeated ones included. */
  received = 0;
  /** Whether the part is asked for once more. */
  again = false;
  hasCookie = false;
  /** How the last PE was lost: the registrar is to hear of silent ones. */
  loss: SessionLoss = "shutdown";
  /** Points received since the present PE was found that were new. */
  #fresh = 0;
  /** PEs in a row that gave nothing new. */
  #barren = 0;
  /** Those of them that were lost, not leaving in order, when they had a cookie. */
  #barrenCookies = 0;

  /** @param index of the part within its image */
  constructor(part: FractalPart, index: number) {
    this.part = part;
    this.index = index;
  }

  /** A PE was found. */
  found(elementId: number): void {
    if (this.elementId !== 0 && this.elementId !== elementId) this.peChanges++;
    this.elementId = elementId;
    this.received = 0;
    this.#fresh = 0;
  }

  /** The PE has given points. @param fresh how many of them were new */
  gave(points: number, fresh: number): void {
    this.received += points;
    this.#fresh += fresh;
  }

  /** The PE is left. @returns 0 when it gave new points; else a pause that doubles with every PE in a row that gave none */
  pauseAfter(prng: Prng): number {
    if (this.#fresh > 0) {
      this.#barren = 0;
      return 0;
    }
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.#barren, LONGEST_PAUSE_MS);
    this.#barren++;
    return longest * (0.5 + 0.5 * prng.uniform()); // sessions turned away together do not come back together
  }

  /** The PE was lost. @returns whether the cookie, and the session with it, is to be dropped, since nobody can go on by it */
  losesCookie(): boolean {
    if (this.#fresh > 0) this.#barrenCookies = 0;
    else if (this.hasCookie && this.loss !== "shutdown") this.#barrenCookies++;
    if (this.#barrenCookies < MAX_BARREN_COOKIES) return false;
    this.#barren = this.#barrenCookies = 0;
    return true;
  }
}
