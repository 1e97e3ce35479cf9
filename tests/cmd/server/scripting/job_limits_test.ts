import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { JobStatus } from "../../../../protocol/app/scripting/job_status.ts";
import type { JobLimits } from "../../../../cmd/server/scripting/limits.ts";
import { ProcessFamily } from "../../../../cmd/server/scripting/process_family.ts";
import type { SandboxMode } from "../../../../cmd/server/scripting/sandbox.ts";
import { within } from "../../../ffi/within.ts";
import { DriverBench, hasBubblewrap, scriptPackage, textFile, textOf } from "./bench.ts";

/** Both ways to run jobs, where bubblewrap works; where it does not, what is left of them. */
const SANDBOXES: readonly SandboxMode[] = await hasBubblewrap() ? ["bwrap", "none"] : ["none"];

const MEBI = 1 << 20;

/** The server looks at a job's processes less often when a look takes it long, as where it is stopped in the middle of one. */
const LOOK_LIMIT_MS = 240_000;

/** Longer than any test takes: a job that sleeps for so long is a hanging one. */
const FOREVER = 987_654;

const JOBS: readonly {
  readonly name: string;
  readonly script: string;
  readonly limit: Partial<JobLimits>;
  readonly status: number;
  readonly reason: RegExp;
}[] = [
  {
    name: "hangs",
    script: `sleep ${FOREVER}`,
    limit: { timeMs: 300 },
    status: JobStatus.timeLimit,
    reason: /not ended after 0.3 s/,
  },
  {
    name: "takes no SIGTERM and turns round and round",
    script: "trap '' TERM INT HUP; while :; do :; done",
    limit: { timeMs: 300 },
    status: JobStatus.timeLimit,
    reason: /not ended/,
  },
  {
    name: "floods its standard output",
    script: "exec yes",
    limit: { consoleBytes: 100_000 },
    status: JobStatus.consoleLimit,
    reason: /more than 98 KiB/,
  },
  {
    name: "floods its standard error",
    script: "exec yes >&2",
    limit: { consoleBytes: 100_000 },
    status: JobStatus.consoleLimit,
    reason: /more than 98 KiB/,
  },
  {
    name: "fills its disk with one file",
    script: 'exec dd if=/dev/zero of="$1" bs=1M count=200',
    limit: { diskBytes: 4 * MEBI },
    status: JobStatus.diskLimit,
    reason: /more than 4 MiB/,
  },
  {
    name: "fills its disk with many files",
    script: "for n in $(seq 1000); do head -c 1000000 /dev/zero >file-$n; sleep 0.005; done",
    limit: { diskBytes: 8 * MEBI },
    status: JobStatus.diskLimit,
    reason: /more than 8 MiB/,
  },
  {
    name: "fills its directory for temporary files",
    script: "for n in $(seq 1000); do head -c 1000000 /dev/zero >$TMPDIR/file-$n; sleep 0.005; done",
    limit: { diskBytes: 8 * MEBI },
    status: JobStatus.diskLimit,
    reason: /more than 8 MiB/,
  },
  {
    name: "writes a result that is too large",
    script: 'head -c 2000000 /dev/zero >"$1"',
    limit: { outputBytes: 1_000_000 },
    status: JobStatus.outputLimit,
    reason: /larger than 977 KiB/,
  },
  {
    name: "has many processes",
    script: `for n in $(seq 30); do sleep ${FOREVER} & done; wait`,
    limit: { processes: 20 },
    status: JobStatus.processLimit,
    reason: /more than 20 processes/,
  },
  {
    name: "takes much memory in several processes",
    // The program tail keeps what it may have to show until its input ends.
    script: `fill() { { head -c 30000000 /dev/zero; sleep ${FOREVER}; } | tail -c 30000000; }\n` +
      "fill & fill & fill & wait",
    limit: { memoryBytes: 60 * MEBI },
    status: JobStatus.memoryLimit,
    reason: /more than 60 MiB of memory/,
  },
];

