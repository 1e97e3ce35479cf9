import assert from "node:assert/strict";
import { packTar } from "modern-tar";
import type { TarEntry } from "modern-tar";
import { DEFAULT_ARCHIVE_LIMITS } from "../../../../cmd/server/scripting/limits.ts";
import type { ArchiveLimits } from "../../../../cmd/server/scripting/limits.ts";
import { PackageError } from "../../../../cmd/server/scripting/package_error.ts";
import { unpackArchive } from "../../../../cmd/server/scripting/unpack.ts";
import type { UnpackSummary } from "../../../../cmd/server/scripting/unpack.ts";
import { JobStatus } from "../../../../protocol/app/scripting/job_status.ts";
import { gzip, textFile } from "./bench.ts";
import { fc } from "../../../properties.ts";

const MEBI = 1 << 20;

/** A directory to unpack in, with a neighbour that nothing may touch. */
class Place implements AsyncDisposable {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<Place> {
    const place = new Place(await Deno.makeTempDir({ prefix: "rsp-unpack-test-" }));
    await Deno.mkdir(place.inside);
    await Deno.mkdir(`${place.root}/outside`);
    await Deno.writeTextFile(`${place.root}/outside/victim`, "untouched");
    return place;
  }

  get inside(): string {
    return `${this.root}/inside`;
  }

  async unpack(
    archive: Uint8Array,
    limits: Partial<ArchiveLimits> = {},
    signal?: AbortSignal,
  ): Promise<UnpackSummary> {
    const path = `${this.root}/archive`;
    await Deno.writeFile(path, archive);
    return await unpackArchive({
      archive: path,
      directory: this.inside,
      limits: { bytes: 16 * MEBI, ...DEFAULT_ARCHIVE_LIMITS, ...limits },
      signal: signal ?? new AbortController().signal,
    });
  }

