import assert from "node:assert/strict";
import { packTar, unpackTar } from "modern-tar";
import { JobStatus } from "../../../../protocol/app/scripting/job_status.ts";
import { DriverBench, gzip, scriptPackage, textFile, textOf } from "./bench.ts";

Deno.test("ScriptingDriver runs ssrun of a package and gives its result back", async () => {
  await using bench = await DriverBench.open();
  const script = '#!/bin/sh\ncat input.txt >"$1"; echo "hello from $#"; echo oops >&2; pwd >&2';
  const result = await bench.runScript(script, [textFile("input.txt", "some input")]);
  assert.deepEqual([result.exitCode, result.reason, result.hasOutput], [0, undefined, true]);
  assert.equal(textOf(result.output), "some input");
  assert.equal(result.stdout, "hello from 4\n");
  assert.match(result.stderr, /^oops\n\/.+\n$/);
});

Deno.test("ScriptingDriver runs a script without #! and gives on its exit code", async () => {
  await using bench = await DriverBench.open();
  const result = await bench.runPackage(await gzip(await scriptPackage(" \\\n echo x >$1 && \\\n exit 7\n")));
  assert.deepEqual([result.exitCode, result.reason, textOf(result.output)], [7, undefined, "x\n"]);
});

Deno.test("ScriptingDriver stores a long upload in order and gives a long result back", async () => {
  await using bench = await DriverBench.open();
  const data = new Uint8Array(3_000_017);
  for (let index = 0; index < data.length; index++) data[index] = (index * 7919) >> 8;
  const entry = { header: { name: "data", size: data.length }, body: data };
  const result = await bench.runScript('mv data "$1"', [entry]);
  assert.equal(result.exitCode, 0);
  assert.deepEqual(result.output, data);
});

Deno.test("ScriptingDriver sends what a job printed when it has no result", async () => {
  await using bench = await DriverBench.open();
  const result = await bench.runScript("echo out; echo err >&2; exit 3");
  assert.deepEqual([result.exitCode, result.hasOutput], [3, true]);
  const stream = new Blob([result.output]).stream().pipeThrough(new DecompressionStream("gzip"));
  const entries = await unpackTar(stream);
  const texts = Object.fromEntries(entries.map(({ header, data }) => [header.name, textOf(data!)]));
  assert.deepEqual(texts, {
    "report.txt": "The job has no result to download: it ended with exit code 3.\n",
    "stdout.txt": "out\n",
    "stderr.txt": "err\n",
  });
});

Deno.test("ScriptingDriver says which signal ended a job", async () => {
  await using bench = await DriverBench.open({ sandbox: "none" });
  const result = await bench.runScript("kill -SEGV $$");
  assert.deepEqual([result.exitCode, result.reason], [139, "it was killed by SIGSEGV"]);
});

Deno.test("ScriptingDriver refuses a package without ssrun, and with ssrun as a directory", async () => {
  await using bench = await DriverBench.open();
  for (const entry of [textFile("other", "x"), textFile("ssrun/file", "x")]) {
    const result = await bench.runPackage(await packTar([entry]));
    assert.equal(result.exitCode, JobStatus.noScript);
    assert.match(result.reason ?? "", /no file ssrun/);
  }
});

Deno.test("ScriptingDriver refuses an empty package and an empty environment: they are so everywhere", async () => {
  await using bench = await DriverBench.open();
  const { exitCode, reason } = await bench.runPackage(new Uint8Array());
  assert.deepEqual([exitCode, reason], [JobStatus.badPackage, "the work package is empty"]);
  await bench.begin(2);
  bench.driver.handle({ type: "checkEnvironment", session: 2, hash: new Uint8Array(20) });
  const checked = await bench.answer("environmentChecked", 2);
  assert.equal(checked.failure?.reason, "the environment is refused: it is empty");
});

Deno.test("ScriptingDriver runs sessions side by side, and removes their directories", async () => {
  await using bench = await DriverBench.open();
  const sessions = [1, 2, 3];
  await Promise.all(sessions.map((session) => bench.begin(session)));
  assert.equal(bench.sessionDirectories().length, 3);
  const mode = (await Deno.stat(`${bench.directory}/${bench.sessionDirectories()[0]}`)).mode ?? 0;
  assert.equal(mode & 0o777, 0o700);
  const results = await Promise.all(sessions.map(async (session) => {
    await bench.upload(await scriptPackage(`echo ${session} >"$1"`), session);
    return await bench.run(session);
  }));
  assert.deepEqual(results.map(({ output }) => textOf(output)), ["1\n", "2\n", "3\n"]);
  await bench.driver.close();
  assert.deepEqual(bench.sessionDirectories(), []);
});

Deno.test("ScriptingDriver gives a job the room that its package took", async () => {
  await using bench = await DriverBench.open({ sandbox: "none" });
  const files = "[ -e ../stdout.txt ] && [ -e ../stderr.txt ]"; // they are made beside the job's start
  const result = await bench.runScript(`until ${files}; do sleep 0.01; done; ls ..`);
  assert.equal(result.stdout, "owner.json\nshm\nstderr.txt\nstdout.txt\ntmp\nwork\n");
});

Deno.test("ScriptingDriver keeps directories when it is to", async () => {
  await using bench = await DriverBench.open({ keepDirectories: true });
  await bench.runScript("echo kept >file");
  await bench.driver.close();
  const [name] = bench.sessionDirectories();
  assert.equal(await Deno.readTextFile(`${bench.directory}/${name}/work/file`), "kept\n");
  assert(bench.lines.some((line) => line.includes("stay in")));
});
