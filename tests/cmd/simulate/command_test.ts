import assert from "node:assert/strict";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";

const SCRIPT = ["world registrars=1 seed=1", "at 0s: start registrars", "end at 6s"];
const TRACE = ["0.0 * start registrars", "5.0 registrar 1: in service, without a mentor"];

async function simulate(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["simulate", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

async function withFile(lines: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await Deno.writeTextFile(path, lines.join("\n"));
    await work(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("rsp simulate FILE shows what happens", async () => {
  await withFile(SCRIPT, async (path) => {
    const { exitCode, stdout } = await simulate(path);
    assert.deepEqual([exitCode, stdout], [0, [...TRACE, `${path}: ok`, ""].join("\n")]);
  });
});

Deno.test("rsp simulate -rewrite writes the trace down, and then the scenario is held to it", async () => {
  await withFile([...SCRIPT, "---", "something else"], async (path) => {
    const before = await simulate("-quiet", path);
    assert.equal(before.exitCode, 1);
    assert.match(
      before.stdout,
      /: line 1 of the trace is not "something else" but "0\.0 \* start registrars"\n.*: FAILED\n$/,
    );
    assert.equal((await simulate("-quiet", "-rewrite", path)).exitCode, 0);
    assert.equal(await Deno.readTextFile(path), [...SCRIPT, "", "---", ...TRACE, ""].join("\n"));
    const after = await simulate("-quiet", path);
    assert.deepEqual([after.exitCode, after.stdout], [0, `${path}: ok\n`]);
  });
});

Deno.test("rsp simulate fails with an expectation that is not met, after all files", async () => {
  await withFile(["at 1s: expect registrar 1 has 0 peers"], async (bad) => {
    await withFile(SCRIPT, async (good) => {
      const { exitCode, stdout } = await simulate("-quiet", bad, good);
      assert.equal(exitCode, 1);
      assert.match(
        stdout,
        /line 1: expect registrar 1 has 0 peers: registrar 1 has no peers\n.*FAILED\n.*: ok\n$/,
      );
    });
  });
});

Deno.test("rsp simulate says where a scenario is wrong", async () => {
  await withFile(["", "at 1s: dance"], async (path) => {
    const { exitCode, stderr } = await simulate(path);
    assert.equal(exitCode, 1);
    assert.ok(
      stderr.startsWith(`rsp simulate: ${path}: line 2: nothing is called "dance"; there are\n`),
      stderr,
    );
  });
});

Deno.test("rsp simulate says that a file is not there", async () => {
  const { exitCode, stderr } = await simulate("/nowhere/scenario.txt");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^rsp simulate: \/nowhere\/scenario\.txt: .*(?:not|no such)/i);
});

Deno.test("rsp simulate runs random worlds by their seeds", async () => {
  const size = ["-registrars=2", "-elements=4", "-users=1", "-minutes=3"];
  const { exitCode, stdout } = await simulate("-quiet", "-seed=5", "-count=2", ...size);
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /^seed 5: ok, .*\nseed 6: ok, .*\n$/);
});

Deno.test("rsp simulate -rewrite wants files", async () => {
  const { exitCode, stderr } = await simulate("-rewrite");
  assert.equal(exitCode, 2);
  assert.match(stderr, /-rewrite is for scenario files/);
});
