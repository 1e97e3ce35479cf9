// @ts-check
/** The colours of the page, as a canvas takes them. */
import { make } from "shared/dom.js";

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

/** @typedef {Readonly<Record<typeof COLOURS[number], string>>} Palette the colours of the page as they are now */

/** From which loads on an element is busy, and full. */
const BUSY = 0.75, FULL = 0.9;

/** @returns {Palette} what it is now */
export function palette() {
  const entries = COLOURS.map((name) => [name, resolvedColour(`--${name}`)]);
  return Object.fromEntries(entries);
}

/**
 * A colour of the style sheet as a canvas takes it: what `light-dark()` means now.
 *
 * @param {string} name
 */
export function resolvedColour(name) {
  const probe = make("i", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
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
