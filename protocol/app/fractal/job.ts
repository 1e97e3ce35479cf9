import type { Instant } from "../../net.ts";
import type { FractalCookie } from "./cookie.ts";
import { MAX_DATA_POINTS } from "./messages.ts";
import type { FractalData, FractalParameter } from "./messages.ts";

/**
 * Most points asked for in one go, 32 full Data: some milliseconds of a cheap image, beside which the way to a worker and
 * back is short; and little is computed in vain when a session ends.
 */
const MAX_BATCH_POINTS = 32 * MAX_DATA_POINTS;

/**
 * Iterations that a first batch may cost at most (some 30 ms), before it is known how deep the image goes. With a
 * million iterations a point, that is few points.
 */
const FIRST_BATCH_ITERATIONS = 10_000_000;

/** How long a batch should take, in milliseconds: long enough to be worth a message to a worker, short beside 1 s. */
const BATCH_MS = 100;

/**
 * The state of one image at a PE: how far it was computed, the points that wait to fill a Data message, and what the
 * next cookie says. It only counts and cuts; {@linkcode FractalServer} decides when something is sent.
 */
export class FractalJob {
  readonly parameter: FractalParameter;
  /** Points of the whole image. */
  readonly points: number;
  /** Full Data messages taken so far. */
  fullData = 0;
  /** Data messages taken since the last cookie. */
  dataSinceCookie = 0;
  lastDataAt: Instant;
  lastCookieAt: Instant;
  #next: number;
  readonly #waiting: Uint32Array = new Uint32Array(MAX_DATA_POINTS);
  #waitingCount = 0;
  #batch: number;

  /**
   * @param parameter an image within the limits
   * @param first index of the point to begin with, `y * width + x`
   */
  constructor(parameter: FractalParameter, first: number, now: Instant) {
    this.parameter = parameter;
    this.points = parameter.width * parameter.height;
    this.lastDataAt = now;
    this.lastCookieAt = now;
    this.#next = first;
    const affordable = Math.floor(FIRST_BATCH_ITERATIONS / Math.max(1, parameter.maxIterations));
    this.#batch = Math.min(Math.max(1, affordable), MAX_DATA_POINTS);
  }

  /** Index of the next point to compute. */
  get next(): number {
    return this.#next;
  }

  /** Whether every point was computed. Some may wait to be taken. */
  get complete(): boolean {
    return this.#next >= this.points;
  }

  /** Points computed and not yet taken. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** How many points to compute next; at least 1 unless the job is complete. */
  get batch(): number {
    return Math.min(this.#batch, this.points - this.#next);
  }

  /** Learns from how long the last batch took, its wait for a free processor included. */
  adapt(elapsedMs: number): void {
    if (elapsedMs < BATCH_MS / 2) this.#batch = Math.min(this.#batch * 2, MAX_BATCH_POINTS);
    else if (elapsedMs > BATCH_MS) this.#batch = Math.max(this.#batch >> 1, 1);
  }

  /**
   * Takes computed points in, as many as fit into the Data message being filled.
   *
   * @param values points from index `next` on
   * @returns how many were taken in; more fit after {@linkcode FractalJob.takeData}
   */
  add(values: Uint32Array): number {
    const count = Math.min(values.length, MAX_DATA_POINTS - this.#waitingCount);
    this.#waiting.set(count === values.length ? values : values.subarray(0, count), this.#waitingCount);
    this.#waitingCount += count;
    this.#next += count;
    return count;
  }

  /** Whether the waiting points fill a Data message. */
  get dataIsFull(): boolean {
    return this.#waitingCount === MAX_DATA_POINTS;
  }

  /** Takes the waiting points out as a Data message; there must be some. Its values are overwritten by the next points. */
  takeData(now: Instant): FractalData {
    const first = this.#next - this.#waitingCount;
    const { width } = this.parameter;
    if (this.dataIsFull) this.fullData++;
    const values = this.#waiting.subarray(0, this.#waitingCount);
    this.#waitingCount = 0;
    this.dataSinceCookie++;
    this.lastDataAt = now;
    return { type: "data", startX: first % width, startY: Math.floor(first / width), values };
  }

  /**
   * The state to come back to. The waiting points must have been taken, so that a cookie never runs ahead of the data
   * (RSPLIB's does, and loses up to 323 points when its PE dies at the wrong moment).
   *
   * It names the next point to compute; for a complete image the last one, since a position outside the image would
   * be refused.
   */
  takeCookie(now: Instant): FractalCookie {
    const position = Math.min(this.#next - this.#waitingCount, this.points - 1);
    const { width } = this.parameter;
    this.dataSinceCookie = 0;
    this.lastCookieAt = now;
    return {
      parameter: this.parameter,
      currentX: position % width,
      currentY: Math.floor(position / width),
    };
  }
}
