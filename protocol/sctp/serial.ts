/**
 * Serial number arithmetic (RFC 1982) on 32-bit TSNs and 16-bit stream sequence numbers: which of two comes later when
 * they wrap.
 */

/**
 * How far a TSN lies behind another one.
 *
 * @returns `a - b` modulo 2^32, as a number in [-2^31, 2^31); positive when `a` is later
 */
export function tsnDifference(a: number, b: number): number {
  return (a - b) | 0;
}

/** The TSN `count` places after another one; before it when `count` is negative. */
export function tsnAdd(tsn: number, count: number): number {
  return (tsn + count) >>> 0;
}
