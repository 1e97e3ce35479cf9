import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { putInPlace } from "../../../cmd/driver/put_in_place.ts";

function withFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "rsp-put-"));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("putInPlace() replaces a file, which stands there until the new one is whole", () =>
  withFolder((folder) => {
    const path = join(folder, "page");
    writeFileSync(path, "old");
    putInPlace(path, (fresh) => {
      writeFileSync(fresh, "new");
      assert.equal(readFileSync(path, "utf8"), "old");
    });
    assert.equal(readFileSync(path, "utf8"), "new");
    assert.deepEqual(readdirSync(folder), ["page"]);
  }));

Deno.test("putInPlace() leaves what was there, and nothing else, when the new file cannot be made", () =>
  withFolder((folder) => {
    const path = join(folder, "page");
    writeFileSync(path, "old");
    const make = (fresh: string) => {
      writeFileSync(fresh, "half");
      throw new Error("full");
    };
    assert.throws(() => putInPlace(path, make), /full/);
    assert.equal(readFileSync(path, "utf8"), "old");
    assert.deepEqual(readdirSync(folder), ["page"]);
  }));
