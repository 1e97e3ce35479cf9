/** The small files of the driver: uploads, results, room on the disk, removal. */
import assert from "node:assert/strict";
import { diskUsage } from "../../../../cmd/server/scripting/disk_usage.ts";
import { OutputReader } from "../../../../cmd/server/scripting/output_reader.ts";
import { removeTree } from "../../../../cmd/server/scripting/remove_tree.ts";
import { StoredFile } from "../../../../cmd/server/scripting/stored_file.ts";

async function inTemporary(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "rsp-files-test-" });
  try {
    await test(directory);
  } finally {
    await removeTree(directory);
  }
}

Deno.test("StoredFile keeps the order of pieces that are under way together", async () => {
  await inTemporary(async (directory) => {
    const file = new StoredFile(`${directory}/file`, { maxBytes: 1e9, leftBytes: 1e9 });
    const written: number[] = [];
    const pieces = Array.from({ length: 300 }, (_, index) => new Uint8Array(1 + index % 50).fill(index));
    await Promise.all(pieces.map(async (piece, index) => {
      await file.append(piece);
      written.push(index);
    }));
    file.close();
    assert.deepEqual(written, pieces.map((_, index) => index));
    const expected = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    assert.deepEqual(await Deno.readFile(`${directory}/file`), expected);
    assert.equal(((await Deno.stat(`${directory}/file`)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("StoredFile shares its room, and says when that is used up", async () => {
  await inTemporary(async (directory) => {
    const room = { maxBytes: 10, leftBytes: 10 };
    const [one, two] = [new StoredFile(`${directory}/one`, room), new StoredFile(`${directory}/two`, room)];
    await one.append(new Uint8Array(6));
    await two.append(new Uint8Array(4));
    await assert.rejects(one.append(new Uint8Array(1)), /longer than the 10 octets that are allowed/);
    one.close();
    two.close();
  });
});

Deno.test("StoredFile says why it cannot store", async () => {
  await inTemporary(async (directory) => {
    await Deno.writeTextFile(`${directory}/there`, "");
    const file = new StoredFile(`${directory}/there`, { maxBytes: 10, leftBytes: 10 });
    await assert.rejects(file.append(new Uint8Array(1)), /^Error: cannot store the upload: .*xists/);
  });
});

Deno.test("OutputReader reads a file to its end, and takes nothing but files", async () => {
  await inTemporary(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "0123456789");
    await Deno.symlink("file", `${directory}/link`);
    await new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).output();
    const reader = await OutputReader.open(`${directory}/file`);
    assert(reader !== undefined);
    assert.equal(await reader.size(), 10);
    const texts: string[] = [];
    for (let piece = await reader.read(4); piece.length > 0; piece = await reader.read(4)) {
      texts.push(new TextDecoder().decode(piece));
    }
    assert.deepEqual(texts, ["0123", "4567", "89"]);
    await reader.close();
    for (const name of ["link", "pipe", ".", "nothing"]) {
      assert.equal(await OutputReader.open(`${directory}/${name}`), undefined, name);
    }
  });
});

Deno.test("diskUsage() counts what files take, each once, and follows no links", async () => {
  await inTemporary(async (directory) => {
    const before = (await diskUsage(directory)).bytes;
    await Deno.mkdir(`${directory}/a`);
    await Deno.writeFile(`${directory}/a/file`, new Uint8Array(1 << 20).fill(1));
    const usage = await diskUsage(directory);
    assert(usage.bytes - before >= 1 << 20 && usage.bytes - before < (1 << 20) + 65_536, String(usage.bytes));
    await Deno.link(`${directory}/a/file`, `${directory}/hard`);
    await Deno.symlink("/usr", `${directory}/soft`);
    await Deno.truncate(await emptyFile(`${directory}/sparse`), 1 << 30);
    assert((await diskUsage(directory)).bytes - usage.bytes < 65_536);
  });
});

Deno.test("diskUsage() gives up on a tree that is too deep", async () => {
  await inTemporary(async (directory) => {
    await Deno.mkdir(directory + "/d".repeat(200), { recursive: true });
    assert.equal((await diskUsage(directory)).isBeyondCounting, false);
    await Deno.mkdir(directory + "/d".repeat(201));
    assert.equal((await diskUsage(directory)).isBeyondCounting, true);
  });
});

Deno.test("diskUsage() ends when it is told to, and where there is nothing", async () => {
  await inTemporary(async (directory) => {
    await emptyFile(`${directory}/file`);
    assert.deepEqual(await diskUsage(directory, AbortSignal.abort()), { bytes: 0, isBeyondCounting: false });
    assert.deepEqual(await diskUsage(`${directory}/nothing`), { bytes: 0, isBeyondCounting: false });
  });
});

Deno.test("removeTree() removes what is closed, and is content where there is nothing", async () => {
  await inTemporary(async (directory) => {
    await Deno.mkdir(`${directory}/tree/closed/deeper`, { recursive: true });
    await Deno.chmod(`${directory}/tree/closed`, 0);
    await removeTree(`${directory}/tree`);
    await removeTree(`${directory}/tree`);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

async function emptyFile(path: string): Promise<string> {
  await Deno.writeTextFile(path, "");
  return path;
}
