import assert from "node:assert/strict";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";

/** A command that hangs is ended, as by Ctrl+C. */
const DEADLINE_MS = 60_000;

/** No group and no privilege. */
const CARRIER = ["-transport=embedded", "-encapsulation=udp"];

/** Runs a command to its end; `onText` sees what it writes and may end it. */
async function run(line: readonly string[], onText: (text: string, end: () => void) => unknown = () => {}) {
  const end = new AbortController();
  const watched = (output: ReturnType<typeof recordOutput>) => ({
    ...output,
    write(text: string) {
      output.write(text);
      onText(text, () => end.abort());
    },
  });
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: line,
    stdout: watched(stdout),
    stderr: watched(stderr),
    variable: () => undefined,
    signal: AbortSignal.any([end.signal, AbortSignal.timeout(DEADLINE_MS)]),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Runs commands while there is a registrar without peers. */
async function withRegistrar(work: (place: string) => Promise<void>): Promise<void> {
  let endRegistrar = () => {};
  const place = Promise.withResolvers<string>();
  const registrar = run(
    [
      ...["registrar", "-identifier=0x1234", "-asapannounce=off", "-enrpannounce=off", ...CARRIER],
      ...["-asap=127.0.0.1:0", "-enrp=127.0.0.1:0", "-mentordiscoverytimeout=1000"],
    ],
    (text, end) => {
      endRegistrar = end;
      const port = /, ENRP (\d+)/.exec(text)?.[1];
      if (port !== undefined) place.resolve(`127.0.0.1:${port}`);
    },
  );
  registrar.then(({ stderr }) => place.reject(new Error(stderr)));
  try {
    await work(await place.promise);
  } finally {
    endRegistrar();
    await registrar;
  }
}

Deno.test("rsp hsdump shows what a registrar knows, and ends", async () => {
  await withRegistrar(async (place) => {
    const { exitCode, stdout, stderr } = await run(["hsdump", place, ...CARRIER]);
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /peers only|staying/);
    assert.match(stdout, /^PeerList of \$00001234 \(0 peers\)\n/);
    assert.match(stdout, /^Handlespace\[home=\$00001234\]: \(0 Pools, 0 PoolElements, 0 Owned\)$/m);
  });
});

Deno.test("rsp hsdump -json -watch writes an object for each reading until Ctrl+C", async () => {
  await withRegistrar(async (place) => {
    let dumps = 0;
    const { exitCode, stdout } = await run(
      ["hsdump", place, ...CARRIER, "-json", "-watch=1"],
      (text, end) => {
        if (text.startsWith("{") && ++dumps === 2) end();
      },
    );
    const registrars = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).registrarId);
    assert.deepEqual([exitCode, registrars], [0, ["0x00001234", "0x00001234"]]);
  });
});

Deno.test("rsp hsdump says why it cannot read, and fails", async () => {
  const { exitCode, stdout, stderr } = await run(["hsdump", "127.0.0.1:39999", ...CARRIER, "-timeout=300"]);
  assert.deepEqual([exitCode, stdout], [1, ""]);
  assert.match(stderr, /cannot read the registrar: no/);
});

for (
  const [line, sentence] of [
    [["10.1.0.1", "10.1.0.2"], /one registrar at a time/],
    [["10.1.0.1:70000"], /the registrar has a port above 65535/],
    [["-watch=0", "10.1.0.1"], /-watch must be a whole number from 1/],
  ] as const
) {
  Deno.test(`rsp hsdump ${line.join(" ")} is a wrong command line`, async () => {
    const { exitCode, stderr } = await run(["hsdump", ...line]);
    assert.equal(exitCode, 2);
    assert.match(stderr, sentence);
  });
}
