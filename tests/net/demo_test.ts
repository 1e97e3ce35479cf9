import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("scripts/demo draws an image, says what carries SCTP, and ends with 0", async () => {
  const { code, stdout, stderr } = await new Deno.Command(`${root}/scripts/demo`, {
    args: ["-width=200", "-height=150", "-logcolor=off"],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(600_000),
  }).output();
  const text = new TextDecoder();
  const output = text.decode(stdout) + text.decode(stderr);
  assert.equal(code, 0, output);
  assert.equal(output.match(/SCTP is carried by /g)?.length, 3, output);
  assert.match(output, /demo: the image is complete: fractal\.png/);
  const image = await Deno.readFile(`${root}/fractal.png`);
  assert.equal(new TextDecoder("latin1").decode(image.subarray(1, 4)), "PNG");
});
