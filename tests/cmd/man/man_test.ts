import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commandEntries } from "../../../cmd/commands.ts";
import { installPages, removePages } from "../../../cmd/man/install.ts";
import { manualPages } from "../../../cmd/man/pages.ts";
import { PAGE_MARK } from "../../../cmd/manual.ts";
import { runProgram } from "../../../cmd/run.ts";
import { RealTerminal, terminalIsPossible } from "../tui/real_terminal.ts";
import { recordOutput } from "../world.ts";

const MAIN = fileURLToPath(new URL("../../../cmd/main.ts", import.meta.url));
/** Nothing here takes longer unless it is broken. */
const DEADLINE_MS = 60_000;

async function output(program: string, line: readonly string[], env: Record<string, string> = {}) {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...line],
    env: { LC_ALL: "C.UTF-8", TERM: "dumb", ...env },
    stdin: "null",
    signal,
  }).output();
  const text = new TextDecoder();
  return { success, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

const there = (program: string) => output(program, ["--version"]).then(({ success }) => success, () => false);
const [manThere, terminalThere] = await Promise.all([there("man"), there("script")]);
const own = await manualPages();

async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rsp-man-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function rspMan(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["man", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("manualPages() has a page for every command, and finds it by each of its names", () => {
  for (const { name, aliases, programs } of commandEntries) {
    assert.ok(own.pages.has(`rsp-${name}`));
    for (const other of [...aliases, ...programs]) assert.equal(own.names.get(other), `rsp-${name}`);
  }
  assert.equal(own.pages.size, commandEntries.length + 1);
  for (const page of own.pages.values()) assert.ok(page.startsWith(`${PAGE_MARK}\n.TH `));
});

Deno.test({
  name: "installed pages are found by man under all their names, and give it no cause for warnings",
  ignore: !manThere,
  fn: () =>
    withFolder(async (folder) => {
      installPages({ ...own, folder, others: [], force: false });
      for (const name of [...own.pages.keys(), ...own.names.keys()]) {
        const { success, stdout, stderr } = await output("man", [
          ...["--warnings=w", "-E", "UTF-8", "-Tutf8", "-Z", "-M", folder, name],
        ], { MANWIDTH: "80" });
        assert.ok(success, name);
        assert.equal(stderr, "", name);
        assert.ok(stdout.length > 1000, name);
      }
      const { stdout } = await output("man", ["-M", folder, "fractalpooluser"], { MANWIDTH: "80" });
      assert.match(stdout, /^RSP-POOLUSER\(1\)/);
      assert.match(stdout, /rsp-pooluser, fractalpooluser - Has fractal images computed/);
    }),
});

Deno.test("installPages() keeps what is there, writes over old versions, and leaves nothing behind", () =>
  withFolder((folder) => {
    const installation = { ...own, folder, others: [], force: false };
    const first = installPages(installation);
    assert.equal(first.written.length, own.pages.size + own.names.size);
    const again = installPages(installation);
    assert.deepEqual([again.written, again.kept.length], [[], first.written.length]);

    const page = `${folder}/man1/rsp-darn.1`;
    Deno.writeTextFileSync(page, `${PAGE_MARK}\n.TH older\n`);
    Deno.removeSync(`${folder}/man1/hsdump.1`);
    assert.deepEqual([...installPages(installation).written].sort(), ["hsdump", "rsp-darn"]);
    assert.equal(Deno.readTextFileSync(page), own.pages.get("rsp-darn"));

    assert.equal(removePages(own, folder).removed.length, first.written.length);
    assert.deepEqual([...Deno.readDirSync(`${folder}/man1`)], []);
  }));

Deno.test("installPages() writes nothing where strangers' files are, unless it is forced", () =>
  withFolder((folder) => {
    Deno.mkdirSync(`${folder}/man1`);
    const darn = `${folder}/man1/rsp-darn.1`, server = `${folder}/man1/server.1`;
    Deno.writeTextFileSync(darn, ".TH mine\n");
    Deno.symlinkSync("/dev/null", server);
    const installation = { ...own, folder, others: [], force: false };

    const { inTheWay, written } = installPages(installation);
    assert.deepEqual([inTheWay, written], [[darn, server], []]);
    assert.equal([...Deno.readDirSync(`${folder}/man1`)].length, 2);
    assert.deepEqual(removePages(own, folder).removed, []);

    assert.deepEqual(installPages({ ...installation, force: true }).inTheWay, []);
    assert.equal(Deno.readLinkSync(server), "rsp-server.1");
  }));

Deno.test("installPages() leaves names to other programs that have pages of them", () =>
  withFolder((folder) => {
    const others = `${folder}/others`, mine = `${folder}/mine`;
    Deno.mkdirSync(`${others}/man1`, { recursive: true });
    Deno.writeTextFileSync(`${others}/man1/hsdump.1.gz`, "");
    const installation = { ...own, folder: mine, others: [others], force: false };

    assert.deepEqual(installPages(installation).left, [`${others}/man1/hsdump.1.gz`]);
    const installed = [...Deno.readDirSync(`${mine}/man1`)].map(({ name }) => name);
    assert.deepEqual(["hsdump.1", "rsp-hsdump.1"].map((name) => installed.includes(name)), [false, true]);
    assert.deepEqual(installPages({ ...installation, force: true }).written, ["hsdump"]);
  }));

Deno.test("rsp man installs into a folder and removes what it has installed", () =>
  withFolder(async (folder) => {
    const installed = await rspMan(`-install=${folder}/it's`);
    assert.equal(installed.exitCode, 0);
    assert.match(installed.stdout, /it's: \d\d manual pages installed\n/);
    assert.match(installed.stdout, /There is no man|man -M '.*it'\\''s' rsp shows the first\n$/);
    assert.match((await rspMan(`-remove=${folder}/it's`)).stdout, /: \d\d manual pages removed\n$/);
    await Deno.writeTextFile(`${folder}/it's/man1/rsp.1`, "mine");
    const refused = await rspMan(`-install=${folder}/it's`);
    assert.deepEqual([refused.exitCode, refused.stdout], [1, ""]);
    assert.match(
      refused.stderr,
      /^rsp man: nothing is installed, since these are not .*\/rsp\.1; -force replaces/,
    );
  }));

Deno.test("rsp man in a pipe is plain text, and with -source the page", async () => {
  assert.match((await rspMan("rspregistrar")).stdout, /^rsp rspregistrar: Registrar: /);
  assert.match((await rspMan("rsp-registrar")).stdout, /^rsp registrar: Registrar: /);
  assert.match((await rspMan()).stdout, /^rsp: SCTP and Reliable Server Pooling/);
  assert.equal((await rspMan("-source", "hsdump")).stdout, own.pages.get("rsp-hsdump"));
  assert.equal((await rspMan("-source")).stdout, own.pages.get("rsp"));
});

Deno.test("rsp man says what is wrong with its command line", async () => {
  const unknown = await rspMan("hsdmup");
  assert.deepEqual([unknown.exitCode, unknown.stdout], [2, ""]);
  assert.match(unknown.stderr, /did you mean hsdump\?/);
  for (
    const line of [["darn", "hsdump"], ["-force"], ["-install", "darn"], ["-install", "-remove"], [
      "-source",
      "-remove",
    ], ["-install"]]
  ) {
    // Without a home there is no usual folder; root has one, so that is not tried.
    if (line.join() === "-install" && Deno.uid() === 0) continue;
    assert.equal((await rspMan(...line)).exitCode, 2, line.join(" "));
  }
  assert.equal((await rspMan("-install=/proc/rsp-man")).exitCode, 1);
});

/** What a person sees who calls `rsp man hsdump` in a terminal. */
async function inTerminal(env: Record<string, string>): Promise<string> {
  const line = `'${Deno.execPath()}' run -A --quiet '${MAIN}' man hsdump`;
  const { success, stdout } = await output("/usr/bin/script", ["-qec", line, "/dev/null"], env);
  assert.ok(success, stdout);
  return stdout;
}

Deno.test({
  name: "rsp man in a terminal is shown by man",
  ignore: !manThere || !terminalThere,
  async fn() {
    const screen = await inTerminal({ MANPAGER: "cat", PAGER: "cat" });
    // Bold letters are struck twice.
    assert.match(screen.replaceAll(/.[\b]/g, ""), /RSP-HSDUMP\(1\)[^]*SYNOPSIS/);
  },
});

Deno.test({
  name: "rsp man in a terminal is shown by a pager where there is no man, and as it is where there is none",
  ignore: !terminalThere,
  fn: () =>
    withFolder(async (folder) => {
      await Deno.symlink("/bin/sh", `${folder}/sh`);
      await Deno.symlink("/bin/sed", `${folder}/sed`);
      const paged = await inTerminal({ PATH: folder, SHELL: "/bin/sh", PAGER: "sed s/^/page:/" });
      assert.match(paged, /^page:rsp hsdump: Shows the handlespace/);
      assert.match(
        await inTerminal({ PATH: folder, SHELL: "/bin/sh", PAGER: "" }),
        /^rsp hsdump: Shows the handlespace/,
      );
    }),
});

/** A pager that Ctrl+C does not end, as it does not end less; without a terminal it ends. */
const PAGER = `#!/bin/sh
times=0
trap 'times=$((times + 1)); echo "interrupted $times"' INT
echo "a page"
until read -r line </dev/tty; do : </dev/tty || exit 1; done
`;

Deno.test({
  name: "rsp man leaves Ctrl+C to the pager, however often it is pressed",
  ignore: !await terminalIsPossible(),
  fn: () =>
    withFolder(async (folder) => {
      await Deno.symlink("/bin/sh", `${folder}/sh`);
      await Deno.writeTextFile(`${folder}/pager`, PAGER, { mode: 0o755 });
      await using terminal = await RealTerminal.open(80, 24);
      const line = `'${Deno.execPath()}' run -A --quiet '${MAIN}' man hsdump; echo "exit code $?"`;
      await terminal.types(`cd /; export PATH=${folder} PAGER=pager; ${line}`);
      await terminal.shows(/a page/);
      for (const times of [1, 2, 3]) {
        await terminal.presses("C-c");
        await terminal.shows(new RegExp(`interrupted ${times}`));
      }
      await terminal.presses("Enter");
      await terminal.shows(/^exit code 0/m);
    }),
});
