import assert from "node:assert/strict";
import { buildFacts } from "../../../cmd/build_facts.ts";
import { runProgram } from "../../../cmd/run.ts";
import { VERSION } from "../../../cmd/version.ts";
import { describeVersion } from "../../../cmd/version/describe.ts";
import type { VersionFacts } from "../../../cmd/version/describe.ts";
import { recordOutput } from "../world.ts";

async function rsp(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: line,
    stdout,
    stderr,
    variable: () => undefined,
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const FACTS: VersionFacts = {
  version: "1.2.3",
  kind: "attached",
  commit: "0123456789abcdef0123456789abcdef01234567",
  changed: false,
  date: "2026-11-23T05:43:29Z",
  deno: "2.9.6",
  v8: "15.0",
  typescript: "6.0.3",
  target: "x86_64-unknown-linux-gnu",
  transport: "kernel",
  transportReason: "the kernel has SCTP",
  licence: "Apache-2.0",
};

Deno.test("VERSION is that of deno.json, and so is the licence", async () => {
  const { version, license } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const { licence } = JSON.parse((await rsp("version", "-json")).stdout);

  assert.deepEqual([VERSION, licence], [version, license]);
});

for (const line of [["--version"], ["version"], ["registrar", "-version"]]) {
  Deno.test(`rsp ${line.join(" ")} tells the version`, async () => {
    const { exitCode, stdout, stderr } = await rsp(...line);

    assert.deepEqual([exitCode, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^rsp ${VERSION.replaceAll(".", "\\.")}( \\(.*\\))?\n`));
    assert.ok(stdout.includes(`\nWith:  Deno ${Deno.version.deno}, `), stdout);
  });
}

Deno.test("rsp --version -json tells it to programs", async () => {
  const { exitCode, stdout } = await rsp("--version", "-json");
  const facts = JSON.parse(stdout);

  assert.equal(exitCode, 0);
  assert.deepEqual([facts.version, facts.kind, facts.target], [VERSION, "sources", Deno.build.target]);
  assert.match(facts.transport, /^(kernel|embedded)$/);
});

Deno.test("describeVersion() leaves out what nobody knows", () => {
  const first = (facts: Partial<VersionFacts>) => describeVersion({ ...FACTS, ...facts }).split("\n", 1)[0];

  assert.equal(first({}), "rsp 1.2.3 (0123456789ab, 2026-11-23)");
  assert.equal(first({ changed: true }), "rsp 1.2.3 (0123456789ab with changes, 2026-11-23)");
  assert.equal(first({ commit: undefined }), "rsp 1.2.3 (2026-11-23)");
  assert.equal(first({ commit: undefined, date: undefined }), "rsp 1.2.3");
  assert.match(describeVersion(FACTS), /^Build: one file, attached to Deno, for x86_64-unknown-linux-gnu$/m);
  assert.match(describeVersion(FACTS), /^SCTP: {2}the kernel's \(the kernel has SCTP\)$/m);
});

Deno.test("buildFacts() names the commit of a checkout", async () => {
  const { kind, commit, date } = await buildFacts();

  assert.equal(kind, "sources");
  // Sources that came without their history have neither.
  assert.equal(commit === undefined, date === undefined);
  assert.match(commit ?? "0123456", /^[0-9a-f]{7,64}$/);
  assert.match(date ?? "2026-11-23T05:43:29Z", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

Deno.test("rsp version -licences shows them where they are packed, and says where they are elsewhere", async () => {
  const { exitCode, stdout, stderr } = await rsp("version", "-licences");
  assert.deepEqual([exitCode, stdout], [1, ""]);
  assert.match(stderr, /^rsp version: this runs from its sources: their licence is in the file LICENSE/);

  const folder = new URL("../../../cmd/", import.meta.url);
  const facts = {
    kind: "attached",
    commit: "0123456789abcdef",
    changed: false,
    date: "2026-11-23T05:43:29Z",
  };
  const program = `
    import { setPacked } from "${folder}packed.ts";
    import { main } from "${folder}main.ts";
    setPacked({ facts: ${JSON.stringify(facts)}, licences: "All of them\\n", workers: {} });
    await main();`;
  const run = async (line: string) => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, program);
      const output = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--quiet", "--no-check", file, "version", line],
        env: { RSP_CALLED_AS: "rsp" },
        signal: AbortSignal.timeout(60_000),
      }).output();
      return new TextDecoder().decode(output.stdout);
    } finally {
      await Deno.remove(file);
    }
  };
  assert.equal(await run("-licences"), "All of them\n");
  const told = JSON.parse(await run("-json"));
  assert.deepEqual([told.kind, told.commit, told.date], [facts.kind, facts.commit, facts.date]);
});