  /** Checks that nothing has been written outside. */
  async checkOutside(): Promise<void> {
    const names = (await Array.fromAsync(Deno.readDir(this.root))).map(({ name }) => name).sort();
    assert.deepEqual(names, ["archive", "inside", "outside"]);
    const neighbours = (await Array.fromAsync(Deno.readDir(`${this.root}/outside`))).map(({ name }) => name);
    assert.deepEqual(neighbours, ["victim"]);
    assert.equal(await Deno.readTextFile(`${this.root}/outside/victim`), "untouched");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

function entry(
  type: NonNullable<TarEntry["header"]["type"]>,
  name: string,
  linkname = "",
  mode = 0o755,
): TarEntry {
  return { header: { name, type, linkname, mode, size: 0 } };
}

async function pack(program: string, archive: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command(program, { args: ["-c"], stdin: "piped", stdout: "piped" }).spawn();
  const written = new Blob([new Uint8Array(archive)]).stream().pipeTo(child.stdin);
  const [{ stdout }] = await Promise.all([child.output(), written]);
  return stdout;
}

Deno.test("unpackArchive() unpacks files, directories and links", async () => {
  await using place = await Place.make();
  const archive = await packTar([
    entry("directory", "./"),
    textFile("a/b/file", "text"),
    entry("directory", "a/closed", "", 0o500),
    entry("symlink", "a/link", "../a/b/file"),
    entry("link", "hard", "a/b/file"),
    { header: { name: "program", size: 1, mode: 0o6755, mtime: new Date(1_000_000_000_000) }, body: "x" },
    textFile(`${"long/".repeat(40)}name`, "deep"),
    textFile("again", "first"),
    textFile("again", "second"),
  ]);
  const summary = await place.unpack(archive);
  assert.deepEqual([summary.entries, summary.bytes], [49, 20]);
  assert.equal(await Deno.readTextFile(`${place.inside}/a/link`), "text");
  assert.equal(await Deno.readTextFile(`${place.inside}/hard`), "text");
  assert.equal(await Deno.readTextFile(`${place.inside}/again`), "second");
  assert.equal(await Deno.readTextFile(`${place.inside}/${"long/".repeat(40)}name`), "deep");
  const { mode, mtime } = await Deno.stat(`${place.inside}/program`);
  assert.equal((mode ?? 0) & 0o7777, 0o755, "no set-user-ID");
  assert.equal(mtime?.getTime(), 1_000_000_000_000);
  const closed = await Deno.stat(`${place.inside}/a/closed`);
  assert.equal((closed.mode ?? 0) & 0o777, 0o700, "its owner can remove it");
  await place.checkOutside();
});

Deno.test("unpackArchive() takes what gzip, bzip2, xz and zstd have packed", async () => {
  const tar = await packTar([textFile("file", "text".repeat(1000))]);
  for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
    await using place = await Place.make();
    await place.unpack(await pack(program, tar));
    assert.equal(await Deno.readTextFile(`${place.inside}/file`), "text".repeat(1000), program);
  }
});

const HOSTILE: readonly {
  readonly name: string;
  readonly entries: readonly TarEntry[];
  readonly why: RegExp;
}[] = [
  { name: "an absolute path", entries: [textFile("/tmp/rsp-evil", "x")], why: /absolute path/ },
  { name: "a path upwards", entries: [textFile("../outside/victim", "x")], why: /leads out/ },
  { name: "a path down and up", entries: [textFile("a/../../outside/victim", "x")], why: /leads out/ },
  { name: "a directory outside", entries: [entry("directory", "../new")], why: /leads out/ },
  { name: "a link to the root", entries: [entry("symlink", "l", "/")], why: /absolute target/ },
  { name: "a link upwards", entries: [entry("symlink", "l", "../outside")], why: /leads out/ },
  {
    name: "links that lead out together",
    entries: [
      entry("directory", "d"),
      entry("symlink", "d/up", ".."),
      entry("symlink", "l", "d/up/../outside"),
    ],
    why: /behind a name/,
  },
  {
    name: "a file through a link",
    entries: [entry("directory", "d"), entry("symlink", "l", "d"), textFile("l/file", "x")],
    why: /goes through "l", which is no directory/,
  },
  {
    name: "a file through a file",
    entries: [textFile("f", "x"), textFile("f/file", "x")],
    why: /goes through "f", which is no directory/,
  },
  {
    name: "a link in the place of a directory",
    entries: [entry("directory", "d"), entry("symlink", "d", ".")],
    why: /twice, and once as a directory/,
  },
  { name: "a hard link outside", entries: [entry("link", "l", "../outside/victim")], why: /leads out/ },
  { name: "an absolute hard link", entries: [entry("link", "l", "/etc/passwd")], why: /absolute path/ },
  {
    name: "a hard link to a link",
    entries: [entry("symlink", "s", "f"), entry("link", "l", "s")],
    why: /which is no file before it/,
  },
  {
    name: "a hard link to nothing",
    entries: [entry("link", "l", "nothing")],
    why: /which is no file before it/,
  },
  { name: "a character device", entries: [entry("character-device", "zero")], why: /is a character device/ },
  { name: "a block device", entries: [entry("block-device", "disk")], why: /is a block device/ },
  { name: "a named pipe", entries: [entry("fifo", "pipe")], why: /is a named pipe/ },
  {
    name: "the directory as a link",
    entries: [entry("symlink", ".", "a")],
    why: /leads out|the directory of the job/,
  },
  { name: "a name that is too long", entries: [textFile("n".repeat(300), "x")], why: /too long/ },
  {
    name: "a sparse file",
    entries: [{ header: { name: "s", size: 0, pax: { "GNU.sparse.major": "1" } } }],
    why: /sparse/,
  },
];

for (const { name, entries, why } of HOSTILE) {
  Deno.test(`unpackArchive() refuses ${name}`, async () => {
    await using place = await Place.make();
    const archive = await packTar([textFile("before", "x"), ...entries]);
    await assert.rejects(place.unpack(archive), (error: Error) => {
      assert(error instanceof PackageError);
      assert.match(error.message, why);
      return true;
    });
    await place.checkOutside();
  });
}

Deno.test("unpackArchive() writes through no link that an archive puts in the place of a file", async () => {
  await using place = await Place.make();
  const archive = await packTar([
    textFile("target", "target"),
    entry("symlink", "l", "target"),
    textFile("l", "a file of its own"),
  ]);
  await place.unpack(archive);
  assert.equal(await Deno.readTextFile(`${place.inside}/target`), "target");
  assert.equal(await Deno.readTextFile(`${place.inside}/l`), "a file of its own");
});

Deno.test("unpackArchive() refuses more octets than allowed, before they are written", async () => {
  await using place = await Place.make();
  const archive = await packTar([textFile("a", "x".repeat(1000)), textFile("b", "x".repeat(1000))]);
  await assert.rejects(place.unpack(archive, { bytes: 1999 }), /unpacks to more than/);
  assert.equal((await Deno.stat(`${place.inside}/a`)).size, 1000);
  await assert.rejects(Deno.stat(`${place.inside}/b`), Deno.errors.NotFound);
  await using other = await Place.make();
  assert.equal((await other.unpack(archive, { bytes: 2000 })).bytes, 2000);
});

Deno.test("unpackArchive() refuses more entries than allowed, those that are not written out included", async () => {
  const archive = await packTar([textFile("a/b/c", ""), textFile("a/b/d", "")]);
  await using place = await Place.make();
  await assert.rejects(place.unpack(archive, { entries: 3 }), /more than 3 entries/);
  await using other = await Place.make();
  assert.equal((await other.unpack(archive, { entries: 4 })).entries, 4);
});

Deno.test("unpackArchive() counts an entry each time that it comes", async () => {
  const archive = await packTar(Array.from({ length: 4 }, () => textFile("a", "")));
  await using place = await Place.make();
  await assert.rejects(place.unpack(archive, { entries: 3 }), /more than 3 entries/);
  await using other = await Place.make();
  assert.equal((await other.unpack(archive, { entries: 4 })).entries, 1);
});

Deno.test("unpackArchive() refuses a bomb by its ratio, however it is packed", async () => {
  const tar = await packTar([{
    header: { name: "zeros", size: 12 * MEBI },
    body: new Uint8Array(12 * MEBI),
  }]);
  for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
    await using place = await Place.make();
    const limits = { ratioFromBytes: 4 * MEBI };
    await assert.rejects(place.unpack(await pack(program, tar), limits), /the archive is a bomb/, program);
  }
});

