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

/** A registrar and servers with these options; they are registered. */
async function startPool(
  scene: Scene,
  pcs: readonly number[],
  ...options: string[]
): Promise<{ readonly registrar: Program; readonly servers: Map<number, Program> }> {
  const registrar = scene.registrar(1, 1);
  await registrar.says(/ASAP has SCTP port/);
  const servers = new Map(pcs.map((pc) => [pc, scene.server(pc, pc, ...options)]));
  for (const server of servers.values()) await server.says(/registered as/);
  return { registrar, servers };
}

/** A server that is silent for so long is left; where none dies, a busy machine must not look like death. */
const IMPATIENT = "-recvtimeout=1500", PATIENT = "-recvtimeout=60000";

/** A user on PC 1 that says everything. Its picture is `name`.png. */
function startUser(scene: Scene, name: string, ...options: string[]): Program {
  const image = ["-config=double-spiral", "-width=640", "-height=400", "-loglevel=5"];
  const words = [...image, "-timeout=300", ...options];
  const files = [`-output=${scene.directory}/${name}.png`, `-statsfile=${statistics(scene)}`];
  return scene.rsp(1, "pooluser", "-fractal", ...words, ...files);
}

function statistics({ directory }: Scene): string {
  return `${directory}/statistics`;
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
      const pace = "-fgpmaxrate=10000"; // 26 s an image: there is time for all kills
      const { registrar, servers } = await startPool(scene, SERVERS, pace);
      const quiet = "-poolhandle=QuietPool";
      const steady = scene.server(2, 9, quiet);
      await steady.says(/registered as/);
      const untroubled = startUser(scene, "untroubled", PATIENT, quiet);
      assert.equal(await untroubled.exitCode(), 0, untroubled.output);
      assert.match(untroubled.output, /complete in .*, 0 failovers/);

      const user = startUser(scene, "troubled", IMPATIENT);
      for (let kill = 1, from = 0; kill <= KILLS; kill++) {
        const { elementId, place } = await inUse(user, from, 1 + kill * 11 % 29);
        from = place;
        const server = servers.get(elementId)!;
        server.signal("SIGKILL");
        await server.exitCode();
        servers.set(elementId, scene.server(elementId, elementId, pace));
      }
      assert.equal(await user.exitCode(), 0, user.output);
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
      await interruptAll(steady, registrar);
    }, () => {}),
});

Deno.test({
  name: "all servers leave after five Data messages, again and again: the picture is the same",
  ignore,
  fn: () =>
    play({ name: "fractal-leaves", pcs: 4, encapsulation: "udp" }, async (scene) => {
      const { registrar, servers } = await startPool(scene, SERVERS, "-fgpfailureafter=5");
      const user = startUser(scene, "leaving", PATIENT);
      assert.equal(await user.exitCode(), 0, user.output);
      const [, failovers] = await user.says(/complete in .*, (\d+) failovers/);
      // A slow machine sends partial Data, too, which do not count.
      const most = Math.floor(640 * 400 / DATA_POINTS / 5);
      assert.ok(Number(failovers) <= most && Number(failovers) > most / 2, `${failovers} failovers`);
      await interruptAll(...servers.values());

      const steady = scene.server(2, 2);
      await steady.says(/registered as/);
      const untroubled = startUser(scene, "steady", PATIENT);
      assert.equal(await untroubled.exitCode(), 0, untroubled.output);
      await assertSamePicture(scene, "leaving", "steady");
      await interruptAll(steady, registrar);
    }, () => {}),
});

Deno.test({
  name: "sixteen sessions on two servers with two places each: all of them are served",
  ignore,
  fn: () =>
    play({ name: "fractal-full", pcs: 3 }, async (scene) => {
      const { registrar, servers } = await startPool(scene, [2, 3], "-fgpmaxthreads=2");
      const crowd = startUser(scene, "crowd", PATIENT, "-threads=16");
      assert.equal(await crowd.exitCode(), 0, crowd.output);
      for (const server of servers.values()) {
        assert.match(server.output, /all places are taken: turned .* away/);
        assert.ok(server.output.split(/session \d+: complete/).length > 2, server.output);
      }
      await interruptAll(...servers.values());

      const roomy = scene.server(2, 2, "-fgpmaxthreads=16");
      await roomy.says(/registered as/);
      const single = startUser(scene, "single", PATIENT, "-threads=16");
      assert.equal(await single.exitCode(), 0, single.output);
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
      const options = ["-policy=LeastUsed", "-fgpmaxrate=2000", "-loglevel=4"];
      const { registrar, servers } = await startPool(scene, [2, 3], ...options);
      const first = startUser(scene, "first", PATIENT);
      const { elementId } = await inUse(first, 0, 1);
      const busy = servers.get(elementId)!, idle = servers.get(5 - elementId)!;
      await busy.says(/load 25 %, 1 sessions/);
      await registrar.says(new RegExp(`0x0000000${elementId} registered again .*load 25\\.0%`));
      const second = startUser(scene, "second", PATIENT);
      await idle.says(/load 25 %, 1 sessions/);
      for (const user of [first, second]) assert.equal(await user.interrupt(), 1, "the image is incomplete");
      await busy.says(/load 0 %, 0 sessions/);
      await idle.says(/load 0 %, 0 sessions/);
      await interruptAll(...servers.values(), registrar);
    }, () => {}),
});
