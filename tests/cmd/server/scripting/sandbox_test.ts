import assert from "node:assert/strict";
import { chooseSandbox, SandboxError } from "../../../../cmd/server/scripting/sandbox.ts";
import { Workspace } from "../../../../cmd/server/scripting/workspace.ts";
import { DriverBench, hasBubblewrap } from "./bench.ts";

const isHere = await hasBubblewrap();

/** A program in the place of bubblewrap, which cannot make namespaces. */
async function brokenBubblewrap(): Promise<{ readonly program: string } & AsyncDisposable> {
  const directory = await Deno.makeTempDir({ prefix: "rsp-sandbox-test-" });
  const script =
    "#!/bin/sh\necho 'bwrap: Creating new namespace failed: Operation not permitted' >&2\nexit 1\n";
  await Deno.writeTextFile(`${directory}/broken-bwrap`, script, { mode: 0o700 });
  const path = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", `${directory}:${path}`);
  return {
    program: "broken-bwrap",
    async [Symbol.asyncDispose]() {
      Deno.env.set("PATH", path);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

Deno.test("chooseSandbox() does without bubblewrap where it is not installed, unless it must not", async () => {
  const sandbox = await chooseSandbox("auto", "no-such-bwrap");
  assert.equal(sandbox.kind, "none");
  assert.match(sandbox.description, /^jobs run without a sandbox: bubblewrap is not installed/);
  await assert.rejects(chooseSandbox("bwrap", "no-such-bwrap"), (error: Error) => {
    assert(error instanceof SandboxError);
    assert.match(error.message, /^-sssandbox=bwrap is not possible: bubblewrap is not installed/);
    return true;
  });
});

Deno.test("chooseSandbox() does without bubblewrap where it does not work, unless it must not", async () => {
  await using broken = await brokenBubblewrap();
  const sandbox = await chooseSandbox("auto", broken.program);
  assert.equal(sandbox.kind, "none");
  assert.match(sandbox.description, /cannot make namespaces here: Creating new namespace failed/);
  await assert.rejects(
    chooseSandbox("bwrap", broken.program),
    /not possible: bubblewrap cannot make namespaces/,
  );
});

Deno.test("chooseSandbox() does not look for bubblewrap when jobs are to run without", async () => {
  const sandbox = await chooseSandbox("none");
  assert.deepEqual([sandbox.kind, sandbox.description], [
    "none",
    "jobs run without a sandbox, as -sssandbox=none says",
  ]);
});

Deno.test("ScriptingDriver says once how jobs are run", async () => {
  await using bench = await DriverBench.open();
  await bench.runScript(":");
  const lines = bench.lines.filter((line) => line.startsWith("jobs run"));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, isHere ? /in a sandbox: no network/ : /without a sandbox: bubblewrap/);
});

/** What a job does in the sandbox, and what comes of it. */
const ATTEMPTS: readonly (readonly [string, string, string])[] = [
  ["writes into the system", "touch /usr/evil && echo done", ""],
  ["writes into the root", "touch /evil && echo done", ""],
  ["writes into /etc", "touch /etc/evil && echo done", ""],
  ["writes into /dev", "touch /dev/evil && echo done", ""],
  [
    "changes the kernel",
    'v=$(cat /proc/sys/kernel/core_pattern) && echo "$v" >/proc/sys/kernel/core_pattern && echo done',
    "",
  ],
  [
    "looks for settings that it can write",
    "find /proc/sys /proc/sysrq-trigger /proc/irq -writable 2>/dev/null | wc -l",
    "0",
  ],
  ["looks for users' files", "ls -A /home /root /work /srv 2>/dev/null | wc -l", "0"],
  ["reads what only root may", "cat /etc/shadow", ""],
  ["looks for other processes", "ls /proc | grep -c '^[0-9]*$'", "few"],
  ["looks for a network", "tail -n +3 /proc/net/dev | grep -v ' lo:' | wc -l", "0"],
  [
    "makes namespaces of its own, to be somebody there",
    "! bwrap --help | grep -q disable-userns || ! unshare -U true || echo yes",
    "",
  ],
  ["writes into its own directory", "touch file && echo yes", "yes"],
  ["writes a temporary file", 'mktemp >/dev/null && test "$TMPDIR" = /tmp && echo yes', "yes"],
  ["writes a file in shared memory", "touch /dev/shm/x && echo yes", "yes"],
  ["uses devices that all have", "head -c 3 /dev/zero | wc -c && echo x >/dev/null", "3"],
  ["knows where it is", "pwd", "/job"],
];

Deno.test("a sandboxed job gets at nothing but its directory", async () => {
  await using bench = await DriverBench.open({ sandbox: "auto" });
  assert.equal(bench.driver.sandbox.kind === "bwrap", isHere);
  if (!isHere) { // what can be checked without: it is said, and jobs run
    assert(bench.lines.some((line) => line.includes("without a sandbox")));
    assert.equal((await bench.runScript("exit 4")).exitCode, 4);
    return;
  }
  const script = ATTEMPTS.map(([, command]) => `{ ${command}; } 2>/dev/null; echo "--"`).join("\n");
  const result = await bench.runScript(script);
  const answers = result.stdout.split("--\n").map((answer) => answer.trim());
  ATTEMPTS.forEach(([what, , expected], index) => {
    const answer = answers[index]!;
    if (expected === "few") assert(Number(answer) < 10, `a job that ${what} finds ${answer}`);
    else assert.equal(answer, expected, `a job that ${what}`);
  });
});

Deno.test(
  "a job of a server that runs as root runs in a sandbox, and does not read what only root may, however much that is",
  { ignore: !isHere || Deno.uid() !== 0 },
  async () => {
    const secrets = [
      ...["/opt", "/usr/local"].map((path) => ({ path, isDirectory: true })),
      // For each bubblewrap goes through all of them: twice as many take it four times as long.
      ...Array.from({ length: 600 }, () => ({ path: "/etc/passwd", isDirectory: false })),
    ];
    const sandbox = await chooseSandbox("bwrap", "bwrap", () => secrets);
    assert.match(sandbox.description, /, nothing of \/opt, .*, nothing of \/usr\/local, /);
    const workspace = await Workspace.create(Deno.env.get("TMPDIR") ?? "/tmp", 1000);
    const [program = "", ...args] = sandbox.wrap(workspace);
    const script = "ls -A /opt /usr/local; cat /etc/passwd; echo over";
    const { stdout } = await new Deno.Command(program, { args: [...args, "/bin/sh", "-c", script] }).output();
    await workspace.discard(false);
    assert.equal(new TextDecoder().decode(stdout), "/opt:\n\n/usr/local:\nover\n");
  },
);
