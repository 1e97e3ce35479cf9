import assert from "node:assert/strict";

const MAIN = new URL("../../../cmd/main.ts", import.meta.url).pathname;
const ALONE = [
  "-asap=127.0.0.1:0",
  "-enrp=127.0.0.1:0",
  "-asapannounce=off",
  "-enrpannounce=off",
  "-transport=embedded",
  "-encapsulation=udp",
];
const DEADLINE_MS = 30_000;

async function registrar(...line: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const decoder = new TextDecoder();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", MAIN, "registrar", ...line],
    stdin: "null",
  }).output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether a process has not ended; one that nobody has waited for yet has. */
async function runs(pid: number): Promise<boolean> {
  try {
    return !/^State:\s*Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Resolves when a file of a watched folder is gone. */
async function gone(watcher: Deno.FsWatcher, path: string): Promise<void> {
  const timer = setTimeout(() => watcher.close(), DEADLINE_MS);
  try {
    for await (const { kind, paths } of watcher) {
      if (kind === "remove" && paths.some((one) => one.endsWith(path))) return;
    }
    assert.fail(`${path} is still there`);
  } finally {
    clearTimeout(timer);
  }
}

Deno.test("-daemonpidfile leaves a registrar that serves behind, and its process ID", () =>
  withFolder(async (folder) => {
    const pidFile = `${folder}/rsp.pid`, logFile = `${folder}/rsp.log`;
    await Deno.writeTextFile(pidFile, "a longer text than any process ID\n");
    const { code, stdout, stderr } = await registrar(
      ...ALONE,
      `-daemonpidfile=${pidFile}`,
      `-logfile=${logFile}`,
    );
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    const pid = Number(await Deno.readTextFile(pidFile));
    assert.match(await Deno.readTextFile(logFile), /serves ASAP/);
    using watcher = Deno.watchFs(folder);
    Deno.kill(pid, "SIGHUP"); // the end of the terminal is none of its business
    Deno.kill(pid, "SIGTERM");
    await gone(watcher, "rsp.pid");
    assert.match(await Deno.readTextFile(logFile), /terminated\n$/);
  }));

Deno.test("-daemonpidfile may be what is no file", () =>
  withFolder(async (folder) => {
    const logFile = `${folder}/rsp.log`;
    const outcome = await registrar(...ALONE, "-daemonpidfile=/dev/stdout", `-logfile=${logFile}`);
    const pid = Number(outcome.stdout);
    assert.deepEqual([outcome.code, outcome.stderr, pid > 1], [0, "", true]);
    Deno.kill(pid, "SIGTERM");
    const deadline = performance.now() + DEADLINE_MS;
    while (await runs(pid)) {
      assert.ok(performance.now() < deadline, "the registrar ends");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }));

Deno.test("-daemonpidfile passes on why a registrar cannot serve, and leaves nothing behind", () =>
  withFolder(async (folder) => {
    const pidFile = `${folder}/rsp.pid`;
    const line = ["-asap=192.0.2.1:0", ...ALONE.slice(1), `-daemonpidfile=${pidFile}`];
    const { code, stderr } = await registrar(...line);
    assert.equal(code, 1);
    assert.match(stderr, /192\.0\.2\.1/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("-daemonpidfile leaves the process ID of another one alone when a registrar cannot serve", () =>
  withFolder(async (folder) => {
    const pidFile = `${folder}/rsp.pid`;
    await Deno.writeTextFile(pidFile, "4711\n");
    const { code } = await registrar("-asap=192.0.2.1:0", ...ALONE.slice(1), `-daemonpidfile=${pidFile}`);
    assert.equal(code, 1);
    assert.equal(await Deno.readTextFile(pidFile), "4711\n");
  }));

Deno.test("-daemonpidfile says that the process ID cannot be written, before anything is started", () =>
  withFolder(async (folder) => {
    const { code, stderr } = await registrar(...ALONE, `-daemonpidfile=${folder}/none/rsp.pid`);
    assert.equal(code, 2);
    assert.match(stderr, /^rsp registrar: option -daemonpidfile: cannot write .*: no such file/);
  }));
