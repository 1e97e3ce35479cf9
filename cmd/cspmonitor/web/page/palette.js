// @ts-check
/** The colours of the page, as a canvas takes them. */
import { make } from "shared/dom.js";
import { styleValue } from "shared/frame.js";

/**
 * The colours of the page as they are now.
 *
 * @typedef {object} Palette
 * @property {string} text
 * @property {string} faint
 * @property {string} line
 * @property {string} surface
 * @property {string} raised
 * @property {string} accent
 * @property {string} good
 * @property {string} warning
 * @property {string} bad
 * @property {string} registrar
 * @property {string} element
 * @property {string} user
 */

const COLOURS = /** @type {const} */ ([
  "text",
  "faint",
  "line",
  "surface",
  "raised",
  "accent",
  "good",
  "warning",
  "bad",
  "registrar",
  "element",
  "user",
]);

/** From which loads on an element is busy, and full. */
const BUSY = 0.75, FULL = 0.9;

/** @returns {Palette} what it is now */
export function palette() {
  const entries = COLOURS.map((name) => [name, resolved(`--${name}`)]);
  return Object.fromEntries(entries);
}

/**
 * A colour as a canvas takes it: what `light-dark()` means now.
 *
 * @param {string} name
 */
function resolved(name) {
  const probe = make("i", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour === "" ? styleValue(name) : colour;
}

/**
 * The colour of a load.
 *
 * @param {number} load
 * @param {Palette} palette
 */
export function loadColour(load, { element, warning, bad }) {
  return load >= FULL ? bad : load >= BUSY ? warning : element;
}
