import assert from "node:assert/strict";
import { installUnit, removeUnit } from "../../../cmd/service/install.ts";
import { UNIT_MARK, unitFile, unitWord } from "../../../cmd/service/unit.ts";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";

const DEADLINE_MS = 60_000;

async function output(program: string, ...line: string[]) {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { success, stdout, stderr } = await new Deno.Command(program, { args: line, signal }).output();
  const text = new TextDecoder();
  return { success, text: text.decode(stdout) + text.decode(stderr) };
}

const systemdThere = await output("systemd-analyze", "--version").then(({ success }) => success, () => false);

async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rsp-unit-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function service(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["service", ...line],
    stdout,
    stderr,
    variable: () => undefined,
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

const PLAN = {
  name: "rsp-registrar",
  description: "RSerPool registrar, 100 % real",
  page: "rsp-registrar",
  line: ["/bin/sh", "registrar", '-logfile=a $b %c "d" \\e'],
  runsJobs: false,
} as const;

Deno.test("unitWord() writes words so that systemd reads them back as they are", () => {
  assert.equal(unitWord("-cspserver=10.1.0.9:2960"), "-cspserver=10.1.0.9:2960");
  assert.equal(unitWord("-registrar=[fd01::1]:3863"), '"-registrar=[fd01::1]:3863"');
  assert.equal(unitWord("50%"), "50%%");
  assert.equal(unitWord("$HOME"), "$$HOME");
  assert.equal(unitWord(""), '""');
  assert.equal(unitWord("it's; a\nb"), '"it\'s; a\\nb"');
  assert.equal(unitWord('"\\'), '"\\"\\\\"');
});

Deno.test("unitFile() confines a service, and one that has jobs in a sandbox less", () => {
  const unit = unitFile(PLAN), jobs = unitFile({ ...PLAN, runsJobs: true });

  assert.ok(unit.startsWith(`${UNIT_MARK}\n[Unit]\n`));
  assert.match(unit, /^Description=RSerPool registrar, 100 %% real$/m);
  assert.match(unit, /^ExecStart=\/bin\/sh registrar "-logfile=a \$\$b %%c \\"d\\" \\\\e"$/m);
  for (const line of ["Type=notify", "DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict"]) {
    assert.ok(unit.split("\n").includes(line) && jobs.split("\n").includes(line), line);
  }
  assert.match(unit, /^RestrictNamespaces=yes$/m);
  assert.match(unit, /^AmbientCapabilities=CAP_NET_RAW$/m);
  assert.doesNotMatch(jobs, /^(RestrictNamespaces|SystemCallFilter|AmbientCapabilities)=/m);
  assert.match(jobs, /^CapabilityBoundingSet=$/m);
});

for (const runsJobs of [false, true]) {
  Deno.test({
    name: `unitFile() is a unit without a fault to systemd-analyze${runsJobs ? ", also for jobs" : ""}`,
    ignore: !systemdThere,
    fn: () =>
      withFolder(async (folder) => {
        // A page that is not installed is none of the unit's faults.
        const path = `${folder}/rsp-registrar.service`;
        await Deno.writeTextFile(path, unitFile({ ...PLAN, runsJobs }));
        const { success, text } = await output("systemd-analyze", "verify", "--man=no", path);
        assert.deepEqual([success, text], [true, ""]);

        const analysis = await output("systemd-analyze", "security", "--offline=true", path);
        const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(analysis.text)?.[1]);
        assert.ok(exposure < (runsJobs ? 5 : 2.5), analysis.text);
      }),
  });
}

Deno.test("installUnit() replaces its own units, and others' only when it is forced", () =>
  withFolder((folder) => {
    const path = `${folder}/rsp-server.service`, unit = unitFile(PLAN);
    assert.equal(removeUnit(path), "absent");
    assert.equal(installUnit(path, unit, false), "written");
    assert.equal(installUnit(path, unit, false), "kept");
    assert.equal(installUnit(path, `${unit}# newer\n`, false), "written");
    assert.equal(removeUnit(path), "removed");

    Deno.writeTextFileSync(path, "[Service]\n");
    assert.equal(installUnit(path, unit, false), "stranger");
    assert.equal(removeUnit(path), "stranger");
    assert.equal(Deno.readTextFileSync(path), "[Service]\n");
    assert.equal(installUnit(path, unit, true), "written");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["rsp-server.service"]);
  }));

Deno.test("rsp service shows a unit with the options that the service gets", async () => {
  const { exitCode, stdout } = await service("registrar", "--", "-cspserver=10.1.0.9", "-maxpools=5");

  assert.equal(exitCode, 0);
  assert.match(stdout, /^ExecStart=\/.* registrar -cspserver=10\.1\.0\.9 -maxpools=5$/m);
  assert.match(stdout, /^StateDirectory=rsp-registrar$/m);
  assert.match((await service("rspserver", "--", "-echo")).stdout, /^RestrictNamespaces=yes$/m);
  assert.doesNotMatch((await service("server", "--", "-scripting")).stdout, /RestrictNamespaces/);
});

Deno.test("rsp service installs a unit and removes it, and says how to start it", () =>
  withFolder(async (folder) => {
    const installed = await service(`-install=${folder}`, "-name=blue", "registrar");
    assert.equal(installed.exitCode, 0);
    assert.match(
      installed.stdout,
      /blue\.service written\nsystemctl daemon-reload && systemctl enable --now blue /,
    );
    assert.match(
      (await service(`-remove=${folder}`, "-name=blue", "registrar")).stdout,
      /blue\.service removed\n/,
    );
    assert.match(
      (await service(`-remove=${folder}`, "registrar")).stdout,
      /^There is no .*rsp-registrar\.service\n$/,
    );

    await Deno.writeTextFile(`${folder}/rsp-registrar.service`, "mine");
    for (const option of ["-install", "-remove"]) {
      const { exitCode, stderr } = await service(`${option}=${folder}`, "registrar");
      assert.equal(exitCode, 1);
      assert.match(stderr, /^rsp service: .*rsp-registrar\.service was written by somebody else/m);
    }
    assert.equal((await service("-install=/proc/rsp", "registrar")).exitCode, 1);
  }));

const WRONG: readonly (readonly [line: readonly string[], complaint: RegExp])[] = [
  [[], /wants the name of a command that serves: registrar or server/],
  [["hsdump"], /wants the name of a command that serves/],
  [["registrar", "--", "-maxpool=5"], /unknown option -maxpool; did you mean -maxpools\?/],
  [["registrar", "now"], /rsp registrar does not know what to do with "now"/],
  [["registrar", "--", "-daemonpidfile=x"], /leave -daemonpidfile out/],
  [["-name=../x", "registrar"], /option -name must be letters/],
  [["-force", "registrar"], /-force is for -install/],
  [["-install", "-remove", "registrar"], /do not go together/],
];

for (const [line, complaint] of WRONG) {
  Deno.test(`rsp service ${line.join(" ")} is refused`, async () => {
    const { exitCode, stdout, stderr } = await service(...line);
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, complaint);
  });
}
