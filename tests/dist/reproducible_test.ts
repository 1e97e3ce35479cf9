/** The same sources and the same Deno make the same file, wherever they lie; and it can run on another processor. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../cmd/version.ts";
import { build, run } from "./room.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What is built, and what builds it. */
const SOURCES = [
  "cmd",
  "protocol",
  "ffi",
  "scripts",
  "wireshark",
  "deno.json",
  "deno.lock",
  "LICENSE",
] as const;
const EPOCH = "1764000000";

/** Builds in a folder and gives the checksums. */
async function sums(root: string): Promise<string> {
  const env = { SOURCE_DATE_EPOCH: EPOCH, GIT_CEILING_DIRECTORIES: root, NO_COLOR: "1" };
  const { code, stderr } = await run(`${root}/scripts/build`, [], { env });
  assert.equal(code, 0, stderr);
  const { code: wrong, stderr: complaint } = await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], {
    cwd: `${root}/dist`,
  });
  assert.equal(wrong, 0, complaint);
  return await Deno.readTextFile(`${root}/dist/SHA256SUMS`);
}

async function copyOfSources(name: string): Promise<string> {
  const root = `${await Deno.makeTempDir()}/${name}`;
  await Deno.mkdir(root);
  for (const path of SOURCES) {
    const { code, stderr } = await run("cp", ["-R", `${ROOT}${path}`, `${root}/${path}`]);
    assert.equal(code, 0, stderr);
  }
  return root;
}

Deno.test("two builds of the same sources, in different folders, are the same to the last octet", async () => {
  const roots = [await copyOfSources("one"), await copyOfSources("another one")];
  try {
    const [first, second] = [await sums(roots[0]!), await sums(roots[1]!)];
    assert.match(first, /^[0-9a-f]{64} {2}LICENSES\n[0-9a-f]{64} {2}rsp\n$/);
    assert.equal(first, second);
    const { stdout } = await run(`${roots[1]}/dist/rsp`, ["version", "-json"]);
    assert.equal(JSON.parse(stdout).date, new Date(Number(EPOCH) * 1000).toISOString().replace(".000", ""));
  } finally {
    for (const root of roots) await Deno.remove(`${root}/..`, { recursive: true });
  }
});

Deno.test("the file for AArch64 runs", async () => {
  assert.match(await build("aarch64"), /dist\/rsp-aarch64 is .*, for aarch64/);
  const line = ["-L", "/usr/aarch64-linux-gnu", `${ROOT}dist/rsp-aarch64`, "version", "-json"];
  const { code, stdout, stderr } = await run("qemu-aarch64-static", line, {
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
  });
  assert.deepEqual([code, stderr], [0, ""]);
  const { version, target } = JSON.parse(stdout);
  assert.deepEqual([version, target], [VERSION, "aarch64-unknown-linux-gnu"]);
});
