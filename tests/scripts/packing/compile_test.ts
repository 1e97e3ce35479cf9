import assert from "node:assert/strict";
import { compiledModule, reason } from "../../../scripts/packing/compile.ts";
import { programFunction } from "../../../scripts/packing/program.ts";

Deno.test("compiledModule() runs a program once, strictly, with Deno's modules", async () => {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const program = 'console.log(require("node:path").basename("a/b"), (function () { return this; })());';
    await Deno.writeTextFile(path, compiledModule(programFunction(program)));
    const line = ["run", "--quiet", "--no-config", path];
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: line, env: { NO_COLOR: "1" } })
      .output();
    assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, "b undefined\n"]);
  } finally {
    await Deno.remove(path);
  }
});

for (
  const { text, says } of [
    {
      text:
        "error: Writing it\n\nCaused by:\n    0: First.\n    1: No such name\n\nStack backtrace:\n   0: f",
      says: "No such name",
    },
    { text: "error: Module not found\nmore", says: "Module not found" },
    { text: "", says: "" },
  ]
) {
  Deno.test(`reason() finds ${JSON.stringify(says)}`, () => {
    assert.equal(reason(text), says);
  });
}
