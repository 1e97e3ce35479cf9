/**
 * Where a trace leaves the expected one. Lines of the same instant may change places: their order, within a tenth of a
 * second, hangs on delays of a millisecond, and so on every random number that was drawn before.
 *
 * @param expected as written down
 * @param found as it went
 * @returns a sentence for the first difference; undefined = there is none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(traceDifference(["1.0 a", "1.0 b", "2.0 c"], ["1.0 b", "1.0 a", "2.0 c"]), undefined);
 * assert.equal(
 *   traceDifference(["1.0 a"], ["1.0 b"]),
 *   'line 1 of the trace is not "1.0 a" but "1.0 b"',
 * );
 * ```
 */
export function traceDifference(expected: readonly string[], found: readonly string[]): string | undefined {
  const wanted = inInstants(expected), seen = inInstants(found);
  const end = "the end";
  for (let line = 0; line < Math.max(wanted.length, seen.length); line++) {
    if (wanted[line] === seen[line]) continue;
    return `line ${line + 1} of the trace is not "${wanted[line] ?? end}" but "${seen[line] ?? end}"`;
  }
  return undefined;
}

/** The lines with those of one instant sorted; what the scenario itself does stays where it is. */
function inInstants(lines: readonly string[]): string[] {
  const sorted: string[] = [];
  let group: string[] = [];
  let groupKey: string | undefined;
  for (const line of lines) {
    const time = line.slice(0, line.indexOf(" "));
    const key = line.startsWith("* ", time.length + 1) ? undefined : time;
    if (key === undefined || key !== groupKey) {
      sorted.push(...group.sort());
      group = [];
    }
    groupKey = key;
    group.push(line);
  }
  return [...sorted, ...group.sort()];
}
