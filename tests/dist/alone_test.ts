/** The one file wherever a PC may put it: without a home, with a folder of somebody's, without rights, replaced while it runs. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { commandEntries } from "../../cmd/commands.ts";
import { VERSION } from "../../cmd/version.ts";
import { build, Room, RSP, run } from "./room.ts";

/**
 * What `rsp --help` may take: no more than this program, which takes 120 ms where it takes 50 ms. Caches of the processor
 * belong to others on a busy machine: the least one of so many tries counts.
 */
const LOOP = "for (let i = 0, x = 0; i < 1e8; i++) x = Math.imul(x, 31) + i | 0;", TRIES = 20;

/** How long a registrar may take to end. */
const DEADLINE_MS = 30_000;

/** A user and a group that nobody has. */
const NOBODY = 64_321;

await build();

/** A folder for a test; it is gone afterwards. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether it could be started at all, and does what it should. */
function assertIsVersion({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): void {
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(stdout.startsWith(`rsp ${VERSION}`), stdout);
}

Deno.test("dist/rsp says what it is", async () => {
  const { stdout } = await run(RSP, ["version", "-json"]);
  const { kind, version, deno } = JSON.parse(stdout);

  assert.match(kind, /^(attached|compiled)$/);
  assert.deepEqual([version, deno], [VERSION, Deno.version.deno]);
});

/** Processor time that a command took, by the shell's count of its children's. */
async function processorMs(...line: string[]): Promise<number> {
  const { stdout } = await run("/bin/sh", ["-c", '"$@" >/dev/null; times', "-", ...line]);
  const [, , ...children] = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)];
  assert.equal(children.length, 2, stdout);
  return children.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

// On a machine with nothing else to do that is the time that passes, or more: some of the work is done side by side.
Deno.test("dist/rsp has every command in it", async () => {
  await using room = await Room.open();
  for (const { name, summary } of commandEntries) {
    const { code, stdout, stderr } = await room.run("/rsp", name, "-help");
    assert.deepEqual([code, stderr], [0, ""], name);
    assert.ok(stdout.startsWith(`rsp ${name}: ${summary}.\n`), stdout.slice(0, 200));
  }
});

Deno.test("dist/rsp carries the licences of all that is in it", async () => {
  const { stdout } = await run(RSP, ["version", "-licences"]);
  assert.equal(stdout, await Deno.readTextFile(`${dirname(RSP)}/LICENSES`));
  for (
    const part of [
      "Apache License",
      "Deno authors",
      "V8 project",
      "fast-png",
      "modern-tar",
      "uplot",
      "d3-force",
    ]
  ) {
    assert.ok(stdout.includes(part), part);
  }
});

Deno.test("dist/rsp has a terminal to itself: Deno says nothing there", async () => {
  const line = ["--quiet", "--return", "--command", `'${RSP}' version -json`, "/dev/null"];
  const { code, stdout } = await run("script", line);
  assert.equal(code, 0, stdout);
  assert.equal(JSON.parse(stdout).version, VERSION);
});

Deno.test("dist/rsp --help takes no more of a processor than a hundred million steps of a loop", async () => {
  let leastMs = Infinity, loopMs = Infinity;
  for (let tries = 0; tries < TRIES && !(leastMs < loopMs); tries++) {
    loopMs = Math.min(loopMs, await processorMs(Deno.execPath(), "eval", LOOP));
    leastMs = Math.min(leastMs, await processorMs(RSP, "--help"));
  }
  assert.ok(leastMs > 0 && leastMs < loopMs, `${leastMs} ms, and the loop ${loopMs} ms`);
});

Deno.test("dist/rsp passes all words on, and nothing that Deno would take for itself", async () => {
  for (const word of ["-A", "-V", "-json", "--", "--inspect", "--v8-flags=--help", "eval"]) {
    const { code, stdout, stderr } = await run(RSP, [word, "-A"]);
    assert.deepEqual([code, stdout], [2, ""], word);
    assert.ok(stderr.includes(`there is no command ${JSON.stringify(word)}`), stderr);
  }
  const { code, stderr } = await run(RSP, []);
  assert.equal(code, 2);
  assert.match(stderr, /^Usage: rsp <command>/m);
});

Deno.test("dist/rsp is the command of the name it is called by", async () => {
  await withFolder(async (folder) => {
    await Deno.symlink(RSP, `${folder}/rspregistrar`);
    await Deno.link(RSP, `${folder}/sctp_darn`);
    const registrar = await run(`${folder}/rspregistrar`, ["-help"]);
    assert.match(registrar.stdout, /^Usage: rspregistrar \[options\]/m);
    const darn = await run("sctp_darn", ["-help"], { env: { PATH: folder, NO_COLOR: "1" } });
    assert.match(darn.stdout, /^Usage: sctp_darn \[options\]/m);
  });
});

