import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function run(program: string, line: readonly string[], env: Record<string, string> = {}) {
  const signal = AbortSignal.timeout(240_000);
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...line], env, signal }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("scripts/build makes one file that is the command it is called by", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const built = await run(`${root}/scripts/build`, []);
    assert.equal(built.code, 0, built.stderr);
    assert.match(built.stdout, /build\/rsp is a (program made by deno compile|self-extracting file)/);
    await Deno.symlink(`${root}/build/rsp`, `${directory}/rspregistrar`);
    const env = { HOME: directory, XDG_CACHE_HOME: `${directory}/cache`, NO_COLOR: "1" };
    const help = await run(`${directory}/rspregistrar`, ["-help"], env);
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, /^Usage: rspregistrar \[options\]/m);
    const again = await run(`${root}/build/rsp`, ["registrar", "-nonsense"], env);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /^rsp registrar: unknown option -nonsense/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