Deno.test("unpackArchive() refuses octets without end behind the archive", async () => {
  await using place = await Place.make();
  const tar = await packTar([textFile("a", "x")]);
  const long = new Uint8Array(tar.length + 8 * MEBI);
  long.set(tar);
  await assert.rejects(
    place.unpack(await gzip(long), { bytes: MEBI, ratio: 1e6, ratioFromBytes: MEBI }),
    /unpacks to more than/,
  );
});

Deno.test("unpackArchive() refuses what is no archive, or a damaged one", async () => {
  const tar = await packTar([textFile("file", "text".repeat(5000))]);
  const gz = await gzip(tar);
  const flipped = tar.slice();
  flipped[100] = flipped[100]! ^ 1;
  const broken = gz.slice();
  for (let at = 30; at < 60; at++) broken[at] = 0xff;
  const bzip = await pack("bzip2", tar);
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["nothing", new Uint8Array(), /cut off|no tar|empty/],
    ["text", new TextEncoder().encode("#!/bin/sh\n".repeat(200)), /no tar archive/],
    ["a flipped bit", flipped, /no tar archive/],
    ["cut off in a file", tar.subarray(0, 5000), /cut off/],
    ["cut off before its end", tar.subarray(0, tar.length - 1024), /cut off/],
    ["gzip cut off", gz.subarray(0, gz.length - 20), /gzip|cut off|damaged/],
    ["gzip broken", broken, /gzip/],
    ["bzip2 cut off", bzip.subarray(0, bzip.length - 20), /bzip2/],
    ["an end alone", new Uint8Array(1024), /empty/],
  ];
  for (const [name, archive, why] of cases) {
    await using place = await Place.make();
    await assert.rejects(place.unpack(archive), (error: Error) => {
      assert(error instanceof PackageError, `${name}: ${error.stack}`);
      assert.match(error.message, why, `${name}: ${error.message}`);
      return true;
    });
  }
});

Deno.test("unpackArchive() takes any time of a file", async () => {
  for (const mtime of ["-1", "1e30", "NaN", "0", "99999999999", "1.5"]) {
    await using place = await Place.make();
    await place.unpack(await packTar([{ header: { name: "file", size: 1, pax: { mtime } }, body: "x" }]));
    assert.equal(await Deno.readTextFile(`${place.inside}/file`), "x", mtime);
  }
});

Deno.test("unpackArchive() leaves a file alone that is a hard link to itself, as GNU tar may write it", async () => {
  await using place = await Place.make();
  await place.unpack(await packTar([textFile("ssrun", "x"), entry("link", "./ssrun", "ssrun")]));
  assert.equal(await Deno.readTextFile(`${place.inside}/ssrun`), "x");
});

Deno.test("unpackArchive() blames the archive for whatever the system does not complain of", async () => {
  await using place = await Place.make();
  const pax = { comment: "x".repeat(9 * MEBI) };
  const archive = await packTar([{ header: { name: "file", size: 1, pax }, body: "x" }]);
  await assert.rejects(place.unpack(archive), { name: "PackageError", status: JobStatus.badPackage });
});

Deno.test("unpackArchive() tells its own trouble from the archive's", async () => {
  await using place = await Place.make();
  await Deno.remove(place.inside);
  await assert.rejects(place.unpack(await packTar([textFile("file", "x")])), {
    name: "PackageError",
    status: JobStatus.serverFailure,
    message: /^the archive cannot be unpacked here: .*o such file or directory/,
  });
});

Deno.test("unpackArchive() ends when it is told to", async () => {
  await using place = await Place.make();
  const tar = await packTar([textFile("file", "x")]);
  await assert.rejects(place.unpack(tar, {}, AbortSignal.abort()), { name: "AbortError" });
});

Deno.test("unpackArchive() refuses or unpacks whatever octets are changed, and touches nothing outside", async () => {
  const tar = await packTar([
    textFile("a/file", "text"),
    entry("symlink", "l", "a/file"),
    entry("link", "h", "a/file"),
    entry("directory", "d"),
  ]);
  const change = fc.tuple(fc.nat(tar.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (changes, mend) => {
        await using place = await Place.make();
        const archive = tar.slice();
        for (const [at, octet] of changes) archive[at] = octet;
        if (mend) {
          for (let at = 0; at + 512 <= archive.length; at += 512) {
            mendChecksum(
              archive.subarray(at, at + 512),
            );
          }
        }
        try {
          await place.unpack(archive);
        } catch (error) {
          assert(error instanceof PackageError, String(error));
        }
        await place.checkOutside();
      },
    ),
    { numRuns: 60 },
  );
});

/** Makes the checksum of a header right again, so that what is behind it is looked at. */
function mendChecksum(block: Uint8Array): void {
  if (new TextDecoder().decode(block.subarray(257, 262)) !== "ustar") return;
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}