Deno.test("dist/rsp needs no environment, and writes nothing to the home that there is", async () => {
  assertIsVersion(await run(RSP, ["version"], { clearEnv: true, env: { NO_COLOR: "1" } }));
  for (const home of ["/dev/null", "/nonexistent", ""]) {
    assertIsVersion(await run(RSP, ["version"], { env: { HOME: home, NO_COLOR: "1" } }));
  }
  await withFolder(async (home) => {
    const env = { HOME: home, XDG_CACHE_HOME: `${home}/cache`, NO_COLOR: "1" };
    assertIsVersion(await run(RSP, ["version"], { env }));
    assert.equal((await run(RSP, ["registrar", "-help"], { env })).code, 0);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(home)), []);
  });
});

Deno.test("dist/rsp takes no notice of what lies at home and where it is called", async () => {
  await withFolder(async (folder) => {
    for (
      const name of ["package.json", "deno.json", "deno.jsonc", "deno.lock", "import_map.json"]
    ) {
      await Deno.writeTextFile(`${folder}/${name}`, "{ this is nothing");
    }
    await Deno.writeTextFile(`${folder}/.npmrc`, "registry=::::\n");
    await Deno.writeTextFile(`${folder}/.env`, "RSP_TRANSPORT=nothing\n");
    await Deno.writeTextFile(`${folder}/$deno$eval.js`, "throw 1;");
    assertIsVersion(await run(RSP, ["version"], { cwd: folder, env: { HOME: folder, NO_COLOR: "1" } }));
  });
});

Deno.test({
  name: "dist/rsp runs for a user that the system does not know",
  ignore: Deno.uid() !== 0,
  async fn() {
    await withFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      await Deno.copyFile(RSP, `${folder}/rsp`);
      const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
      const line = [...ids, "env", "-i", "NO_COLOR=1", `${folder}/rsp`, "version"];
      assertIsVersion(await run("setpriv", line, { cwd: "/" }));
    });
  },
});

Deno.test({
  name: "dist/rsp runs with the capability for raw packets on its file",
  ignore: Deno.uid() !== 0,
  async fn() {
    await withFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      await Deno.copyFile(RSP, `${folder}/rsp`);
      const { code, stderr } = await run("setcap", ["cap_net_raw+ep", `${folder}/rsp`]);
      assert.equal(code, 0, stderr);
      const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
      assertIsVersion(await run("setpriv", [...ids, `${folder}/rsp`, "version"], { cwd: "/" }));
    });
  },
});

Deno.test("dist/rsp goes into the background by itself, and leaves it none of its own variables", async () => {
  await withFolder(async (folder) => {
    const pidFile = `${folder}/pid`;
    const alone = ["-asap=127.0.0.1:0", "-enrp=127.0.0.1:0", "-asapannounce=off", "-enrpannounce=off"];
    const carrier = ["-transport=embedded", "-encapsulation=udp"];
    const line = ["registrar", ...alone, ...carrier, `-daemonpidfile=${pidFile}`];
    const env = { HOME: folder, DENO_DIR: "/somewhere", NO_COLOR: "1" };
    const { code, stderr } = await run(RSP, line, { env });
    assert.equal(code, 0, stderr);
    using watcher = Deno.watchFs(folder);
    const pid = Number(await Deno.readTextFile(pidFile));
    const environment = (await Deno.readTextFile(`/proc/${pid}/environ`)).split("\0");
    const own = environment.filter((one) => /^(DENO_DIR|DENO_LOG|HOME)=/.test(one));
    assert.deepEqual(own.sort(), ["DENO_DIR=/somewhere", `HOME=${folder}`]);
    Deno.kill(pid, "SIGTERM");
    const timer = setTimeout(() => watcher.close(), DEADLINE_MS);
    for await (const { kind } of watcher) {
      if (kind === "remove") break;
    }
    clearTimeout(timer);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), [], "it has ended in order");
  });
});

Deno.test("dist/rsp says what is missing where it cannot read itself", async () => {
  await using room = await Room.open();
  const [program = "", ...line] = room.words();
  const script = line.map((word) => word.replace('mount --rbind /proc "$room/proc" && ', ""));
  const { code, stderr } = await run(program, [...script, "/rsp", "--help"]);

  assert.equal(code, 1);
  assert.match(stderr, /^rsp: .*: mount \/proc\n$/);
});
