import assert from "node:assert/strict";
import { openOutputFile } from "../../../cmd/driver/output_file.ts";
import { OptionError } from "../../../cmd/options.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const options = (path: string) => ({
  path,
  option: "statsfile",
  onProblem: (text: string) => assert.fail(text),
});

Deno.test("openOutputFile() has each text in the file at once", () =>
  withFolder(async (folder) => {
    const path = `${folder}/plain`;
    await Deno.writeTextFile(path, "old");
    const file = openOutputFile(options(path));
    file.write("one\n");
    assert.equal(await Deno.readTextFile(path), "one\n");
    await file.close();
    file.write("late");
    await file.close();
    assert.equal(await Deno.readTextFile(path), "one\n");
  }));

Deno.test("openOutputFile() packs what ends in .bz2", () =>
  withFolder(async (folder) => {
    const path = `${folder}/packed.bz2`;
    const file = openOutputFile(options(path));
    for (let line = 0; line < 1000; line++) file.write(`line ${line}\n`);
    await file.close();
    await file.close();
    const { stdout } = await new Deno.Command("bzip2", { args: ["-dc", path] }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assert.deepEqual([lines.length, lines.at(-1)], [1000, "line 999"]);
  }));

Deno.test("openOutputFile() says why a file cannot be written", () =>
  withFolder((folder) => {
    assert.throws(
      () => openOutputFile(options(`${folder}/none/file`)),
      (error) =>
        error instanceof OptionError &&
        /^option -statsfile: cannot write .*: no such file/.test(error.message),
    );
    return Promise.resolve();
  }));

Deno.test("openOutputFile() tells once that the disk is full, and goes on", () => {
  const problems: string[] = [];
  const file = openOutputFile({ ...options("/dev/full"), onProblem: (text) => problems.push(text) });
  file.write("one");
  file.write("two");
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^\/dev\/full is given up: no space left/i);
  return file.close();
});
