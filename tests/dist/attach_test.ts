/** What a program attached to Deno sees of the world: exactly what it would see without all that. */
import assert from "node:assert/strict";
import { attachProgram } from "../../scripts/packing/attach.ts";
import { denoFor } from "../../scripts/packing/deno_for.ts";
import type { Processor } from "../../scripts/packing/deno_for.ts";
import { programFunction } from "../../scripts/packing/program.ts";
import { run } from "./room.ts";

/** It tells its arguments and its environment; the way from there and back is that of every program with a `require`. */
const PROGRAM = `const { basename } = require("node:path");
const environment = new TextDecoder().decode(new Deno.Command("/usr/bin/env", { args: ["-0"] }).outputSync().stdout);
console.log(JSON.stringify({
  words: Deno.args,
  environment: environment.split("\\0").filter((line) => line !== "").sort(),
  name: basename(Deno.readTextFileSync("/proc/self/cmdline").split("\\0")[0]),
  isStrict: (function () { return this === undefined; })(),
}));`;

/** How an executable of another processor runs here. */
const EMULATORS: Readonly<Record<Processor, readonly string[]>> = {
  x86_64: ["qemu-x86_64-static", "-L", "/usr/x86_64-linux-gnu"],
  aarch64: ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"],
};
const OTHER: Processor = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";

const LINES: readonly (readonly string[])[] = [
  [],
  ["one"],
  ["--", "-A", "", "a b", "ü", "--version", "-"],
  Array.from({ length: 1001 }, (_, index) => `-${index}`),
];
const ENVIRONMENTS: readonly Readonly<Record<string, string>>[] = [
  {},
  { HOME: "/somewhere", DENO_DIR: "", DENO_LOG: "debug", A: "b=c" },
];

/** What it is called with, each in each environment. */
interface Calls {
  readonly lines: readonly (readonly string[])[];
  readonly environments: readonly Readonly<Record<string, string>>[];
}

async function assertSeesAll(processor: Processor, { lines, environments }: Calls): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/told`;
    const { path: deno } = await denoFor(processor);
    await Deno.writeFile(path, attachProgram(await Deno.readFile(deno), programFunction(PROGRAM)), {
      mode: 0o755,
    });
    const [program = "", ...before] = processor === Deno.build.arch
      ? [path]
      : [...EMULATORS[processor], path];
    for (const words of lines) {
      for (const env of environments) {
        const { code, stdout, stderr } = await run(program, [...before, ...words], { clearEnv: true, env });
        assert.deepEqual([code, stderr], [0, ""]);
        const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`).sort();
        assert.deepEqual(JSON.parse(stdout), { words, environment, name: "told", isStrict: true });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an attached program sees its words and its environment", async () => {
  await assertSeesAll(Deno.build.arch, { lines: LINES, environments: ENVIRONMENTS });
});

Deno.test("an attached program sees its words and its environment, on the other processor", async () => {
  // Once: an emulated start takes many seconds.
  await assertSeesAll(OTHER, { lines: [LINES[2]!], environments: [ENVIRONMENTS[1]!] });
});
