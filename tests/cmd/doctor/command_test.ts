import assert from "node:assert/strict";
import { judge } from "../../../cmd/doctor/judge.ts";
import { renderReport } from "../../../cmd/doctor/render.ts";
import { runCommand } from "../../../cmd/doctor/run_command.ts";
import { planTreatment, treat } from "../../../cmd/doctor/treatment.ts";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";
import { BARE, withGroup, withKernel } from "./hosts.ts";

async function doctor(...line: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["doctor", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("rsp doctor says whether this very host can work, and changes nothing", async () => {
  const { exitCode, stdout } = await doctor("-dry-run");

  assert.match(stdout, /^This host\n {2}ok {6}rsp /);
  assert.match(stdout, exitCode === 0 ? /rsp can work here/ : /rsp cannot work here/);
});

Deno.test("rsp doctor -json writes one object", async () => {
  const { exitCode, stdout } = await doctor("-json", "-transport=embedded", "-encapsulation=udp");

  const report = JSON.parse(stdout);
  assert.equal(report.works, exitCode === 0);
  assert.equal(report.transport, "embedded");
  assert.deepEqual(report.actions, []);
  assert.ok(report.findings.every((one: Record<string, unknown>) => typeof one["sentence"] === "string"));
  assert.equal(report.facts.system.rspVersion, "0.1.0");
});

Deno.test("rsp doctor refuses an interface that is not there", async () => {
  const { exitCode, stderr } = await doctor("-fix", "-dry-run", "-interface=nowhere0");

  assert.equal(exitCode, 2);
  assert.match(stderr, /-interface names "nowhere0", and there are .*lo/);
});

Deno.test("renderReport() wraps sentences and leaves commands whole", () => {
  const lines = renderReport(
    judge(withGroup({ route: undefined }), { transport: "auto", encapsulation: "auto" }),
    [],
    {
      columns: 60,
      color: false,
      quiet: true,
    },
  );

  assert.ok(lines.includes("            $ ip route add 224.0.0.0/4 dev eth0"));
  assert.ok(lines.every((line) => line.length <= 60 || line.includes("$ ")));
  assert.ok(!lines.some((line) => line.startsWith("  ok")));
  assert.equal(
    lines.slice(-2).join(" "),
    "rsp can work here, with a warning: SCTP is carried by the embedded stack over IP and UDP.",
  );
});

Deno.test("renderReport() tells each action with what takes it back", async () => {
  const facts = withKernel({ moduleFile: "/lib/modules/6.1.0/sctp.ko" });
  const plan = planTreatment(facts, {
    heartbeatIntervalMs: 3000,
    exactly: false,
    multicastInterface: undefined,
  });
  const diagnosis = judge(facts, { transport: "auto", encapsulation: "auto" });
  const style = { columns: 100, color: false, quiet: true };
  const report = (outcomes: Awaited<ReturnType<typeof treat>>) =>
    renderReport(diagnosis, outcomes, style).join("\n");

  assert.match(
    report(await treat(plan, undefined)),
    /would {3}\$ modprobe sctp\n {10}so that kernel SCTP is there until the next boot\n/,
  );
  const failing = await treat(plan, () => Promise.resolve({ ok: false, words: "no permission" }));
  assert.match(report(failing), /failed {2}\$ modprobe sctp\n {10}not done: no permission/);
});

Deno.test("runCommand() says why a command failed", async () => {
  assert.deepEqual(await runCommand("true"), { ok: true, words: "" });
  assert.deepEqual(await runCommand("no-such-program at all"), {
    ok: false,
    words: "no-such-program is not installed",
  });
  const { ok, words } = await runCommand("ls /nowhere-at-all");
  assert.equal(ok, false);
  assert.match(words, /nowhere-at-all/);
  assert.equal((await runCommand("sysctl -w net.no.such_setting=1")).ok, false);
});

Deno.test("judge() and the plan agree on what is wrong with the route", () => {
  for (const facts of [BARE, withGroup({ route: undefined })]) {
    const mends = judge(facts, { transport: "auto", encapsulation: "auto" }).findings.map(({ mend }) => mend);
    const plan = planTreatment(facts, {
      heartbeatIntervalMs: 3000,
      exactly: false,
      multicastInterface: undefined,
    });
    for (const { command } of plan) assert.ok(mends.includes(command), command);
  }
});
