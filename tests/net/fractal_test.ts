/**
 * The Fractal Generator Service among PCs of the laboratory when servers die, leave, or have no place: the image is always the
 * one that would have come without all that, byte for byte (exercise §7).
 */
import assert from "node:assert/strict";
import { labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";
import { interruptAll, play } from "./registrar_scene.ts";
import type { Scene } from "./registrar_scene.ts";

const ignore = !await labIsPossible();
/** PCs of the servers, which are their IDs, too. The registrar is on PC 1, with the user. */
const SERVERS = [2, 3, 4] as const;
const KILLS = 20;
/** Points of a full Data message. */
const DATA_POINTS = 324;
/** Said of each of them. */
const POINTS = " points from (";
/** A cookie comes after so many Data messages, and one message may be on its way. */
const COOKIE_DATA = 10 + 1;

/** Sends full Data only, which count, even if the machine is so busy that one takes a while. */
const WHOLE_DATA = ["-fgpdatamaxtime=60000", "-fgpcookiemaxtime=60000"];
/** A sixteenth of the image takes four seconds: places are taken for so long that all sessions are there before one is free. */
const BUSY = "-fgpmaxrate=4000";
/** An image takes more than eight minutes. */
const UNENDING = "-fgpmaxrate=500";

/** A registrar and servers with these options; they are registered. */
async function startPool(
  scene: Scene,
  pcs: readonly number[],
  ...options: string[]
): Promise<{ readonly registrar: Program; readonly servers: Map<number, Program> }> {
  const registrar = scene.registrar(1, 1);
  await registrar.says(/ASAP has SCTP port/);
  const servers = new Map(pcs.map((pc) => [pc, scene.server(pc, pc, FORBEARING, ...options)]));
  for (const server of servers.values()) await server.says(/registered as/);
  return { registrar, servers };
}

/** A server that is silent for so long is left; where none dies, a busy machine must not look like death. */
const IMPATIENT = "-recvtimeout=1500", PATIENT = "-recvtimeout=60000";
/** Nor is a user given up that does not read for a while. */
const FORBEARING = "-fgptransmittimeout=60000";

/** No image takes longer, in milliseconds, unless something is broken, and this machine may be busy. */
const IMAGE_MS = 1_800_000;

/** What is drawn. */
const WIDTH = 640, HEIGHT = 400;

/** A user on PC 1 that says everything. Its picture is `name`.png, so many times as wide and high as the others. */
function startUser(scene: Scene, name: string, options: readonly string[], scale = 1): Program {
  const size = [`-width=${scale * WIDTH}`, `-height=${scale * HEIGHT}`];
  const words = ["-config=double-spiral", ...size, "-loglevel=5", `-timeout=${IMAGE_MS / 1000}`, ...options];
  const files = [`-output=${scene.directory}/${name}.png`, `-statsfile=${statistics(scene)}`];
  return scene.rsp(1, "pooluser", "-fractal", ...words, ...files);
}

function statistics({ directory }: Scene): string {
  return `${directory}/statistics`;
}

/** Waits until a user has drawn its image. */
async function draws(user: Program): Promise<void> {
  assert.equal(await user.exitCode(IMAGE_MS), 0, user.output);
}

/** Two pictures are the same file. */
async function assertSamePicture({ directory }: Scene, name: string, other: string): Promise<void> {
  const [one, two] = await Promise.all(
    [name, other].map((each) => Deno.readFile(`${directory}/${each}.png`)),
  );
  assert.ok(one!.length > 1000);
  // Not by deepEqual(): it takes minutes to tell two files apart.
  assert.ok(
    one!.length === two!.length && one!.every((octet, index) => octet === two![index]),
    "other octets",
  );
}

/** How a user says that a server begins. */
const BEGIN = /part 1: (0x[0-9a-f]+) (?:is to compute|goes on from the cookie)/;

/**
 * Waits until a server has begun behind this place of the output, and the one in use has given so many Data messages.
 *
 * @returns the ID of the server in use, and the place where it began
 */
async function inUse(
  user: Program,
  from: number,
  messages: number,
): Promise<{ readonly elementId: number; readonly place: number }> {
  const first = await user.says(BEGIN, undefined, from);
  const before = user.output.slice(0, first.index).split(POINTS).length - 1;
  await user.saysTimes(POINTS, before + messages);
  const last = [...user.output.slice(from).matchAll(new RegExp(BEGIN, "g"))].at(-1)!;
  return { elementId: Number(last[1]), place: from + last.index + last[0].length };
}

Deno.test({
  name: "three servers, and the one in use is killed twenty times: the picture is the same, byte for byte",
  ignore,
  fn: () =>
    play({ name: "fractal-kills", pcs: 4 }, async (scene) => {
      const quiet = "-poolhandle=QuietPool";
      const slow = "-fgpmaxrate=2500"; // 400 s an image: there is time for all kills, however late each one comes
      const { registrar, servers } = await startPool(scene, SERVERS, slow);
      const steady = scene.server(2, 9, FORBEARING, quiet);
      await steady.says(/registered as/);
      const untroubled = startUser(scene, "untroubled", [PATIENT, quiet], 2);
      await draws(untroubled);
      assert.match(untroubled.output, /complete in .*, 0 failovers/);

      const user = startUser(scene, "troubled", [IMPATIENT], 2);
      for (let kill = 1, from = 0; kill <= KILLS; kill++) {
        const { elementId, place } = await inUse(user, from, 1 + kill * 5 % 13);
        from = place;
        const server = servers.get(elementId)!;
        server.signal("SIGKILL");
        await server.exitCode();
        servers.set(elementId, scene.server(elementId, elementId, FORBEARING, slow));
      }
      // The rest is computed by one that has no limit.
      const fast = scene.server(2, 8, FORBEARING);
      for (const server of [fast, ...servers.values()]) await server.says(/registered as/);
      await interruptAll(...servers.values());
      await draws(user);
      await assertSamePicture(scene, "troubled", "untroubled");

      const [, failovers] = await user.says(/complete in .*, (\d+) failovers/);
      assert.ok(Number(failovers) >= KILLS, user.output);
      assert.ok(user.output.split("goes on from the cookie").length > KILLS, "each time from the cookie");
      const lines = (await Deno.readTextFile(statistics(scene))).trim().split("\n").slice(1);
      const repeated = lines.reduce((sum, line) => sum + Number(line.split(/ +/).at(-1)), 0);
      assert.ok(
        repeated <= Number(failovers) * COOKIE_DATA * DATA_POINTS,
        `${repeated} points were computed again in ${failovers} failovers`,
      );
      await interruptAll(fast, steady, registrar);
    }, () => {}),
});

Deno.test({
  name: "all servers leave after five Data messages, again and again: the picture is the same",
  ignore,
  fn: () =>
    play({ name: "fractal-leaves", pcs: 4, encapsulation: "udp" }, async (scene) => {
      const { registrar, servers } = await startPool(scene, SERVERS, "-fgpfailureafter=5", ...WHOLE_DATA);
      const user = startUser(scene, "leaving", [PATIENT]);
      await draws(user);
      const [, failovers] = await user.says(/complete in .*, (\d+) failovers/);
      assert.equal(Number(failovers), Math.floor(WIDTH * HEIGHT / DATA_POINTS / 5));
      await interruptAll(...servers.values());

      const steady = scene.server(2, 2, FORBEARING);
      await steady.says(/registered as/);
      const untroubled = startUser(scene, "steady", [PATIENT]);
      await draws(untroubled);
      await assertSamePicture(scene, "leaving", "steady");
      await interruptAll(steady, registrar);
    }, () => {}),
});

Deno.test({
  name: "sixteen sessions on two servers with two places each: all of them are served",
  ignore,
  fn: () =>
    play({ name: "fractal-full", pcs: 3 }, async (scene) => {
      const { registrar, servers } = await startPool(scene, [2, 3], "-fgpmaxthreads=2", BUSY);
      const crowd = startUser(scene, "crowd", [PATIENT, "-threads=16"]);
      await draws(crowd);
      for (const server of servers.values()) {
        assert.match(server.output, /all places are taken: turned .* away/);
        assert.ok(server.output.split(/session \d+: complete/).length > 2, server.output);
      }
      await interruptAll(...servers.values());

      const roomy = scene.server(2, 2, FORBEARING, "-fgpmaxthreads=16");
      await roomy.says(/registered as/);
      const single = startUser(scene, "single", [PATIENT, "-threads=16"]);
      await draws(single);
      assert.match(single.output, /complete in .*, 0 failovers/);
      await assertSamePicture(scene, "crowd", "single");
      await interruptAll(roomy, registrar);
    }, () => {}),
});

Deno.test({
  name: "LeastUsed: the load follows the work, and the next user gets the idle server",
  ignore,
  fn: () =>
    play({ name: "fractal-load", pcs: 3 }, async (scene) => {
      const options = ["-policy=LeastUsed", UNENDING, "-loglevel=4"];
      const { registrar, servers } = await startPool(scene, [2, 3], ...options);
      const first = startUser(scene, "first", [PATIENT]);
      const { elementId } = await inUse(first, 0, 1);
      const busy = servers.get(elementId)!, idle = servers.get(5 - elementId)!;
      await busy.says(/load 25 %, 1 sessions/);
      await registrar.says(new RegExp(`0x0000000${elementId} registered again .*load 25\\.0%`));
      const second = startUser(scene, "second", [PATIENT]);
      await idle.says(/load 25 %, 1 sessions/);
      for (const user of [first, second]) assert.equal(await user.interrupt(), 1, "the image is incomplete");
      await busy.says(/load 0 %, 0 sessions/);
      await idle.says(/load 0 %, 0 sessions/);
      await interruptAll(...servers.values(), registrar);
    }, () => {}),
});
