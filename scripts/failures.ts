/** The failures that an output of `deno test` tells of, made short: an excerpt for the end of a long record. */

/** What is kept of an error's text: its beginning, which says what was expected, … */
const HEAD_CHARACTERS = 400;
/** … and its end, which has what a program said last. The whole of it stands where the part was shown. */
const TAIL_CHARACTERS = 500;

/**
 * Finds the failures in an output; several runs of `deno test` may stand in it.
 *
 * @returns a text for each: the test with its place, and an excerpt of the error
 */
export function listFailures(output: string): string[] {
  const plain = output.replaceAll("\r", ""); // a guest's terminal makes them
  const sections = plain.matchAll(/^ ERRORS $([^]*?)^ FAILURES $/gm);
  return [...sections].flatMap(([, section = ""]) => section.split(HEADING).slice(1).map(shortened));
}

/** A failure begins with a line `test => file:line:column`, and that after an empty one. */
const HEADING = /(?<=\n\n)(?=[^\n]* => [^\n]*:\d+:\d+\n)/;

function shortened(failure: string): string {
  const [heading = "", ...lines] = failure.trimEnd().split("\n");
  const stack = lines.findIndex((line) => /^ {4}at /.test(line));
  const error = (stack < 0 ? lines : lines.slice(0, stack + 1)).join("\n");
  const text = error.length <= HEAD_CHARACTERS + TAIL_CHARACTERS
    ? error
    : `${error.slice(0, HEAD_CHARACTERS)} […] ${error.slice(-TAIL_CHARACTERS)}`;
  return `${heading}\n${text}`;
}
