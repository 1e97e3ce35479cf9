import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { runProgram } from "../../../cmd/run.ts";
import { encapsulationPort } from "../../../protocol/sctp/mod.ts";
import { recordOutput } from "../world.ts";
import { readMetrics } from "./prometheus_text.ts";

/** No group, no port that another program would want, no privilege. */
const ALONE = [
  "-asapannounce=off",
  "-enrpannounce=off",
  "-enrp=127.0.0.1:0",
  "-transport=embedded",
  "-encapsulation=udp",
];

/** So long a registrar may take to say what a test waits for. */
const DEADLINE_MS = 20_000;

/** Runs a registrar until its log matches, then as Ctrl+C ends it. */
async function runRegistrar(
  line: readonly string[],
  until: RegExp,
  onText: (text: string) => unknown = () => {},
) {
  const end = new AbortController();
  const stdout = recordOutput(), errors = recordOutput();
  const stderr = {
    ...errors,
    write(text: string) {
      errors.write(text);
      onText(text);
      if (until.test(errors.text())) end.abort();
    },
  };
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["registrar", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: AbortSignal.any([end.signal, AbortSignal.timeout(DEADLINE_MS)]),
  });
  return { exitCode, stdout: stdout.text(), stderr: errors.text() };
}

Deno.test("rsp registrar says what carries SCTP first, where it is, and ends in order", async () => {
  const { exitCode, stdout, stderr } = await runRegistrar(
    [...ALONE, "-asap=127.0.0.1:0"],
    /ASAP has SCTP port/,
  );
  const lines = stderr.trimEnd().split("\n").map((line) => line.replace(/^\S+ /, ""));
  assert.deepEqual([exitCode, stdout], [0, ""], stderr);
  assert.match(lines[0] ?? "", /^SCTP is carried by embedded SCTP over UDP.*as -transport=embedded asks$/);
  assert.match(lines[1] ?? "", /^registrar 0x[0-9a-f]{8} serves ASAP \(PPID 11\) on 127\.0\.0\.1:\d+$/);
  assert.match(lines[2] ?? "", /announces are off$/);
  assert.equal(lines.at(-1), "terminated");
});

Deno.test("rsp registrar -quiet leaves a -loglevel that is given as it is", async () => {
  const line = [...ALONE, "-asap=127.0.0.1:0", "-quiet", "-loglevel=3"];
  const { exitCode, stderr } = await runRegistrar(line, /ASAP has SCTP port/);
  assert.deepEqual([exitCode, /serves ASAP/.test(stderr)], [0, true], stderr);
});

Deno.test("rsp registrar -json writes one object a line to standard output", async () => {
  const stdout = recordOutput(), end = new AbortController();
  const exitCode = await runProgram({
    calledAs: "rspregistrar",
    arguments: [...ALONE, "-asap=127.0.0.1:0", "-json"],
    stdout: {
      ...stdout,
      write(text: string) {
        stdout.write(text);
        if (text.includes('"ports"')) end.abort();
      },
    },
    stderr: recordOutput(),
    variable: () => undefined,
    signal: end.signal,
  });
  const events = stdout.text().trimEnd().split("\n").map((line) => JSON.parse(line).event);
  assert.deepEqual([exitCode, events], [0, ["transport", "started", "ports", "terminated"]]);
});

Deno.test("rsp registrar -uptime lives again and again, and its files know of all lives", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = (name: string) => `${folder}/${name}`;
    const { exitCode, stderr } = await runRegistrar([
      ...ALONE,
      "-asap=127.0.0.1:0",
      "-uptime=0.001",
      "-downtime=0.001",
      `-statsfile=${path("stats")}`,
      `-scalar=${path("scalars")}`,
      `-actionlogfile=${path("actions")}`,
      "-object=pr1",
    ], /(serves ASAP[^]*){3}/);
    assert.equal(exitCode, 0, stderr);
    const serials = (await Deno.readTextFile(path("stats"))).trimEnd().split("\n").slice(1).map((line) =>
      Number(line.split(" ")[0])
    );
    assert.ok(serials.length >= 3, String(serials));
    assert.deepEqual(serials, serials.map((_, index) => index + 1));
    assert.match(
      await Deno.readTextFile(path("scalars")),
      /^run 1 "scenario"\nscalar "pr1" "Registrar Total Reg/,
    );
    assert.match(await Deno.readTextFile(path("actions")), /^AbsTime RelTime {3}Direction/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("rsp registrar names the option of a file that cannot be written", async () => {
  const { exitCode, stderr } = await runRegistrar([...ALONE, "-statsfile=/no/such/folder/x"], /./);
  assert.deepEqual(
    [exitCode, /^rsp registrar: option -statsfile: cannot write/.test(stderr)],
    [2, true],
    stderr,
  );
});

Deno.test("rsp registrar says what to do when its port is in use, and fails", async () => {
  await withTakenPort(async (port) => {
    const { exitCode, stderr } = await runRegistrar(
      [...ALONE, `-asap=127.0.0.1:${port}`],
      /ASAP has SCTP port/,
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`SCTP port ${port}.*another program`));
  });
});

/** Works while an SCTP port is another program's, whichever the system has free. */
async function withTakenPort(work: (port: number) => Promise<void>): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "0.0.0.0", resolve);
  });
  try {
    const { port } = socket.address();
    await work(port - encapsulationPort(0));
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

Deno.test("rsp registrar serves metrics where -metrics says", async () => {
  const end = new AbortController();
  const errors = recordOutput();
  let fetched: Promise<string> | undefined;
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["registrar", ...ALONE, "-asap=127.0.0.1:0", "-identifier=0x1234", "-metrics=127.0.0.1:0"],
    stdout: recordOutput(),
    stderr: {
      ...errors,
      write(text: string) {
        errors.write(text);
        const where = /metrics are at (\S+)/.exec(text)?.[1];
        if (where === undefined) return;
        fetched = fetch(where).then((response) => response.text()).finally(() => end.abort());
      },
    },
    variable: () => undefined,
    signal: end.signal,
  });
  assert.equal(exitCode, 0, errors.text());
  const metrics = readMetrics(await fetched ?? "");
  assert.equal(metrics.get("rsp_registrar_elements")?.samples.get(""), 0);
  assert.match([...metrics.get("rsp_registrar_info")?.samples.keys() ?? []][0] ?? "", /"0x00001234"/);
});

Deno.test("rsp registrar writes its state into the log on SIGUSR1", async () => {
  const { exitCode, stderr } = await runRegistrar(
    [...ALONE, "-asap=127.0.0.1:0", "-identifier=0x1234", "-loglevel=3"],
    /\*{40}$/m,
    (text) => text.includes("ASAP has SCTP port") && setTimeout(() => Deno.kill(Deno.pid, "SIGUSR1"), 0),
  );
  assert.equal(exitCode, 0);
  assert.match(stderr, /^\*{15} \S+ state \*{15}\nPeerList of \$00001234 \(0 peers\)\n/m);
  assert.match(stderr, /^Handlespace\[home=\$00001234\]: \(0 Pools, 0 PoolElements, 0 Owned\)$/m);
});
