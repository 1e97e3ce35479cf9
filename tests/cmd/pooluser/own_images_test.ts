import assert from "node:assert/strict";
import { readFractalFile } from "../../../cmd/pooluser/fractal_file.ts";
import { ownImages } from "../../../cmd/pooluser/own_images.ts";
import { computePoints } from "../../../protocol/app/fractal/compute.ts";

Deno.test("ownImages are all files of their folder, by name", () => {
  const folder = new URL("../../../cmd/pooluser/fgpconfig/", import.meta.url);
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/\.fsf$/, "")).sort();
  assert.deepEqual([...ownImages.keys()], files);
  for (const [name, text] of ownImages) {
    assert.equal(text, Deno.readTextFileSync(new URL(`${name}.fsf`, folder)));
  }
});

Deno.test("each of ownImages shows something, in the proportions of the default size", () => {
  const width = 40, height = 25;
  for (const [name, text] of ownImages) {
    const image = readFractalFile(text);
    const { c1Real, c1Imag, c2Real, c2Imag } = image;
    assert.ok(Math.abs((c2Real - c1Real) / (c1Imag - c2Imag) - width / height) < 1e-6, name);
    const values = new Uint32Array(width * height);
    computePoints({ type: "parameter", width, height, ...image }, 0, values);
    assert.ok(new Set(values).size > 10, `${name} has ${new Set(values).size} colours`);
    assert.ok(values.filter((value) => value > 2).length > 100, `${name} is nearly empty`);
  }
});
