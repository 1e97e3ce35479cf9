import assert from "node:assert/strict";
import { PrintedLines } from "../../../cmd/scriptingclient/printed_lines.ts";

/** The lines of some pieces. */
function linesOf(...pieces: (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const printed = new PrintedLines((line) => void lines.push(line));
  for (const piece of pieces) {
    printed.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
  }
  printed.end();
  return lines;
}

Deno.test("PrintedLines puts pieces together to lines, the last one without its end, too", () => {
  assert.deepEqual(linesOf("on", "e\ntw", "o\r\n", "\nthr", "ee"), ["one", "two", "", "three"]);
  assert.deepEqual(linesOf(), []);
});

Deno.test("PrintedLines takes a progress bar for lines, and a character in two pieces for one", () => {
  assert.deepEqual(linesOf("10 %\r20 %\r"), ["10 %", "20 %"]);
  assert.deepEqual(linesOf(Uint8Array.of(0xc3), Uint8Array.of(0xa4, 10)), ["ä"]);
});

Deno.test("PrintedLines lets nothing through that a terminal would obey", () => {
  assert.deepEqual(linesOf("a\x1b[2Jb\x07\tc\x9b1m\n"), ["a.[2Jb.    c.1m"]);
});

Deno.test("PrintedLines waits for the end of a line no longer than 4096 characters", () => {
  assert.deepEqual(linesOf("x".repeat(5000), "\n").map(({ length }) => length), [4096, 904]);
});
