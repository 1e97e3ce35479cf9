import assert from "node:assert/strict";
import { join } from "node:path";
import { writeArchive } from "../../../cmd/farm/archive.ts";
import type { FarmInput } from "../../../cmd/farm/inputs.ts";
import { ResultError, Results } from "../../../cmd/farm/results.ts";
import type { ResultLayout } from "../../../cmd/farm/results.ts";

/** A folder of results, and archives for it. */
class Bench implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync();
  readonly results: Results;

  constructor(layout: Partial<ResultLayout> = {}) {
    this.results = new Results({ folder: this.path("results"), flat: false, commands: false, ...layout });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Has the result of a job stored that has made these files. */
  async collect(name: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
    return await this.store(name, await this.pack(name, files));
  }

  async pack(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const archive = this.path(`${name}.tar.gz`);
    await writeArchive(archive, Object.entries(files).map(([file, text]) => ({ name: file, text })));
    return archive;
  }

  async store(name: string, archive: string): Promise<readonly string[]> {
    return await this.results.collect(input(name), archive, new AbortController().signal);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(join(this.path("results"), name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.results.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function input(name: string): FarmInput {
  return { word: name, path: undefined, name, number: 1, key: name };
}

Deno.test("Results gives a file of a shared folder to one of the jobs that made it at the same time", async () => {
  await using bench = new Bench({ flat: true });
  await bench.results.open();
  for (let round = 1; round <= 20; round++) {
    const same = `same${round}`;
    const names = ["a", "b", "c"].map((name) => `${name}${round}`);
    const archives = await Promise.all(names.map((name) => bench.pack(name, { [same]: name, [name]: name })));
    const ended = await Promise.allSettled(names.map((name, index) => bench.store(name, archives[index]!)));
    assert.equal(ended.filter(({ status }) => status === "fulfilled").length, 1);
    const losers = ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    assert.ok(losers.every((reason) => reason instanceof ResultError), String(losers));
    const winner = await bench.read(same);
    assert.equal(await bench.read(winner), winner);
  }
});

Deno.test("Results owns nothing of a job whose files were in somebody's way", async () => {
  await using bench = new Bench({ flat: true });
  await bench.results.open();
  await Deno.writeTextFile(join(bench.path("results"), "mine"), "dear");
  await assert.rejects(bench.collect("a", { "first": "a", "mine": "a" }), /mine is in its way/);
  await bench.collect("b", { "first": "b" });
  assert.equal(await bench.read("first"), "b");
  assert.equal(await bench.read("mine"), "dear");
});
