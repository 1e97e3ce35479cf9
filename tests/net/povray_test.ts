/** The course's last chapter: POV-Ray on all PCs of the laboratory (exercise §9.5). */
import assert from "node:assert/strict";
import { decode } from "fast-png";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pause } from "../../cmd/driver/pause.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";

const EXAMPLES = "/usr/share/doc/povray/examples";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WIDTH = 160, HEIGHT = 120;

/** Smoothing at the edges of POV-Ray's tiles depends on which thread is first: some samples in ten thousand differ. */
const MAX_DIFFERENCE = 0.002;

/** Scenes that POV-Ray draws the same each time, without chance, in a second or two. */
const SCENES = [
  "lights/glassthing", // some seconds: it is under way when its server dies
  "interior/iortest",
  "lights/spotlite",
  "objects/blob",
  "objects/bezier",
  "objects/lathe1c",
  "objects/prism1",
  "objects/quartic/helix",
  "objects/quartic/piriform",
  "objects/superel2",
] as const;

/** On a machine that has nothing else to do it takes a tenth of this. */
const DRAWING_LIMIT_MS = 300_000;

const possible = await labIsPossible() && await isThere(`${EXAMPLES}/${SCENES[0]}.pov`) &&
  await canRun("povray");

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function canRun(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch { // it is not installed
    return false;
  }
}

/** A registrar on PC 1, three scripting servers on PCs 2 to 4, and a folder with scenes and a program `rsp`. */
class Farm implements AsyncDisposable {
  readonly lab: Lab;
  readonly folder: string;
  readonly registrar: Program;
  readonly scenes: readonly string[];

  constructor(lab: Lab, folder: string, registrar: Program, scenes: readonly string[]) {
    this.lab = lab;
    this.folder = folder;
    this.registrar = registrar;
    this.scenes = scenes;
  }

