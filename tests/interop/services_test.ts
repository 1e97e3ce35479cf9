/**
 * Every service of RSPLIB's: RSPLIB's pool user served by our server and then by RSPLIB's, and our pool user served by
 * RSPLIB's server and then by ours. Between the two the first server is killed or cut off, so that what the user needs to go
 * on with the other make comes from the cookies of the first. Run by `scripts/kernel-lab test services`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { Lab } from "./rsplib_lab.ts";
import { type Cast, enact, MAKER, type Play, Review } from "./service_lab.ts";
import { CHARGEN, SCENES, WATCHFUL } from "./service_scenes.ts";

const ignore = !kernelSctpSupport().available;

const CASTS: readonly Cast[] = [
  { registrar: "ours", server: "ours", secondServer: "original", user: "original" },
  { registrar: "original", server: "original", secondServer: "ours", user: "ours" },
];
/** For the service that RSPLIB's server does not start. */
const OUR_SERVERS: readonly Cast[] = [
  { registrar: "original", server: "ours", secondServer: "ours", user: "original" },
  { registrar: "ours", server: "ours", secondServer: "ours", user: "ours" },
];

const PLAYS: readonly Play[] = [
  ...SCENES.flatMap((scene) => CASTS.map((cast) => ({ scene, cast, loss: "killed" as const }))),
  ...OUR_SERVERS.map((cast) => ({ scene: CHARGEN, cast, loss: "killed" as const })),
  ...WATCHFUL.flatMap((scene) => CASTS.map((cast) => ({ scene, cast, loss: "cut off" as const }))),
];

const review = new Review();

for (const play of PLAYS) {
  const { scene, cast, loss } = play;
  const user = MAKER[cast.user], server = MAKER[cast.server], second = MAKER[cast.secondServer];
  Deno.test({
    name: `${scene.service}: pool user ${user}, server ${server}, which is ${loss}, then ${second}`,
    ignore,
    fn: () => enact(play, review),
  });
}

Deno.test({
  name: "tshark finds no fault in what our registrar, servers and pool users sent",
  ignore,
  fn: async () => assert.deepEqual(await review.complaints(), []),
});

Deno.test({
  name: "chargen: RSPLIB's server takes the option for its service for an unknown one of that service",
  ignore,
  async fn() {
    await using lab = await Lab.make(`services-${Deno.pid}`);
    const server = lab.original("server", "rspserver", "-chargen");
    assert.equal(await server.ends(), 1, server.quote());
    assert.match(server.output, /Unknown Character Generator parameter: -chargen/);
  },
});
