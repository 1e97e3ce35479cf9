import assert from "node:assert/strict";
import { runPart } from "../../scripts/test.ts";
import type { Part } from "../../scripts/test.ts";

/** A part whose limit a test reaches. */
function part(script: string, limitSeconds = 0.2): Part {
  return { name: "sample", about: "", command: ["/bin/sh", "-c", script], limitMinutes: limitSeconds / 60 };
}

const GRACE_MS = 200;

Deno.test("runPart() counts what a part prints, and shows it as it comes", async () => {
  const shown: string[] = [];
  const show = (chunk: Uint8Array) => void shown.push(new TextDecoder().decode(chunk));
  const { count, output } = await runPart(part("echo '3 passed, 0 failed'", 60), show);
  assert.deepEqual([count, output, shown.join("")], [
    { passed: 3, failed: 0 },
    ...["3 passed, 0 failed\n", "3 passed, 0 failed\n"],
  ]);
});

for (
  const [what, script] of [
    ["hangs", "exec sleep 60"],
    ["takes no SIGTERM", "trap '' TERM; while :; do sleep 1; done"],
    ["leaves a program behind that holds its output", "sleep 60 & echo left $!; exec sleep 60"],
  ] as const
) {
  Deno.test(`runPart() ends a part that ${what}, says so, and counts it as failed`, async () => {
    const { count, output, seconds } = await runPart(part(script), () => {}, GRACE_MS);
    const [, left] = /^left (\d+)$/m.exec(output) ?? [];
    if (left !== undefined) Deno.kill(Number(left), "SIGKILL");
    assert.equal(count.failed, 1);
    assert.match(output, /^sample is ended: it takes more than/m);
    assert.ok(seconds < 50, `${seconds} s`);
  });
}
