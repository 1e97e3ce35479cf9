import assert from "node:assert/strict";
import { markOwner, removeLeftovers } from "../../../../cmd/server/scripting/leftovers.ts";
import { DriverBench } from "./bench.ts";

/** A directory as a server leaves it that was killed, or that runs. */
async function leave(parent: string, name: string, change: Record<string, unknown> = {}): Promise<string> {
  const directory = `${parent}/${name}`;
  await Deno.mkdir(`${directory}/work`, { recursive: true });
  await markOwner(directory);
  const note = `${directory}/owner.json`;
  await Deno.writeTextFile(note, JSON.stringify({ ...JSON.parse(await Deno.readTextFile(note)), ...change }));
  return directory;
}

async function inTemporary(test: (parent: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rsp-leftovers-test-" });
  try {
    await test(parent);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("removeLeftovers() removes what is nobody's any more, and nothing else", async () => {
  await inTemporary(async (parent) => {
    const gone = await leave(parent, "rspSS-Session-gone", { startTime: "1" });
    await leave(parent, "rspSS-Session-mine");
    await leave(parent, "rspSS-Session-other-container", { startTime: "1", namespace: "pid:[1]" });
    await leave(parent, "other-prefix", { startTime: "1" });
    await leave(parent, "rspSS-Session-strange", { processId: "x" });
    await Deno.mkdir(`${parent}/rspSS-Session-kept`);
    await Deno.writeTextFile(`${parent}/rspSS-Session-file`, "");
    assert.deepEqual(await removeLeftovers(parent, "rspSS-Session-"), [gone]);
    const names = (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => name);
    assert.equal(names.length, 6);
  });
});

Deno.test("removeLeftovers() kills what still runs there", async () => {
  await inTemporary(async (parent) => {
    const directory = await leave(parent, "rspSS-Session-gone", { startTime: "1" });
    const child = new Deno.Command("sleep", { args: ["987654"], cwd: `${directory}/work`, stdin: "null" })
      .spawn();
    assert.deepEqual(await removeLeftovers(parent, "rspSS-Session-"), [directory]);
    assert.equal((await child.status).signal, "SIGKILL");
  });
});

Deno.test("ScriptingDriver removes what an earlier one left", async () => {
  await inTemporary(async (parent) => {
    const session = await leave(parent, "rspSS-Session-gone", { startTime: "1" });
    const cache = await leave(parent, "rspSS-EnvironmentCache-gone", { startTime: "1" });
    await using bench = await DriverBench.open({ directory: parent });
    for (const directory of [session, cache]) {
      await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
      assert(bench.lines.some((line) => line.startsWith(`removed ${directory}, `)));
    }
    await bench.begin(); // its own directory is not one of them
    const names = (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => name).sort();
    assert.deepEqual(names.map((name) => name.replace(/[^-]+$/, "")), [
      "rspSS-EnvironmentCache-",
      "rspSS-Session-",
    ]);
    await using other = await DriverBench.open({ directory: parent });
    assert.equal(other.lines.filter((line) => line.startsWith("removed")).length, 0, "the first one lives");
  });
});
