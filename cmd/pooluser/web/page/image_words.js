// @ts-check
/** The image in words: what it is, how far it is, and where its points and regions are. */
import { complex, coordinate, count, duration, percent, whole } from "./format.js";

/** @typedef {import("../page_words.ts").PageImage} PageImage */
/** @typedef {import("../page_words.ts").PageStatus} PageStatus */
/** @typedef {import("../../views.ts").Region} Region */

/** States in a word; while points come, their share tells more. */
const STATES = {
  starting: "starting",
  complete: "complete",
  ended: "ended",
  failed: "",
  computing: "",
};

/**
 * `Image 2: seahorse-valley, view 3`
 *
 * @param {PageImage} image
 */
export function imageTitle({ number, name, depth }) {
  return `Image ${number}: ${name}${depth === 0 ? "" : `, view ${depth + 1}`}`;
}

/**
 * What an image is, by name.
 *
 * @param {PageImage} image
 * @returns {readonly (readonly [string, string])[]}
 */
export function imageFacts({ parameter, sessions, areas }) {
  const { width, height, algorithm, maxIterations, n, c1Real, c1Imag, c2Real, c2Imag } = parameter;
  const stepReal = (c2Real - c1Real) / width, stepImag = (c2Imag - c1Imag) / height;
  const room = areas.length, hasRoom = sessions === room;
  return [
    ["Formula", algorithm === 1 ? "z² − c" : algorithm === 2 ? `z^${n} − c` : "test pattern"],
    ["Iterations", `at most ${whole(maxIterations)}`],
    ["Size", `${width} × ${height} points`],
    ["Real", `${coordinate(c1Real, stepReal)} … ${coordinate(c2Real, stepReal)}`],
    ["Imaginary", `${coordinate(c1Imag, stepImag)} … ${coordinate(c2Imag, stepImag)}`],
    ["Sessions", hasRoom ? whole(sessions) : `${sessions}, of which the image has room for ${room}`],
  ];
}

/**
 * How far an image is: `42 % · 3.1 s · 0 failovers · 12,345 points/s`.
 *
 * @param {PageStatus} status
 * @param {number} total points of the image
 * @param {number} sinceMs how old the status is
 */
export function progressText({ state, missing, elapsedMs, failoverCount, nextInMs }, total, sinceMs) {
  const timeMs = elapsedMs + (state === "computing" ? sinceMs : 0), points = total - missing;
  const words = [
    STATES[state] || percent(points / total),
    duration(timeMs),
    count(failoverCount, "failover"),
  ];
  if (timeMs > 0) words.push(`${whole(1000 * points / timeMs)} points/s`);
  if (nextInMs !== undefined) {
    words.push(`next in ${Math.max(0, Math.ceil((nextInMs - sinceMs) / 1000))} s`);
  }
  return words.join(" · ");
}

/**
 * Where a point is.
 *
 * @param {PageImage} image
 * @param {number} x
 * @param {number} y
 */
export function pointText({ parameter: { c1Real, c1Imag, c2Real, c2Imag, width, height } }, x, y) {
  const step = (c2Real - c1Real) / width;
  return complex(c1Real + x * step, c1Imag + y * (c2Imag - c1Imag) / height, step);
}

/**
 * Where a region is, and how large.
 *
 * @param {PageImage} image
 * @param {Region} region
 */
export function regionText(image, { left, top, right, bottom }) {
  const { width, height } = image.parameter;
  const middle = pointText(image, (left + right) / 2 * width, (top + bottom) / 2 * height);
  return `Region around ${middle}, ${percent(right - left)} as wide as the image. Enter computes it.`;
}
