import assert from "node:assert/strict";
import { join } from "node:path";
import { Log } from "../../../cmd/driver/log.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { chooseImage } from "../../../cmd/pooluser/choose_image.ts";
import { poolUserOptions } from "../../../cmd/pooluser/options.ts";
import type { PoolUserOptionValues } from "../../../cmd/pooluser/options.ts";
import type { FractalParameter } from "../../../protocol/app/fractal/messages.ts";

function choose(line: string[], uniform = 0): { image: FractalParameter; said: string } {
  let said = "";
  const write = (text: string) => void (said += text);
  const log = new Log({ level: 3, color: false, json: false, write, now: () => new Date(0) });
  const { values } = parseOptions(poolUserOptions, line, () => undefined);
  const { parameter } = chooseImage(values as unknown as PoolUserOptionValues, log, () => uniform);
  return { image: parameter, said };
}

function file(n: number): string {
  return `<A><AlgorithmName>MandelbrotN</AlgorithmName><C1Real>${n}</C1Real><C1Imag>0</C1Imag>` +
    `<C2Real>0</C2Real><C2Imag>0</C2Imag><Useroptions><N>${n}</N></Useroptions></A>`;
}

Deno.test("chooseImage() gives RSPLIB's default image when it is asked for", () => {
  assert.deepEqual(choose(["-configdir=none"]).image, {
    type: "parameter",
    width: 400,
    height: 250,
    algorithm: 1,
    maxIterations: 1024,
    c1Real: -1.5,
    c1Imag: 1.5,
    c2Real: 1.5,
    c2Imag: -1.5,
    n: 2,
  });
});

Deno.test("chooseImage() takes one of its own images by chance, unless options say what to compute", () => {
  const last = choose([], 0.999);
  assert.match(last.said, /image from whole-set$/m);
  assert.equal(last.image.c1Real, -1.2);
  assert.match(choose([], 0).said, /image from between$/m);
  for (const option of ["-algorithm=Mandelbrot", "-iterations=9", "-c2imag=0.5", "-n=3"]) {
    const { image, said } = choose([option], 0);
    assert.equal(image.c1Real, -1.5, option);
    assert.equal(said, "");
  }
});

Deno.test("chooseImage() takes an image of its own by its name, and lists the names when there is none", () => {
  const { image } = choose(["-config=cubic", "-width=64"]);
  assert.deepEqual([image.algorithm, image.n, image.width], [2, 3, 64]);
  assert.throws(() => choose(["-config=cubik"]), {
    name: "OptionError",
    message: /cubik cannot be read: .*images without a file are between, cubic, .*whole-set$/,
  });
});

Deno.test("chooseImage() lets options count more than a file, and picks files of a folder by chance", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const n of [3, 4, 5]) await Deno.writeTextFile(join(folder, `input-${n}.fsf`), file(n));
    await Deno.writeTextFile(join(folder, "README"), "no image");
    const { image, said } = choose([
      `-config=${join(folder, "input-4.fsf")}`,
      "-iterations=7",
      "-c2real=0.5",
    ]);
    assert.equal(image.n, 4);
    assert.equal(image.maxIterations, 7);
    assert.equal(image.c2Real, 0.5);
    assert.match(said, /input-4\.fsf/);
    const picked = [0, 0.4, 0.99].map((uniform) => choose([`-configdir=${folder}`], uniform).image.n);
    assert.deepEqual(picked, [3, 4, 5]);
    assert.equal(choose([`-configdir=${folder}`, "-algorithm=test"]).image.algorithm, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("chooseImage() warns of a folder without files, and refuses a file that cannot be used", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const empty = choose([`-configdir=${folder}`]);
    assert.equal(empty.image.maxIterations, 1024);
    assert.match(empty.said, /has no \*\.fsf files; the default image/);
    assert.match(choose([`-configdir=${join(folder, "nowhere")}`]).said, /cannot be read/);
    const path = join(folder, "bad.fsf");
    assert.throws(() => choose([`-config=${path}`]), { name: "OptionError", message: /cannot be read/ });
    await Deno.writeTextFile(path, "<html>");
    assert.match(choose([`-configdir=${folder}`]).said, /bad\.fsf has no AlgorithmName/);
    assert.throws(() => choose([`-config=${path}`]), { name: "OptionError", message: /no AlgorithmName/ });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
