import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  CACHE_PREFIX,
  EnvironmentCache,
  hashFile,
} from "../../../../cmd/server/scripting/environment_cache.ts";
import type { EnvironmentCacheOptions } from "../../../../cmd/server/scripting/environment_cache.ts";
import { DriverBench, scriptPackage, textOf } from "./bench.ts";

interface Place extends AsyncDisposable {
  readonly directory: string;
  open(options?: Partial<EnvironmentCacheOptions>): Promise<EnvironmentCache>;
  add(cache: EnvironmentCache, text: string): Promise<void>;
  retrieve(cache: EnvironmentCache, text: string): Promise<string | undefined>;
  names(): Promise<string[]>;
}

async function place(): Promise<Place> {
  const directory = await Deno.makeTempDir({ prefix: "rsp-cache-test-" });
  let files = 0;
  return {
    directory,
    open: (options) =>
      EnvironmentCache.open({
        directory: `${directory}/cache`,
        temporaryDirectory: directory,
        maxBytes: 1000,
        maxEntries: 3,
        onNote: () => {},
        ...options,
      }),
    async add(cache, text) {
      const path = `${directory}/file-${++files}`;
      await Deno.writeTextFile(path, text);
      await cache.add(hashOf(text), path);
    },
    async retrieve(cache, text) {
      const path = `${directory}/file-${++files}`;
      if (await cache.retrieve(hashOf(text), path)) return await Deno.readTextFile(path);
      await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
      return undefined;
    },
    async names() {
      return (await Array.fromAsync(Deno.readDir(`${directory}/cache`))).map(({ name }) => name).sort();
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(directory, { recursive: true });
    },
  };
}

function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash("sha1").update(text).digest());
}

function nameOf(text: string): string {
  return `${hashOf(text).toHex()}.data`;
}

Deno.test("EnvironmentCache gives back what it was given, and nothing else", async () => {
  await using here = await place();
  const cache = await here.open();
  await here.add(cache, "one");
  assert.equal(await here.retrieve(cache, "one"), "one");
  assert.equal(await here.retrieve(cache, "two"), undefined);
  assert.deepEqual([cache.size, cache.bytes], [1, 3]);
  assert.deepEqual(await here.names(), [nameOf("one")]);
  assert.equal(((await Deno.stat(`${here.directory}/cache`)).mode ?? 0) & 0o777, 0o700);
});

Deno.test("EnvironmentCache drops the least recently used when there are too many", async () => {
  await using here = await place();
  const cache = await here.open();
  for (const text of ["one", "two", "three"]) await here.add(cache, text);
  await here.retrieve(cache, "one"); // now "two" is the oldest
  await here.add(cache, "four");
  assert.equal(await here.retrieve(cache, "two"), undefined);
  assert.equal(await here.retrieve(cache, "one"), "one");
  assert.deepEqual(await here.names(), ["one", "three", "four"].map(nameOf).sort());
});

Deno.test("EnvironmentCache drops the least recently used when they are too large", async () => {
  await using here = await place();
  const cache = await here.open();
  await here.add(cache, "a".repeat(400));
  await here.add(cache, "b".repeat(500));
  await here.add(cache, "c".repeat(200));
  assert.deepEqual([cache.size, cache.bytes], [2, 700]);
  assert.equal(await here.retrieve(cache, "a".repeat(400)), undefined);
  await here.add(cache, "d".repeat(1001)); // would empty the cache, and not fit all the same
  assert.deepEqual([cache.size, cache.bytes], [2, 700]);
});

Deno.test("EnvironmentCache keeps no file whose hash is another", async () => {
  await using here = await place();
  const cache = await here.open();
  await Deno.writeTextFile(`${here.directory}/wrong`, "wrong");
  await cache.add(hashOf("right"), `${here.directory}/wrong`);
  assert.equal(cache.size, 0);
  assert.deepEqual(await here.names(), []);
});

Deno.test("EnvironmentCache drops what has changed on the disk", async () => {
  await using here = await place();
  const cache = await here.open();
  await here.add(cache, "good");
  await Deno.writeTextFile(`${here.directory}/cache/${nameOf("good")}`, "evil");
  assert.equal(await here.retrieve(cache, "good"), undefined);
  assert.equal(cache.size, 0);
  assert.deepEqual(await here.names(), []);
});

