import assert from "node:assert/strict";
import { join } from "node:path";
import { Journal } from "../../../cmd/farm/journal.ts";

/** A journal with one result, its path, and the folder with the result's file. */
async function withJournal(
  run: (journal: Journal, path: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "journal");
    await Deno.writeTextFile(join(folder, "a.png"), "");
    const journal = new Journal(path);
    journal.add({ key: "small", source: "a", name: "a", files: ["a.png"] });
    await run(journal, path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Journal has no result that another command has replaced, in this run and in the next", () =>
  withJournal(async (journal, path, folder) => {
    journal.add({ key: "other", source: "b", name: "b", files: ["a.png"] });
    assert.equal(await journal.has({ key: "small", name: "a" }, folder), true);
    journal.add({ key: "large", source: "a", name: "a", files: ["a.png"] });
    for (const one of [journal, new Journal(path)]) {
      assert.equal(await one.has({ key: "small", name: "a" }, folder), false);
      assert.equal(await one.has({ key: "large", name: "a" }, folder), true);
      assert.equal(await one.has({ key: "other", name: "b" }, folder), true);
    }
    assert.deepEqual([...new Journal(path).names], [["a", "a"], ["b", "b"]]);
  }));

Deno.test("Journal knows whose files are that were about to be put in their place when the farm was killed", () =>
  withJournal(async (journal, path, folder) => {
    journal.claim({ source: "a", name: "a", files: ["a.png", "a.txt"] });
    const next = new Journal(path);
    assert.equal(
      await next.has({ key: "small", name: "a" }, folder),
      false,
      "half of another result may be there",
    );
    assert.deepEqual(next.rows.at(-1)?.files, ["a.png", "a.txt"]);
    assert.equal(await next.has({ key: "", name: "a" }, folder), false);
  }));
