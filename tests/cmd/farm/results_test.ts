import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeArchive } from "../../../cmd/farm/archive.ts";
import type { FarmInput } from "../../../cmd/farm/inputs.ts";
import { LAST_WORDS_OCTETS, ResultError, Results } from "../../../cmd/farm/results.ts";
import type { ResultLayout } from "../../../cmd/farm/results.ts";

/** A folder of results, and archives for it. */
class Bench implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync();
  readonly results: Results;
  onClaim: (files: readonly string[]) => void = () => {};

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
    const { signal } = new AbortController();
    return await this.results.collect(input(name), archive, {
      signal,
      claim: (files) => this.onClaim(files),
    });
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

Deno.test("Results says which files a job is about to have, before they are in their place", async () => {
  for (const flat of [true, false]) {
    await using bench = new Bench({ flat });
    await bench.results.open();
    const place = join(bench.path("results"), flat ? "b" : "job");
    const claims: (readonly string[])[] = [];
    bench.onClaim = (files) => {
      assert.equal(existsSync(place), false);
      claims.push(files.toSorted());
    };
    await bench.collect("job", { "b": "b", "a": "a" });
    assert.deepEqual(claims, [flat ? ["a", "b"] : ["job/a", "job/b"]]);
  }
});

Deno.test("Results keeps logs of any length, and tells the last line of what a failed job said", async () => {
  await using bench = new Bench({ commands: true });
  await bench.results.open();
  const long = "a\n".repeat(LAST_WORDS_OCTETS), words = `${long}the end\n`;
  const archive = await bench.pack("job", { "stderr.txt": "", "stdout.txt": words });
  assert.equal(await bench.results.explain(input("job"), archive, new AbortController().signal), "the end");
  assert.equal(await bench.read(".farm/logs/job.stdout.txt"), words);
  const again = await bench.pack("job", { "stderr.txt": "\u00e9".repeat(LAST_WORDS_OCTETS) });
  const said = await bench.results.explain(input("job"), again, new AbortController().signal);
  assert.match(said ?? "", /\u00e9{100}$/);
  await assert.rejects(
    bench.read(".farm/logs/job.stdout.txt"),
    Deno.errors.NotFound,
    "of an earlier attempt",
  );
});

Deno.test("Results is one farm's at a time", async () => {
  await using bench = new Bench();
  await bench.results.open();
  await Deno.writeTextFile(bench.results.temporary("package"), "dear");
  const other = new Results({ folder: bench.path("results"), flat: false, commands: false });
  await assert.rejects(other.open(), /another farm is at work there/);
  assert.equal(await Deno.readTextFile(bench.results.temporary("package")), "dear");
  await bench.results.close();
  await other.open();
  await other.close();
});