Deno.test("a permanent EnvironmentCache knows its files again, checks them and keeps to its limits", async () => {
  await using here = await place();
  const first = await here.open();
  for (const text of ["one", "two", "three"]) await here.add(first, text);
  await first.close();
  const time = (text: string, at: number) => Deno.utime(`${here.directory}/cache/${nameOf(text)}`, at, at);
  await Promise.all([time("one", 3000), time("two", 1000), time("three", 2000)]);
  await Deno.writeTextFile(`${here.directory}/cache/${nameOf("false")}`, "damaged");
  await Deno.writeTextFile(`${here.directory}/cache/copy-1.part`, "left by a server that was killed");
  await Deno.writeTextFile(`${here.directory}/cache/notes.txt`, "not ours");
  const second = await here.open({ maxEntries: 2 });
  assert.equal(second.size, 2);
  assert.equal(await here.retrieve(second, "two"), undefined, "the oldest");
  assert.equal(await here.retrieve(second, "one"), "one");
  assert.deepEqual(await here.names(), [nameOf("one"), nameOf("three"), "notes.txt"].sort());
});

Deno.test("a temporary EnvironmentCache goes with its server", async () => {
  const notes: string[] = [];
  await using here = await place();
  const cache = await here.open({ directory: undefined, onNote: (text) => void notes.push(text) });
  await here.add(cache, "one");
  const path = /cache of environments in (\S+):/.exec(notes[0] ?? "")?.[1] ?? "";
  assert.equal(await hashFile(`${path}/${nameOf("one")}`), hashOf("one").toHex());
  await cache.close();
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("EnvironmentCache.open() says why a directory is no good", async () => {
  await using here = await place();
  await Deno.writeTextFile(`${here.directory}/file`, "");
  await assert.rejects(
    here.open({ directory: `${here.directory}/file/cache` }),
    /^Error: cannot use .* as cache/,
  );
});

Deno.test("ScriptingDriver gives jobs the environment, uploaded or cached", async () => {
  await using bench = await DriverBench.open();
  const environment = new TextEncoder().encode("tools");
  const hash = hashOf("tools");
  const script = await scriptPackage('echo "$2" >"$1"; cat "$2" >>"$1"; echo changed >"$2"');
  for (const [session, cached] of [[1, false], [2, true], [3, true]] as const) {
    await bench.begin(session);
    bench.driver.handle({ type: "lookForEnvironment", session, hash });
    assert.equal((await bench.answer("environmentLooked", session)).found, cached);
    if (!cached) {
      await bench.upload(environment, session, "storeEnvironment");
      bench.driver.handle({ type: "checkEnvironment", session, hash });
      assert.equal((await bench.answer("environmentChecked", session)).failure, undefined);
    }
    await bench.upload(script, session);
    const result = await bench.run(session);
    assert.equal(textOf(result.output), "environment.data\ntools", "jobs do not see what others make of it");
  }
});

Deno.test("ScriptingDriver gives a job its environment, though the cache cannot keep it", async () => {
  await using bench = await DriverBench.open();
  for await (const { name } of Deno.readDir(bench.directory)) {
    if (name.startsWith(CACHE_PREFIX)) await Deno.remove(`${bench.directory}/${name}`, { recursive: true });
  }
  await bench.begin();
  await bench.upload(new TextEncoder().encode("tools"), 1, "storeEnvironment");
  bench.driver.handle({ type: "checkEnvironment", session: 1, hash: hashOf("tools") });
  assert.equal((await bench.answer("environmentChecked")).failure, undefined);
  assert.ok(bench.lines.some((line) => line.startsWith("cannot keep environment")));
  await bench.upload(await scriptPackage('cat "$2" >"$1"'));
  assert.equal(textOf((await bench.run()).output), "tools");
});

Deno.test("ScriptingDriver refuses an environment whose hash is another, and an upload that is too long", async () => {
  await using bench = await DriverBench.open({ limit: { diskBytes: 10_000 } });
  await bench.begin();
  bench.driver.handle({ type: "lookForEnvironment", session: 1, hash: hashOf("announced") });
  assert.equal((await bench.answer("environmentLooked")).found, false);
  await bench.upload(new TextEncoder().encode("other"), 1, "storeEnvironment");
  bench.driver.handle({ type: "checkEnvironment", session: 1, hash: hashOf("announced") });
  assert.match((await bench.answer("environmentChecked")).failure?.reason ?? "", /its hash is another/);
  bench.driver.handle({ type: "storeInput", session: 1, data: new Uint8Array(9_995) });
  assert.equal((await bench.answer("stored")).octets, 9_995);
  bench.driver.handle({ type: "storeInput", session: 1, data: new Uint8Array(1) });
  assert.match((await bench.answer("storeFailed")).reason, /longer than the 10 KiB that are allowed/);
});
