/** The colours of RSPLIB's pool user (reference/rsplib.md §5.2): a value is a hue, at full saturation and brightness. */

/** Hues repeat after so many values: 72 steps of 5 degrees. */
export const COLOUR_COUNT = 72;

/** What moves a point's hue, so that the picture shows who computed it. All default to 0. */
export interface ColourMarks {
  /** How many images were made before this one. */
  readonly run?: number;
  /** How often the session had changed its PE when the point came. */
  readonly peChanges?: number;
  /** Index of the session. */
  readonly session?: number;
}

/**
 * The value to colour instead of a point's own, so that runs, PE changes and sessions show.
 *
 * @param value a point's value
 * @returns value + 2 * run + 5 * peChanges + 3 * session
 */
export function markedValue(value: number, { run = 0, peChanges = 0, session = 0 }: ColourMarks): number {
  return value + 2 * run + 5 * peChanges + 3 * session;
}

/**
 * The colour of a value: hue (value mod 72) * 5 degrees.
 *
 * @param value a whole number of at least 0
 * @returns 0xRRGGBB
 *
 * @example Red, green and blue
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([colourOf(0), colourOf(24), colourOf(48)], [0xff0000, 0x00ff00, 0x0000ff]);
 * ```
 */
export function colourOf(value: number): number {
  return COLOURS[value % COLOUR_COUNT]!;
}

const COLOURS: Uint32Array = Uint32Array.from(
  { length: COLOUR_COUNT },
  (_, index) => hsvToRgb(index * 5, 1, 1),
);

/**
 * Converts hue, saturation and value to RGB. A component is the upper octet of its rounded 16 bits, which is how
 * RSPLIB's picture library rounds.
 *
 * @param hue degrees, 0 to below 360
 * @param saturation 0–1
 * @param value 0–1
 * @returns 0xRRGGBB
 */
export function hsvToRgb(hue: number, saturation: number, value: number): number {
  const component = (offset: number) => {
    const sector = (offset + hue / 60) % 6;
    const fraction = Math.max(0, Math.min(sector, 4 - sector, 1));
    return Math.round(value * (1 - saturation * fraction) * 0xffff) >> 8;
  };
  return component(5) << 16 | component(3) << 8 | component(1);
}
