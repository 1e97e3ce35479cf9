// @ts-check
/** Numbers and times as people read them. */

const WHOLE = new Intl.NumberFormat("en-GB");
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @param {number} value */
export function whole(value) {
  return WHOLE.format(Math.round(value));
}

/** @param {number} number @param {string} what one of them */
export function count(number, what) {
  return `${whole(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** @param {number} fraction */
export function percent(fraction) {
  return `${Math.floor(100 * fraction)} %`;
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

/** The time of day. @param {number} at milliseconds since 1970 */
export function timeOfDay(at) {
  return TIME.format(at);
}

/**
 * A coordinate, with as many digits as tell a point from its neighbour.
 *
 * @param {number} value
 * @param {number} step from one point to the next
 */
export function coordinate(value, step) {
  const digits = Math.min(17, Math.max(2, Math.ceil(-Math.log10(Math.abs(step) || 1)) + 1));
  return value.toFixed(digits).replace("-", "−");
}

/**
 * A point of the plane, such as −0.74 + 0.13 i.
 *
 * @param {number} real
 * @param {number} imag
 * @param {number} step
 */
export function complex(real, imag, step) {
  const sign = imag < 0 ? "−" : "+";
  return `${coordinate(real, step)} ${sign} ${coordinate(Math.abs(imag), step)} i`;
}