for (const sandbox of SANDBOXES) {
  for (const { name, script, limit, status, reason } of JOBS) {
    Deno.test(`a job that ${name} is ended and reported as that (sandbox ${sandbox})`, async () => {
      await using bench = await DriverBench.open({ sandbox, limit });
      const result = await bench.runScript(script);
      assert.equal(result.exitCode, status, result.reason);
      assert.match(result.reason ?? "", reason);
      assert(result.hasOutput, "there is something to download, to look for the error");
      await bench.driver.close();
      assert.deepEqual(bench.sessionDirectories(), []);
    });
  }

  Deno.test(`a job within its limits is left alone (sandbox ${sandbox})`, async () => {
    const limit = {
      timeMs: 60_000,
      consoleBytes: 1000,
      diskBytes: 4 * MEBI,
      outputBytes: 1000,
      processes: 50,
    };
    await using bench = await DriverBench.open({ sandbox, limit });
    const script =
      'head -c 1000 /dev/zero; head -c 1000 /dev/zero >"$1"; head -c 1000000 /dev/zero >file; sleep 0.5';
    const result = await bench.runScript(script);
    assert.deepEqual([result.exitCode, result.reason, result.output.length], [0, undefined, 1000]);
    assert.equal(result.stdout.length, 1000);
  });

  Deno.test(`discardWorkspace kills all of a job (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox });
    await bench.begin();
    await bench.upload(await scriptPackage(runaways()));
    bench.driver.handle({ type: "runJob", session: 1 });
    await printed(bench, "started");
    await untilThere(4);
    bench.driver.handle({ type: "discardWorkspace", session: 1 });
    await bench.driver.close();
    assert.deepEqual(await sleepers(), []);
    assert.deepEqual(bench.take("jobEnded"), [], "a discarded session is not answered");
    assert.deepEqual(bench.sessionDirectories(), []);
  });

  Deno.test(`processes that a job leaves behind are killed at its end (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox });
    const result = await bench.runScript(runaways().replace("wait", 'echo done >"$1"'));
    assert.deepEqual([result.exitCode, textOf(result.output)], [0, "done\n"]);
    assert.deepEqual(await sleepers(), []);
  });

  Deno.test(`a process that got rid of all marks is known from when it had a parent (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox });
    const hidden = `setsid env -i sh -c 'cd /; exec /bin/sleep ${FOREVER}.${Deno.pid}'`;
    try {
      await bench.begin();
      await bench.upload(await scriptPackage(`( ${hidden} & until [ -e go ]; do sleep 0.1; done ); exit 6`));
      const ended = bench.run();
      await untilThere(1);
      await nextLook();
      await Deno.writeTextFile(`${bench.directory}/${bench.sessionDirectories()[0]}/work/go`, "");
      assert.equal((await ended).exitCode, 6);
      assert.deepEqual(await sleepers(), []);
    } finally {
      for (const { processId } of await sleepers()) Deno.kill(processId, "SIGKILL");
    }
  });

  Deno.test(`a job that hops from process to process is caught (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox, limit: { timeMs: 500 } });
    const name = `hop-${Deno.pid}`; // others on this machine may run the same test
    const hop = `#!/bin/sh\nsleep 0.03\nsetsid ./${name} &\n`;
    const result = await bench.runScript(`chmod 700 ${name}; ./${name}; sleep 10`, [textFile(name, hop)]);
    assert.equal(result.exitCode, JobStatus.timeLimit);
    await bench.driver.close();
    assert.deepEqual(bench.sessionDirectories(), [], "nobody works there any more");
    const hops = await commandLines(/^\/bin\/sh\0\.\/hop/);
    assert.deepEqual(hops.filter(({ line }) => line.includes(name)), []);
  });

  Deno.test(`a job sees nothing of the server's environment, has no core dumps and goes first when memory is short (sandbox ${sandbox})`, async () => {
    Deno.env.set("RSP_TEST_SECRET", "secret");
    try {
      await using bench = await DriverBench.open({ sandbox });
      const result = await bench.runScript(
        'env | sed "s/=.*//" | sort; ulimit -c; cat /proc/$$/oom_score_adj',
      );
      assert.equal(result.stdout, "HOME\nLANG\nPATH\nPWD\nRSP_JOB\nTMPDIR\n0\n1000\n");
    } finally {
      Deno.env.delete("RSP_TEST_SECRET");
    }
  });

  Deno.test(`a job has a process group and a session of its own (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox });
    const result = await bench.runScript(
      "cut -d ' ' -f 5,6 /proc/$$/stat; ps -o pgid=,sid= -p $PPID; echo $$",
    );
    const [[group, session], [parentGroup], own] = result.stdout.trimEnd().split("\n").map((line) => {
      return line.trim().split(/ +/).map(Number);
    }) as [number[], number[], number[]];
    assert.equal(group, session);
    // In a namespace, bubblewrap itself is the first of both; else the job is.
    assert.equal(group, sandbox === "bwrap" ? parentGroup : own[0]);
  });

  Deno.test(`a deep tree and closed directories are removed (sandbox ${sandbox})`, async () => {
    await using bench = await DriverBench.open({ sandbox, limit: { timeMs: 30_000 } });
    const script = "mkdir closed; touch closed/file; chmod 000 closed\n" +
      "for n in $(seq 3000); do mkdir d && cd d || exit 5; done";
    const result = await bench.runScript(script);
    assert.equal(result.exitCode, JobStatus.diskLimit, result.reason);
    assert.match(result.reason ?? "", /deeper directories/);
    await bench.driver.close();
    assert.deepEqual(bench.sessionDirectories(), []);
  });

  Deno.test(`a result that is a link, a pipe or a directory is none (sandbox ${sandbox})`, async () => {
    for (const script of ['ln -s /etc/hostname "$1"', 'mkfifo "$1"', 'mkdir "$1"']) {
      await using bench = await DriverBench.open({ sandbox });
      const result = await bench.runScript(script);
      assert.deepEqual([result.exitCode, result.hasOutput], [0, true]);
      assert.deepEqual([...result.output.subarray(0, 2)], [0x1f, 0x8b], "the archive that stands in");
    }
  });
}

/** A job with a child, a grandchild, one in a session of its own, and one that has also got rid of its environment. */
function runaways(): string {
  const sleep = `sleep ${FOREVER}.${Deno.pid}`;
  return [
    `${sleep} &`,
    `sh -c '${sleep}; :' &`,
    `setsid sh -c '${sleep}; :' &`,
    `setsid env -i sh -c 'PATH=/usr/bin:/bin; ${sleep}; :' &`,
    "echo started",
    "wait",
  ].join("\n");
}

/** Processes of the machine that sleep as {@linkcode runaways} do. */
async function sleepers(): Promise<Found[]> {
  const found = await commandLines(/^(\/bin\/)?sleep\0/);
  return found.filter(({ line }) => line.includes(`${FOREVER}.${Deno.pid}`));
}

/** Waits until so many of them are seen from outside. */
async function untilThere(count: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await sleepers()).length < count) assert(performance.now() < deadline, `${count} processes`);
}

/** Waits until the server has looked at the processes of its job once more. */
async function nextLook(): Promise<void> {
  const looked = Promise.withResolvers<void>(), { usage } = ProcessFamily.prototype;
  ProcessFamily.prototype.usage = function () {
    const found = usage.call(this);
    looked.resolve();
    return found;
  };
  try {
    await within(LOOK_LIMIT_MS, looked.promise, "a look at the job's processes");
  } finally {
    ProcessFamily.prototype.usage = usage;
  }
}

/** A process of the machine. */
interface Found {
  readonly processId: number;
  readonly line: string;
}

async function commandLines(pattern: RegExp): Promise<Found[]> {
  const found: Found[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const file = `/proc/${name}/cmdline`;
    if (!/^\d+$/.test(name) || !existsSync(file)) continue;
    const line = await Deno.readTextFile(file).catch(() => "");
    if (pattern.test(line)) found.push({ processId: Number(name), line });
  }
  return found;
}

async function printed(bench: DriverBench, word: string): Promise<void> {
  let text = "";
  while (!text.includes(word)) text += textOf((await bench.answer("jobPrinted")).data);
}
