import assert from "node:assert/strict";
import { runProgram } from "../../../cmd/run.ts";
import { encapsulationPort } from "../../../protocol/sctp/mod.ts";
import { recordOutput } from "../world.ts";

/** No group, no port that another program would want, no privilege. */
const ALONE = [
  "-asapannounce=off",
  "-enrpannounce=off",
  "-enrp=127.0.0.1:0",
  "-transport=embedded",
  "-encapsulation=udp",
];

/** Runs a registrar until its log matches, then as Ctrl+C ends it. */
async function runRegistrar(line: readonly string[], until: RegExp) {
  const end = new AbortController();
  const stdout = recordOutput(), errors = recordOutput();
  const stderr = {
    ...errors,
    write(text: string) {
      errors.write(text);
      if (until.test(errors.text())) end.abort();
    },
  };
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["registrar", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: end.signal,
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

Deno.test("rsp registrar refuses options of RSPLIB that it does not carry out", async () => {
  const { exitCode, stderr } = await runRegistrar(["-cspserver=10.1.0.1"], /./);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^rsp registrar: option -cspserver is not carried out yet/);
});

Deno.test("rsp registrar says what to do when its port is in use, and fails", async () => {
  const port = 3877;
  const { exitCode, stderr } = await withUdpPort(encapsulationPort(port), () => {
    return runRegistrar([...ALONE, `-asap=127.0.0.1:${port}`], /ASAP has SCTP port/);
  });
  assert.equal(exitCode, 1);
  assert.match(stderr, /SCTP port 3877.*another program/);
});

async function withUdpPort<Result>(port: number, work: () => Promise<Result>): Promise<Result> {
  const dgram = await import("node:dgram");
  const socket = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(port, "0.0.0.0", resolve));
  try {
    return await work();
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}