  static async open(sceneCount: number): Promise<Farm> {
    const folder = await Deno.makeTempDir();
    const lab = await Lab.open(5);
    const registrar = lab.pc(1).rsp("registrar", "-loglevel=4", "-endpointkeepalivetimeoutinterval=60000");
    await registrar.says(/ASAP has SCTP port/);
    const rsp = join(folder, "rsp");
    const program = `exec '${Deno.execPath()}' run --allow-all --quiet '${ROOT}/cmd/main.ts' "$@"`;
    await Deno.writeTextFile(rsp, `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    await Deno.mkdir(join(folder, "jobs"));
    const servers = [2, 3, 4].map((number) =>
      lab.pc(number).start(
        ...["env", `TMPDIR=${join(folder, "jobs")}`, rsp, "server", "-scripting"],
        ...["-policy=LeastUsedDegradation:0.5", "-ssmaxthreads=2"],
      )
    );
    for (const server of servers) await server.says(/registered as/);
    const scenes = SCENES.slice(0, sceneCount).map((scene) => join(folder, `${basename(scene)}.pov`));
    for (const [index, path] of scenes.entries()) {
      await Deno.copyFile(`${EXAMPLES}/${SCENES[index]}.pov`, path);
    }
    return new Farm(lab, folder, registrar, scenes);
  }

  /** Kills the server that draws the first scene. */
  async killOne(): Promise<void> {
    const deadline = performance.now() + DRAWING_LIMIT_MS;
    const text = await Deno.readTextFile(this.scenes[0]!);
    for (;;) {
      const processId = await this.#serverOf(text);
      if (processId !== undefined) return Deno.kill(processId, "SIGKILL");
      assert.ok(performance.now() < deadline, "a server has the first scene");
      await pause(50);
    }
  }

  /** The process in one of whose jobs there is a scene. */
  async #serverOf(text: string): Promise<number | undefined> {
    const read = (path: string) => Deno.readTextFile(path).catch(() => ""); // jobs come and go
    for await (const { name } of Deno.readDir(join(this.folder, "jobs"))) {
      const job = join(this.folder, "jobs", name);
      for (const path of ["work/input.pov", `work/work/${basename(this.scenes[0]!)}`]) {
        if (await read(join(job, path)) !== text) continue;
        const { processId } = JSON.parse(await read(join(job, "owner.json")) || "{}");
        if (typeof processId === "number") return processId;
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What POV-Ray draws here, without a pool. */
async function reference(scene: string, folder: string): Promise<Uint8Array> {
  const picture = join(folder, "reference.png");
  const { success, stderr } = await new Deno.Command("povray", {
    args: [`+W${WIDTH}`, `+H${HEIGHT}`, "-D", "+A0.3", "+FN8", `+I${basename(scene)}.pov`, `+O${picture}`],
    cwd: folder,
    env: { HOME: folder },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await pixels(picture);
}

async function pixels(picture: string): Promise<Uint8Array> {
  const { width, height, data } = decode(await Deno.readFile(picture));
  assert.deepEqual([width, height], [WIDTH, HEIGHT], picture);
  return Uint8Array.from(data);
}

async function checkPictures(farm: Farm, pictureOf: (name: string) => string): Promise<void> {
  for (const path of farm.scenes) {
    const name = basename(path, ".pov");
    const drawn = await pixels(pictureOf(name));
    const expected = await reference(name, farm.folder);
    // Not by deepEqual, which would look for the difference for minutes.
    const different = drawn.filter((sample, index) => sample !== expected[index]).length;
    assert.ok(
      different <= MAX_DIFFERENCE * expected.length,
      `${name}: ${different} of ${expected.length} samples are different`,
    );
    assert.ok(new Set(drawn).size > 8, `${name} is a picture`);
  }
}

/** The host of a dead server says at once that it is dead; a server that is late, since its machine draws, is not. */
const IMPATIENT = ["-keepaliveinterval=1000", "-keepalivetimeout=20000", "-retrydelay=1000"] as const;

Deno.test({
  name:
    "run-povray-for-files draws ten scenes over three servers, one of which is killed: ten right pictures",
  ignore: !possible,
  async fn(t) {
    await using farm = await Farm.open(10);
    const script = join(ROOT, "scripts/run-povray-for-files");
    const settings = [
      `RSP=${join(farm.folder, "rsp")}`,
      `RSP_OPTIONS=${IMPATIENT.join(" ")}`,
      `WIDTH=${WIDTH}`,
      `HEIGHT=${HEIGHT}`,
    ];
    const run = farm.lab.pc(5).start("env", ...settings, script, ...farm.scenes);
    await farm.killOne();
    assert.equal(await run.exitCode(DRAWING_LIMIT_MS), 0, run.output);
    await t.step("the pictures are those that POV-Ray draws by itself", async () => {
      await checkPictures(farm, (name) => join(farm.folder, `${name}-${WIDTH}-${HEIGHT}.png`));
    });
    await t.step("servers had one job and two: half of their load each", () => {
      for (const load of ["50.0%", "100.0%"]) {
        assert.match(farm.registrar.output, new RegExp(`registered again .*load ${load}`));
      }
    });
    await t.step("a job of the dead server was begun anew", () => {
      assert.match(run.output, /failover from/);
    });
    await t.step("a second run finds nothing to do", async () => {
      const again = farm.lab.pc(5).start("env", ...settings, script, ...farm.scenes);
      assert.equal(await again.exitCode(), 0, again.output);
      assert.equal(again.output, "");
    });
  },
});

Deno.test({
  name: "rsp farm draws scenes over three servers, one of which is killed, and a broken scene fails alone",
  ignore: !possible,
  async fn() {
    await using farm = await Farm.open(5);
    const broken = join(farm.folder, "broken.pov");
    await Deno.writeTextFile(broken, "sphere { <0, 0, 0>, 1 ");
    const results = join(farm.folder, "pictures");
    const run = farm.lab.pc(5).rsp(
      ...["farm", "-flat", `-output=${results}`, "-maxretry=2", ...IMPATIENT],
      `-command=povray +W${WIDTH} +H${HEIGHT} -D +A0.3 +FN8 +I{} +O{.}.png`,
      ...[...farm.scenes, broken],
    );
    await farm.killOne();
    assert.equal(await run.exitCode(DRAWING_LIMIT_MS), 1, run.output);
    assert.match(run.output, /5 of 6 jobs done, 1 failed/);
    assert.match(run.output, /broken.pov: attempt 2 of 2 has failed/);
    assert.match(run.output, /failover from/);
    assert.match(await Deno.readTextFile(join(results, ".farm/logs/broken.pov.stderr.txt")), /Parse Error/);
    await checkPictures(farm, (name) => join(results, `${name}.png`));
  },
});
