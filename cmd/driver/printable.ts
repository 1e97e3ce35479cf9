/** Text of strangers, fit for a terminal. */

/** Control characters of ASCII, of Latin-1, and those that change the direction of what follows. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text without what a terminal would obey: a dot for each such character.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(printable("\x1b[2Jdone\n"), ".[2Jdone.");
 * ```
 */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, ".");
}
