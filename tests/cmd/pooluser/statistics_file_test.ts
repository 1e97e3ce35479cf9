import assert from "node:assert/strict";
import { imageLines, IMAGES_HEADER } from "../../../cmd/pooluser/statistics_file.ts";

Deno.test("imageLines() has a line for each element, and the header names every column but the number", () => {
  const lines = imageLines(7, {
    image: 2,
    width: 400,
    height: 250,
    startedAt: 1_000_000,
    completedAt: 1_002_500.25,
    statistics: {
      durationMs: 1234.5,
      failovers: 3,
      repairs: 1,
      invalid: 0,
      elements: [
        { elementId: 0x1234abcd, messages: 300, points: 90_000, repeated: 17 },
        { elementId: 2, messages: 40, points: 10_000, repeated: 0 },
      ],
    },
  });
  const image = "2 400 250 1.234500 3 1 0";
  assert.deepEqual(lines, [
    `000007 1002.500250 2.500250   ${image}   0x1234abcd 300 90000 17\n`,
    `000008 1002.500250 2.500250   ${image}   0x00000002 40 10000 0\n`,
  ]);
  const columns = (line: string) => line.trim().split(/ +/).length;
  assert.equal(columns(IMAGES_HEADER) + 1, columns(lines[0]!));
});
