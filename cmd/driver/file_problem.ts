/** Why a file cannot be used, in words. */

/**
 * The system's reason alone, without the error code before it and the call behind it: the sentence around it names the
 * file already.
 *
 * @param error what a call of `node:fs` threw
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const error = new Error("ENOENT: no such file or directory, open '/tmp/a'");
 * assert.equal(fileProblem(error), "no such file or directory");
 * ```
 */
export function fileProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/^E[A-Z0-9]+: /, "").replace(/, [a-z]+( '.*')?$/s, "");
}
