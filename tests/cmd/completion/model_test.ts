import assert from "node:assert/strict";
import { completionModel, tokenList } from "../../../cmd/completion/model.ts";
import { valueRows } from "../../../cmd/completion/tables.ts";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";
import { sampleModel } from "./sample.ts";

async function completion(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["completion", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("rsp completion writes a script for each shell, and wants to know for which", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { exitCode, stdout } = await completion(shell);
    assert.equal(exitCode, 0);
    assert.ok(stdout.includes(`Completion of rsp for ${shell}, `));
  }
  for (const line of [[], ["tcsh"], ["bash", "zsh"], ["toString"]]) {
    const { exitCode, stdout, stderr } = await completion(...line);
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, /wants the name of one shell: bash, zsh or fish/);
  }
});

Deno.test("completionModel() knows the values of the commands' own options", async () => {
  const model = await completionModel();
  const values = (command: string, option: string) => {
    const found = model.commands.find(({ word }) => word === command)?.options
      .find(({ word }) => word === option)?.value;
    return found === undefined ? undefined : tokenList(found);
  };
  assert.equal(values("registrar", "transport"), "auto kernel embedded");
  assert.equal(values("registrar", "asap"), "auto HOST");
  assert.equal(values("registrar", "asapannounce"), "auto off none");
  assert.equal(values("registrar", "logfile"), "FILE");
  assert.equal(values("registrar", "identifier"), "ANY");
  assert.equal(values("registrar", "peer"), "HOST");
  assert.equal(values("registrar", "quiet"), undefined);
  assert.equal(values("server", "sscachedirectory"), "DIR");
  assert.match(values("server", "policy") ?? "", /^RoundRobin WeightedRoundRobin: Random /);
  assert.match(values("pooluser", "config") ?? "", /\bwhole-set\b.* FILE$/);
  assert.equal(values("pooluser", "algorithm"), "file Mandelbrot MandelbrotN test");
  assert.equal(values("bench", "asap"), "resolve register churn");
});

Deno.test("completionModel() knows what stands without a dash", async () => {
  const { commands } = await completionModel();
  const operands = new Map(commands.map(({ word, operands }) => [word, tokenList(operands)]));

  assert.equal(operands.get("registrar"), "");
  assert.equal(operands.get("completion"), "bash zsh fish");
  assert.equal(operands.get("service"), "registrar server");
  assert.match(operands.get("help") ?? "", /^registrar server pooluser .*version$/);
  assert.match(operands.get("link") ?? "", /^registrar .*version DIR$/);
  assert.deepEqual(["farm", "hsdump"].map((name) => operands.get(name)), ["FILE", "HOST"]);
});

Deno.test("completionModel() has every name under which the program may be called", async () => {
  const { programs } = await completionModel();

  for (const name of ["registrar", "rspserver", "fractalpooluser", "sctp_darn", "hsdump"]) {
    assert.ok(programs.includes(name), name);
  }
  assert.ok(!programs.includes("doctor"));
});

Deno.test("valueRows() tells commands apart only where they differ", () => {
  const rows = new Map(valueRows(sampleModel).flatMap(({ keys, text }) => keys.map((key) => [key, text])));

  assert.equal(rows.get("logfolder"), "DIR");
  assert.equal(rows.get("sample logfolder"), undefined);
  assert.equal(rows.get("colour"), "red green blue");
  assert.equal(rows.get("other colour"), "cyan magenta");
  assert.equal(rows.get("other quiet") ?? rows.get("quiet"), "ANY");
  assert.equal(rows.get("watch"), "= slow fast");
  assert.equal(rows.get("help"), undefined);
});
