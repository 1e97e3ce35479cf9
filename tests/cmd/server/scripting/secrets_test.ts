import assert from "node:assert/strict";
import { findSecrets } from "../../../../cmd/server/scripting/secrets.ts";

const LIMITS = { maxEntries: 20, maxSecrets: 5 } as const;

/** The secrets of a system with these files; a private one's name begins with "private". */
async function secretsAmong(files: readonly string[], link?: string): Promise<readonly string[]> {
  const root = await Deno.makeTempDir();
  try {
    for (const file of files) {
      const path = `${root}${file}`;
      await Deno.mkdir(path.replace(/[^/]+$/, ""), { recursive: true });
      await Deno.writeTextFile(path, "");
      await Deno.chmod(path, file.includes("/private") ? 0o600 : 0o644);
    }
    if (link !== undefined) {
      await Deno.mkdir(`${root}/usr`);
      await Deno.symlink(`${root}${link}`, `${root}/usr/local`);
    }
    return findSecrets(root, LIMITS).map(({ path, isDirectory }) => {
      assert.equal(isDirectory, Deno.lstatSync(path).isDirectory);
      return path.slice(root.length);
    }).sort();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const many = (count: number, path: string) => Array.from({ length: count }, (_none, index) => path + index);

Deno.test("findSecrets() finds what not everybody may read, however deep", async () => {
  const files = ["/etc/a/b/private", "/opt/private", "/opt/a", "/usr/local/a/private", "/srv/private"];
  const secrets = ["/etc/a/b/private", "/opt/private", "/usr/local/a/private"];
  assert.deepEqual(await secretsAmong(files), secrets);
});

Deno.test("findSecrets() takes a place with more secrets than bubblewrap could be told of for one", async () => {
  assert.equal((await secretsAmong(many(5, "/opt/a/private"))).length, 5);
  assert.deepEqual(await secretsAmong(many(6, "/opt/a/private")), ["/opt"]);
  assert.deepEqual(await secretsAmong(many(6, "/usr/local/private")), ["/usr/local"]);
  assert.equal((await secretsAmong(many(6, "/etc/private"))).length, 6, "without /etc nothing runs");
});

Deno.test("findSecrets() leaves nothing open that it has not looked at", async () => {
  for (const place of ["/opt", "/usr/local"]) {
    const files = [`${place}/private`, ...many(19, `${place}/file`)];
    assert.deepEqual(await secretsAmong(files), [`${place}/private`]);
    assert.deepEqual(await secretsAmong([...files, `${place}/more`]), [place]);
  }
  assert.deepEqual(await secretsAmong(["/etc/a/private", ...many(30, "/etc/file")]), ["/etc/a/private"]);
});

Deno.test("findSecrets() does not follow /usr/local out of /usr, where a job sees nothing of it", async () => {
  assert.deepEqual(await secretsAmong(["/var/usrlocal/private"], "/var/usrlocal"), []);
});
