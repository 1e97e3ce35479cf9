/** Where images are written, and that nobody who looks there finds half of one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log, LogLevel } from "../../../cmd/driver/log.ts";
import { storeImage } from "../../../cmd/pooluser/output_files.ts";

function log(write: (line: string) => void): Log {
  return new Log({ level: LogLevel.all, color: false, json: false, write, now: () => new Date(0) });
}

const silent = log((line) => assert.fail(line));

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function store(file: string, png: number, prefix?: string): Promise<void> {
  const options = { output: file, imagestorageprefix: prefix };
  assert.equal(await storeImage(options, 3, Uint8Array.of(png), silent), file.replace("%d", "3"));
}

const octets = async (file: string) => [...await Deno.readFile(file)];

Deno.test("storeImage() writes the file of the option, with its number, and the one that is kept", () =>
  inFolder(async (folder) => {
    await store(join(folder, "image%d.png"), 1, join(folder, "kept-"));
    const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
    assert.deepEqual(names, ["image3.png", "kept-000003.png"]);
    for (const name of names) assert.deepEqual(await octets(join(folder, name)), [1]);
  }));

Deno.test("storeImage() puts an image in the place of the last one, which stays whole for who reads it", () =>
  inFolder(async (folder) => {
    const file = join(folder, "image.png"), held = join(folder, "held.png");
    await store(file, 1);
    await Deno.link(file, held);
    await store(file, 2);
    assert.deepEqual([await octets(file), await octets(held)], [[2], [1]]);
  }));

Deno.test("storeImage() leaves links what they are, and writes to what is no file", () =>
  inFolder(async (folder) => {
    const file = join(folder, "image.png"), link = join(folder, "link.png");
    await Deno.symlink(file, link);
    for (const png of [1, 2]) { // at first the link leads nowhere
      await store(link, png);
      assert.ok((await Deno.lstat(link)).isSymlink);
      assert.deepEqual(await octets(file), [png]);
    }
    await store("/dev/null", 3);
    assert.ok((await Deno.stat("/dev/null")).isCharDevice);
  }));

Deno.test("storeImage() writes to a file whose name leaves no room for another one, and keeps its mode", () =>
  inFolder(async (folder) => {
    const file = join(folder, `${"x".repeat(240)}.png`);
    for (const png of [1, 2]) {
      await store(file, png);
      assert.deepEqual(await octets(file), [png]);
    }
    const secret = join(folder, "secret.png");
    await Deno.writeFile(secret, Uint8Array.of(1), { mode: 0o600 });
    await store(secret, 2);
    assert.equal((await Deno.stat(secret)).mode! & 0o777, 0o600);
    assert.deepEqual(await octets(secret), [2]);
  }));

Deno.test("storeImage() says which file cannot be written", () =>
  inFolder(async (folder) => {
    const lines: string[] = [], file = join(folder, "gone", "image.png");
    const options = { output: file, imagestorageprefix: undefined };
    assert.equal(await storeImage(options, 1, Uint8Array.of(1), log((line) => lines.push(line))), undefined);
    assert.match(lines.join(""), /cannot write \S+image\.png: /);
  }));
