import assert from "node:assert/strict";
import { readInputs } from "../../../cmd/farm/inputs.ts";

const COMMON = { command: "x", values: true, environmentOf: () => undefined } as const;

Deno.test("readInputs() gives inputs of one name names of their own, and earlier ones theirs", async () => {
  const names = new Map([["ü", "_"], ["gone", "_~3"]]);
  const inputs = await readInputs(["ä", "ö", "ü", "é"], { ...COMMON, names });
  assert.deepEqual(inputs.map(({ name }) => name), ["_~2", "_~4", "_", "_~5"]);
});

Deno.test("readInputs() takes a file that is named in several ways for one job", async () => {
  const path = await Deno.makeTempFile();
  try {
    const words = [path, path.replace(/[^/]+$/, "./$&"), path];
    assert.equal((await readInputs(words, { ...COMMON, values: false, names: new Map() })).length, 1);
    assert.equal((await readInputs(["a", "./a", "a"], { ...COMMON, names: new Map() })).length, 2);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readInputs() knows the job of a file again when its path is written otherwise", async () => {
  const path = await Deno.makeTempFile();
  try {
    const common = { ...COMMON, values: false, names: new Map() };
    const [plain] = await readInputs([path], common);
    const [other] = await readInputs([path.replace(/[^/]+$/, "./$&")], common);
    assert.equal(other!.key, plain!.key);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readInputs() does not go through all names for each of many that are the same", async () => {
  const words = Array.from({ length: 40_000 }, (_none, index) => String.fromCodePoint(0x1_0000 + index));
  const begin = performance.now();
  const inputs = await readInputs(words, { ...COMMON, names: new Map() });
  assert.ok(performance.now() - begin < 20_000, "it takes a second, not minutes");
  assert.equal(new Set(inputs.map(({ name }) => name)).size, words.length);
});
