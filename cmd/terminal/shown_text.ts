/** Text of a peer, such that it can do a terminal no harm. */
import { printable } from "../driver/printable.ts";

// deno-lint-ignore no-control-regex -- these are what is looked for
const TRAILING_CONTROL = /[\u0000-\u001f\u007f]+$/;

/**
 * Octets as text for people, as RSPLIB's terminal shows them (reference/rsplib.md §1.5): control characters at the end are
 * left out, others become dots. What is no UTF-8 becomes U+FFFD.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = new TextEncoder().encode("\x1b[2Jgrüß dich\r\n");
 * assert.equal(shownText(octets), ".[2Jgrüß dich");
 * ```
 */
export function shownText(octets: Uint8Array): string {
  return printable(new TextDecoder().decode(octets).replace(TRAILING_CONTROL, ""));
}
