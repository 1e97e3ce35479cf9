/**
 * The course's last chapter with RSPLIB's scripting server: `povray-distribute` draws there, and goes on at a server of the
 * other make. Run by `scripts/kernel-lab test services`.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { assertSamePicture } from "../net/povray_pictures.ts";
import { type Cast, enact, MAKER, Review, type Scene, type Stage } from "./service_lab.ts";
import { isScripting } from "./service_messages.ts";

const ignore = !kernelSctpSupport().available;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WIDTH = 80, HEIGHT = 60;
/** Far more than it takes to draw that in a guest on a busy machine, in milliseconds. */
const LIMIT_MS = 300_000;

/** A scene of no more than the guest's processor draws in a moment. */
const BLOB = `
  camera { location <0, 0, -4> look_at 0 }
  light_source { <5, 5, -5> rgb 1 }
  background { rgb <0.1, 0.2, 0.4> }
  blob {
    threshold 0.5
    sphere { <-0.6, 0, 0>, 1, 1 }
    sphere { <0.6, 0.3, 0>, 1, 1 }
    pigment { rgb <0.9, 0.4, 0.1> }
    finish { phong 1 }
  }
`;
const SCENES = ["blob.pov", "broken.pov"] as const;

/** While this file is in the folder, no job draws that can see it: a sandboxed one cannot. */
const GATE = "gate";

/** The command line of povray-distribute: it takes options for our user, and for POV-Ray, by variables only. */
async function distribute(folder: string, nth: number): Promise<readonly string[]> {
  if (nth === 1) {
    await Deno.writeTextFile(`${folder}/${SCENES[0]}`, BLOB);
    await Deno.writeTextFile(`${folder}/${SCENES[1]}`, "sphere { <0, 0, 0>, 1 ");
    const deno = `'${Deno.execPath()}' run --allow-all --no-check --cached-only --quiet`;
    const text = `#!/bin/sh\nexec ${deno} '${ROOT}/cmd/main.ts' "$@"\n`;
    await Deno.writeTextFile(`${folder}/rsp`, text, { mode: 0o755 });
  }
  // The shell of the job waits; not for ever, since its test may have failed.
  const gate = `$(n=0; while [ -e ${folder}/${GATE} ] && [ $n -lt 3000 ]; do n=$((n + 1)); sleep 0.1; done)`;
  const line =
    `RSP='${folder}/rsp' RSP_OPTIONS="$1 -retrydelay=200 -maxretry=2" POVRAY_OPTIONS='+A0.3 ${gate}' ` +
    `exec scripts/povray-distribute ${WIDTH} ${HEIGHT} '${folder}/${SCENES[nth - 1]}'`;
  return ["sh", "-c", line, "povray-distribute"]; // and the option with the registrar behind it
}

async function assertPicture({ folder }: Stage): Promise<void> {
  const { success, stderr } = await new Deno.Command("povray", {
    args: [`+W${WIDTH}`, `+H${HEIGHT}`, "-D", "+A0.3", "+FN8", `+I${SCENES[0]}`, "+Oreference.png"],
    cwd: folder,
    env: { HOME: folder },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const picture = `${folder}/blob-${WIDTH}-${HEIGHT}.png`;
  await assertSamePicture(picture, `${folder}/reference.png`, [WIDTH, HEIGHT]);
}

const COMMON = {
  service: "scripting",
  serverOptions: (role, _folder, make) => [
    // Who registers again goes behind the other server: not before the user has come.
    ...["-policy=LeastUsedDegradation:0.5", "-ssmaxthreads=2", "-rereginterval=600000"],
    ...role === "server" && make === "ours" ? ["-sssandbox=none"] : [], // its jobs must see the gate
  ],
  userIsProgram: true,
  user: (_make, folder, nth) => distribute(folder, nth),
} as const satisfies Partial<Scene>;

const draws: Scene = {
  ...COMMON,
  plot: "draws a scene of POV-Ray, and tells of a broken one",
  async play(stage) {
    assert.equal(await stage.user.ends(LIMIT_MS), 0, stage.user.quote());
    await assertPicture(stage);
    const broken = await stage.startUser();
    assert.equal(await broken.ends(LIMIT_MS), 1, broken.quote());
    assert.match(broken.output, /Parse Error/);
  },
};

const isLost: Scene = {
  ...COMMON,
  async user(_make, folder, nth) {
    await Deno.writeTextFile(`${folder}/${GATE}`, "");
    return await distribute(folder, nth);
  },
  async play(stage) {
    await stage.asks("server", isScripting("upload"));
    await stage.loseServer();
    await Deno.remove(`${stage.folder}/${GATE}`);
    await stage.serves("secondServer", isScripting("download"), { limitMs: LIMIT_MS });
    assert.equal(await stage.user.ends(LIMIT_MS), 0, stage.user.quote());
    await assertPicture(stage);
  },
};

const OURS_LAST: Cast = { registrar: "ours", server: "original", secondServer: "ours", user: "ours" };
const ORIGINAL_LAST: Cast = { registrar: "original", server: "ours", secondServer: "original", user: "ours" };

const PLAYS = [
  { scene: draws, cast: OURS_LAST },
  { scene: isLost, cast: OURS_LAST, loss: "killed" },
  { scene: isLost, cast: ORIGINAL_LAST, loss: "killed" },
] as const;

const review = new Review();

for (const play of PLAYS) {
  const { scene, cast: { server, secondServer } } = play;
  const what = scene.plot ?? `is killed, and server ${MAKER[secondServer]} draws the scene of POV-Ray`;
  Deno.test({
    name: `povray-distribute: server ${MAKER[server]} ${what}`,
    ignore,
    fn: () => enact(play, review),
  });
}

Deno.test({
  name: "tshark finds no fault in what ours sent while POV-Ray draws",
  ignore,
  fn: async () => assert.deepEqual(await review.complaints(), []),
});
